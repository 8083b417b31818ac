"""两个端口 (server): sockets of the API port and of the control port, on loopback alone."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import TCPServer
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from backend.wechat.simulator.api import Api, Reply, spoilt
from backend.wechat.simulator.control import Control
from backend.wechat.simulator.faults import Rule
from backend.wechat.simulator.push_engine import PushEngine
from backend.wechat.simulator.state import World
from backend.wechat.simulator.wire import Answer, Request

LARGEST_BODY: Final = 12_000_000
BACKLOG: Final = 1024
"""With the usual 5, twenty threads at once saw connections time out."""
Deed = Callable[[Request], Reply]
_RESET: Final = struct.pack("ii", 1, 0)


class NotLoopback(ValueError):
    """The simulator serves this machine alone."""


@dataclass(frozen=True)
class Ports:
    """Where the two servers listen."""

    api: int
    control: int


@contextmanager
def serving(
    world: World, api_port: int = 0, control_port: int = 0, host: str = "127.0.0.1"
) -> Iterator[Ports]:
    """Serve a world for the length of the block; port 0 takes a free one.

    Raises `NotLoopback`, and `OSError` when a port is taken.
    """
    stopping = threading.Event()
    api = Api(world, stopping)
    with PushEngine(world, stopping).running() as engine:
        control = Control(world, engine)
        with (
            _listening((host, api_port), api.answer, api) as first,
            _listening((host, control_port), control.answer, api) as second,
        ):
            try:
                yield Ports(first, second)
            finally:
                stopping.set()


class _Server(ThreadingHTTPServer):
    """Threads for all who come; none outlives the process."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = BACKLOG

    def __init__(self, address: tuple[str, int], deed: Deed, api: Api) -> None:
        if not ip_address(address[0]).is_loopback:
            raise NotLoopback(address[0])
        self.deed: Final = deed
        self.api: Final = api
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer would ask who is called 127.0.0.1

    def handle_error(self, request: object, client_address: object) -> None:
        """Who goes away in the middle is no fault of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def _listening(address: tuple[str, int], deed: Deed, api: Api) -> Iterator[int]:
    with _Server(address, deed, api) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        request = self._request()
        if request is None:
            return
        reply = self.server.deed(request)
        if reply.answer is None:
            self._nothing(reply.rule)
            return
        answer = spoilt(reply.answer, reply.rule, self.server.api.world.now())
        self._write(_head(answer, self.date_time_string()), answer.body, reply.rule)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """The journal says more."""

    def _request(self) -> Request | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            self.send_error(411)
            return None
        if int(length) > LARGEST_BODY:
            self.send_error(413)
            return None
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, url.path, query, headers, self.rfile.read(int(length)))

    def _write(self, head: bytes, body: bytes, rule: Rule | None) -> None:
        """Whole, or as the fault has it. Who has gone away does not matter."""
        with suppress(ConnectionError):
            if rule is None or rule.action not in ("drip", "truncate", "duplicate_effect"):
                self.wfile.write(head + body)
            elif rule.action == "drip":
                self._drip(head + body, rule.ms / 1000)
            elif rule.action == "truncate":
                self.wfile.write(head + body[: len(body) // 2])
                self.close_connection = True
            else:
                self._hang()

    def _nothing(self, rule: Rule | None) -> None:
        if rule is not None and rule.action == "reset":
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            os.close(self.connection.detach())
            return
        self._hang()

    def _hang(self) -> None:
        """Say nothing until the other side goes away."""
        self.close_connection = True
        self.connection.settimeout(0.2)
        while not self.server.api.stopping.is_set():
            with suppress(TimeoutError):
                if not self.connection.recv(65536):
                    return

    def _drip(self, content: bytes, pause: float) -> None:
        for one in content:
            self.wfile.write(bytes([one]))
            if self.server.api.stopping.wait(pause):
                return


def _head(answer: Answer, date: str) -> bytes:
    headers = {
        "Date": date,
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.body)),
        **answer.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} Simulated\r\n{lines}\r\n".encode("latin-1")
