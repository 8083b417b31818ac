"""A thousand requests in one body. `python -m tests.benchmarks many`.

CPU seconds of the whole request in process: JSON in, a thousand explained answers, JSON out.
"""

from __future__ import annotations

import json
import statistics
import time

from backend.kernel.settings import Settings
from miniprogram_api.app import create_app
from tests.benchmarks.http_site import CASES

RUNS = 5
ROUTE = "/api/v1/estimates/batch"


def main(_: list[str]) -> None:
    """Prints CPU seconds for 250, 500 and 1,000 one-bill requests."""
    client = create_app(Settings(log_level="ERROR")).test_client()
    cases = json.loads(CASES.read_text("utf-8"))
    single = [c["request"] for c in cases if len(c["request"]["bills"]) == 1]
    for count in (250, 500, 1_000):
        body = json.dumps({"requests": (single * 10)[:count]}).encode()
        taken = []
        for _run in range(RUNS):
            start = time.process_time()
            answer = client.post(ROUTE, data=body, content_type="application/json")
            taken.append(time.process_time() - start)
            if answer.status_code != 200 or b'"problem"' in answer.data:
                raise SystemExit(f"{answer.status_code}: {answer.data[:300]!r}")
        print(f"{count:,} requests in one body: {statistics.median(taken):.3f} s of CPU")
