"""Progress of an application over HTTP, beside a bare route of the same size.

`python -m tests.benchmarks progress [APPLICATIONS ...] [--seconds=N]` (default 10,000 and 1,000,000
applications, 5 s a round). Session, row-level security and audit are in it; the bare route asks for
no session and no database. CPU is that of gunicorn and of PostgreSQL together.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from backend.kernel import database, migrations
from backend.kernel.crypto import Keyring
from backend.kernel.postgres import embedded
from backend.kernel.settings import PROJECT, Settings
from tests.benchmarks.crew import children_of, cpu_of
from tests.benchmarks.load import Rate, rate
from tests.benchmarks.progress_rows import fill
from tests.benchmarks.progress_site import BARE, BYTES
from tests.benchmarks.report import machine

SIZES: Final = (10_000, 1_000_000)
PORT: Final = 18733
ROUNDS: Final = 5
SECONDS: Final = 5
LEAST: Final = 0.20
MOST_GROWTH: Final = 1.3


@dataclass(frozen=True)
class Site:
    """gunicorn and the folder of the database's cluster."""

    process: subprocess.Popen[bytes]
    cluster: Path

    def cpu(self) -> float:
        """CPU seconds so far, of all their processes."""
        server = int((self.cluster / "postmaster.pid").read_text().split()[0])
        return sum(
            sum(cpu_of(one)) + sum(cpu_of(child)[0] for child in children_of(one))
            for one in (self.process.pid, server)
        )


@dataclass(frozen=True)
class Round:
    """One round of a route. `cpu`: seconds an answer."""

    rate: Rate
    cpu: float


def main(arguments: list[str]) -> None:
    """Prints rates, ratios and CPU; exit status 1 where a limit is missed."""
    seconds = SECONDS
    for one in [one for one in arguments if one.startswith("--seconds=")]:
        seconds = int(one.partition("=")[2])
        arguments.remove(one)
    print(machine())
    found = {size: measure(size, seconds) for size in (tuple(map(int, arguments)) or SIZES)}
    missed = [f"{size:,}: ratio {ratio:.0%}" for size, (ratio, _) in found.items() if ratio < LEAST]
    first, last = next(iter(found)), list(found)[-1]
    if first != last:
        growth = found[last][1] / found[first][1]
        print(f"CPU a request from {first:,} to {last:,}: {growth:.2f} (at most {MOST_GROWTH})")
        if growth > MOST_GROWTH:
            missed.append(f"growth {growth:.2f}")
    if missed:
        raise SystemExit("missed: " + "; ".join(missed))


def measure(count: int, seconds: int) -> tuple[float, float]:
    """The ratio of the rates, and CPU seconds a request, with so many applications."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        settings = replace(Settings(), data=folder / "data")
        keyring = Keyring.open_or_create(folder / "keys.json")
        with embedded(settings.data, settings.pg_bin) as url:
            owner = database.engine_for(url)
            migrations.upgrade(owner)
            gets = fill(owner, keyring, count)
            owner.dispose()
            with served(folder, url, _bytes_of(folder, url, gets)) as site:
                return _compared(site, gets, count, seconds)


def _compared(
    site: Site, gets: list[tuple[str, str]], count: int, seconds: int
) -> tuple[float, float]:
    bare = [(BARE, "")]
    for warm in (gets, bare):
        rate(PORT, warm, 2)
    rounds = [(_round(site, bare, seconds), _round(site, gets, seconds)) for _ in range(ROUNDS)]
    ratio = statistics.median(own.rate.a_second / base.rate.a_second for base, own in rounds)
    own = sorted((one for _, one in rounds), key=lambda one: one.rate.a_second)[ROUNDS // 2]
    base = sorted((one for one, _ in rounds), key=lambda one: one.rate.a_second)[ROUNDS // 2]
    cpu = statistics.median(one.cpu for _, one in rounds)
    bare_cpu = statistics.median(one.cpu for one, _ in rounds)
    print(
        f"{count:,} applications: {own.rate.a_second:,.0f}/s (p99 {own.rate.p99_ms:.0f} ms),"
        f" bare {base.rate.a_second:,.0f}/s, ratio {ratio:.0%} (at least {LEAST:.0%});"
        f" CPU {cpu * 1_000:.2f} ms a request, bare {bare_cpu * 1_000:.2f} ms"
    )
    return ratio, cpu


def _round(site: Site, gets: list[tuple[str, str]], seconds: int) -> Round:
    before = site.cpu()
    found = rate(PORT, gets, seconds)
    return Round(found, (site.cpu() - before) / found.answers)


def _bytes_of(folder: Path, url: str, gets: list[tuple[str, str]]) -> int:
    """How large one answer is, whole and right."""
    path, token = gets[0]
    with served(folder, url, 100):
        asked = urllib.request.Request(
            f"http://127.0.0.1:{PORT}{path}", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            body: bytes = answer.read()
    if b'"message":' not in body or "收入证明".encode() not in body:
        raise SystemExit(body.decode())
    return len(body)


@contextmanager
def served(folder: Path, url: str, size: int) -> Iterator[Site]:
    """The site on the database; the bare route answers so many bytes."""
    metrics = Path(tempfile.mkdtemp(dir=folder))
    environment = os.environ | {
        "DATABASE_URL": url, "PROMETHEUS_MULTIPROC_DIR": str(metrics), "SHUKUN_LOG_LEVEL": "INFO",
        "SHUKUN_KEYS": str(folder / "keys.json"), "SHUKUN_DATA": str(folder / "data"),
        "SHUKUN_ACCOUNT_REQUESTS": "1000000", BYTES: str(size),
    }  # fmt: skip
    command = [
        *(sys.executable, "-m", "gunicorn", "--config", "python:miniprogram_api.gunicorn_conf"),
        *("--bind", f"127.0.0.1:{PORT}", "tests.benchmarks.progress_site:site()"),
    ]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=PROJECT, stderr=output, start_new_session=True
        )
    try:
        _wait(process, log)
        yield Site(process, folder / "data" / "postgres")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(log.read_text()[-3000:])
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=1)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the site did not start")
