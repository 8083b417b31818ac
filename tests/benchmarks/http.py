"""HTTP: our routes beside a fixed JSON of the same size in the same application.

`python -m tests.benchmarks http [SECONDS]`; needs `wrk` (Debian: apt-get install wrk).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.kernel.postgres import embedded
from backend.kernel.settings import PROJECT
from tests.benchmarks.http_site import ESTIMATES, POLICY, request_body

PORT = 18731
CONNECTIONS = 8
ROUNDS = 5
MEASURED = {
    "POST /api/v1/estimates, one bill": (ESTIMATES, "/api/v1/fixed/estimate", 0.40),
    "GET of a policy": (POLICY, "/api/v1/fixed/policy", 0.60),
}


def main(arguments: list[str]) -> None:
    """Prints requests per second and their ratio to the fixed route, in turn."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install -y wrk")
    seconds = int(arguments[0]) if arguments else 5
    with tempfile.TemporaryDirectory() as folder, _database(folder) as url, _site(url, folder):
        script = Path(folder) / "post.lua"
        script.write_text(_post(request_body()))
        for name, (ours, fixed, least) in MEASURED.items():
            lua = script if ours == ESTIMATES else None
            _wrk(ours, 1, lua)
            _wrk(fixed, 1, None)
            rates = [(_wrk(fixed, seconds, None), _wrk(ours, seconds, lua)) for _ in range(ROUNDS)]
            ratio = statistics.median(own / base for base, own in rates)
            own = statistics.median(own for _, own in rates)
            base = statistics.median(base for base, _ in rates)
            print(
                f"{name}: {own:,.0f}/s, fixed JSON {base:,.0f}/s, ratio {ratio:.0%} "
                f"(at least {least:.0%})"
            )


@contextmanager
def _database(folder: str) -> Iterator[str]:
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with embedded(Path(folder) / "data", durable=False) as url:
        yield url


@contextmanager
def _site(url: str, folder: str) -> Iterator[None]:
    metrics = Path(folder) / "metrics"
    metrics.mkdir()
    environment = os.environ | {
        "DATABASE_URL": url,
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "SHUKUN_LOG_LEVEL": "INFO",
    }
    command = [
        *(sys.executable, "-m", "gunicorn", "--config", "python:miniprogram_api.gunicorn_conf"),
        *("--bind", f"127.0.0.1:{PORT}", "tests.benchmarks.http_site:site()"),
    ]
    log = Path(folder) / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=PROJECT, stderr=output, start_new_session=True
        )
    try:
        _wait(process, log)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(log.read_text()[-3000:])
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=1)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the site did not start")


def _post(body: bytes) -> str:
    return (
        'wrk.method = "POST"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = [[{body.decode()}]]\n"
    )


def _wrk(path: str, seconds: int, script: Path | None) -> float:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    if script is not None:
        command += ["-s", str(script)]
    ran = subprocess.run(
        [*command, f"http://127.0.0.1:{PORT}{path}"], capture_output=True, text=True, check=True
    )
    if "Non-2xx" in ran.stdout or "Socket errors" in ran.stdout:
        raise SystemExit(f"{path}: {ran.stdout}")
    found = re.search(r"Requests/sec:\s+([0-9.]+)", ran.stdout)
    if found is None:
        raise SystemExit(ran.stdout)
    return float(found[1])
