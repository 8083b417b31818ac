"""GETs over kept connections, in a process of their own: `python -m tests.benchmarks.load`.

Reads one JSON object from its input: `port`, `seconds`, `connections`, `gets` (pairs of path and
token, asked in turn); prints answers a second and the milliseconds of the 99th of 100. An answer
other than 200 ends it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

from backend.kernel.settings import PROJECT


@dataclass(frozen=True)
class Rate:
    """Answers a second, and how long the 99th of 100 took, in milliseconds."""

    a_second: float
    answers: int
    p99_ms: float


def rate(port: int, gets: list[tuple[str, str]], seconds: float, connections: int = 8) -> Rate:
    """Ask for so long, from another process."""
    asked = {"port": port, "gets": gets, "seconds": seconds, "connections": connections}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load"], input=json.dumps(asked), text=True,
        capture_output=True, cwd=PROJECT, check=False,
    )  # fmt: skip
    if ran.returncode:
        raise SystemExit(ran.stderr[-2000:])
    return Rate(**json.loads(ran.stdout))


@dataclass
class Connection:
    """One connection that asks again as soon as it was answered."""

    port: int
    requests: Iterator[bytes]
    until: float
    took: list[float] = field(default_factory=list)
    failed: str = ""

    def run(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as own:
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (begun := time.perf_counter()) < self.until:
                own.sendall(next(self.requests))
                answer = _answer(own)
                if not answer.startswith(b"HTTP/1.1 200"):
                    self.failed = answer.decode(errors="replace")
                    return
                self.took.append(time.perf_counter() - begun)


def _answer(own: socket.socket) -> bytes:
    """One whole answer."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(own)
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _more(own)
    return head + body


def _more(own: socket.socket) -> bytes:
    got = own.recv(65536)
    if not got:
        raise SystemExit("the site closed a connection")
    return got


def _requests(gets: list[tuple[str, str]]) -> list[bytes]:
    return [
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        for path, token in gets
    ]


def main(asked: dict[str, Any]) -> None:
    """Prints the rate as JSON."""
    requests, count = _requests(asked["gets"]), asked["connections"]
    begun = time.perf_counter()
    until = begun + asked["seconds"]
    connections = [
        Connection(
            asked["port"], cycle(list(islice(requests, one, None, count)) or requests), until
        )
        for one in range(count)
    ]
    threads = [threading.Thread(target=one.run) for one in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed := [one.failed for one in connections if one.failed]:
        raise SystemExit(failed[0])
    took = sorted(second for one in connections for second in one.took)
    wall = time.perf_counter() - begun
    p99 = took[int(len(took) * 0.99)] * 1_000
    print(json.dumps({"a_second": len(took) / wall, "answers": len(took), "p99_ms": p99}))


if __name__ == "__main__":
    main(json.load(sys.stdin))
