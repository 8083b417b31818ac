"""What only a real connection shows: bodies nobody reads, stalled senders, requests that are none."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator

import pytest

from backend.kernel.settings import Settings
from miniprogram_api.edge import give_up_stalled
from miniprogram_api.serving import gunicorn, listen

Address = tuple[str, int]
URL = "/api/v1/estimates"
HEAD = f"POST {URL} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """One worker with one thread, which gives up stalled senders after a second."""
    settings = Settings(data=tmp_path_factory.mktemp("edge"), workers=1, threads=1)
    listener = listen("127.0.0.1", 0)
    give_up_stalled(listener, seconds=1)
    address = listener.getsockname()
    with gunicorn(settings, "postgresql://nobody@127.0.0.1:9/none", listener):
        yield address


def send(site: Address, data: bytes) -> tuple[int, dict[str, object]]:
    """The status and the problem answered to what was sent."""
    with socket.create_connection(site, timeout=20) as connection:
        connection.sendall(data)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.getheader("Content-Type") == "application/problem+json"
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        body = json.loads(answer.read())
    for words in (body["title"], body["detail"]):
        assert re.search(r"[\u4e00-\u9fff]", words), words
    assert body["status"] == answer.status
    return answer.status, body


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        (URL, "application/json", 413),
        (f"{URL}/batch", "application/json", 413),
        (URL, "text/plain", 415),
        ("/api/v1/nothing", "application/json", 404),
        ("/healthz", "application/json", 405),
    ],
)
def test_the_sender_of_10_mb_reads_why_it_was_refused(
    site: Address, path: str, kind: str, status: int
) -> None:
    size = 10_000_000
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n"
    assert send(site, head.encode() + b"\r\n" + b" " * size)[0] == status


def test_the_sender_of_10_mb_in_chunks_reads_it_too(site: Address) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    assert send(site, CHUNKED + chunk * 160 + b"0\r\n\r\n")[0] == 413


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (CHUNKED + b"zz\r\nabc", 400),
        (CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n", 400),
        (CHUNKED + b"3;;\r\nabc\r\n0\r\n\r\n", 400),
        (HEAD + b"Content-Length: -5\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
    ],
    ids=lambda value: repr(value[-60:]) if isinstance(value, bytes) else str(value),
)
def test_what_is_no_request_is_refused_in_chinese(site: Address, data: bytes, status: int) -> None:
    assert send(site, data)[0] == status


def test_a_sender_that_stalls_is_told_and_the_others_are_served(site: Address) -> None:
    stalled = [socket.create_connection(site, timeout=20) for _ in range(3)]
    for connection in stalled[1:]:
        connection.sendall(b"GET /heal")
    stalled[0].sendall(HEAD + b'Content-Length: 500\r\n\r\n{"a":')
    connection = http.client.HTTPConnection(*site, timeout=20)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    answer = http.client.HTTPResponse(stalled[0])
    answer.begin()
    assert answer.status == 408
    for one in (connection, answer, *stalled):
        one.close()


def test_a_connection_may_be_idle_for_longer(site: Address) -> None:
    connection = http.client.HTTPConnection(*site, timeout=20)
    ports = set()
    for _ in range(2):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b'{"status":"ok"}'
        ports.add(connection.sock.getsockname())
        time.sleep(1.5)
    assert len(ports) == 1
    connection.close()
