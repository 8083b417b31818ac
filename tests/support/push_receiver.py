"""An app's server as message push sees it: it takes requests, and answers as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, urlsplit

Query = dict[str, str]


@dataclass(frozen=True)
class Received:
    """A push as it came."""

    query: Query
    body: bytes
    content_type: str


@dataclass(frozen=True)
class Said:
    """How a push is answered, after a while."""

    body: bytes = b"success"
    status: int = 200
    after: float = 0.0


@dataclass
class Receiver:
    """`said`: the answers to the pushes that come, in turn; the last one for all that follow."""

    url: str
    said: list[Said] = field(default_factory=lambda: [Said()])
    received: list[Received] = field(default_factory=list)
    echo: Callable[[Query], str] = lambda query: query["echostr"]


@contextmanager
def push_receiver() -> Iterator[Receiver]:
    """A server on loopback for the length of the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/wechat/push")
        server.receiver = receiver  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    lock: Final = threading.Lock()

    def do_GET(self) -> None:
        self._answer(Said(self.receiver.echo(self._query()).encode()))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            kind = self.headers["Content-Type"]
            self.receiver.received.append(Received(self._query(), body, kind))
            said = self.receiver.said
            mine = said.pop(0) if len(said) > 1 else said[0]
        time.sleep(mine.after)
        self._answer(mine)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    @property
    def receiver(self) -> Receiver:
        return self.server.receiver  # type: ignore[attr-defined, no-any-return]

    def _query(self) -> Query:
        return dict(parse_qsl(urlsplit(self.path).query))

    def _answer(self, said: Said) -> None:
        with suppress(ConnectionError):
            self.send_response(said.status)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)
