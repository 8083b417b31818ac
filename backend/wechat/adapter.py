"""出口 (adapter): the one way out to WeChat: one server, within a time, nothing else.

wechatpy writes the official server's name into its addresses; here they are turned to the server
that is configured. Any other name is refused before anything is sent.
"""

from __future__ import annotations

import io
import socket
from http.client import HTTPResponse
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from backend.kernel.settings_wechat import OFFICIAL

CONNECTIONS: Final = 32
LARGEST_ANSWER: Final = 8 * 1024 * 1024


class ForeignAddress(RuntimeError):
    """The program wanted to speak with another server than WeChat."""

    def __init__(self) -> None:
        super().__init__("only the configured WeChat server is spoken to")


class PinnedAdapter(HTTPAdapter):
    """Sends to `base` (scheme, host, port) alone. A time limit is a must."""

    def __init__(self, base: str) -> None:
        self._base = urlsplit(base)
        self._known = {self._base.netloc, urlsplit(OFFICIAL).netloc}
        super().__init__(pool_connections=1, pool_maxsize=CONNECTIONS)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """requests' hook: connections that keep to the time limit for the whole answer."""
        super().init_poolmanager(*args, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Like the parent's. Raises `ForeignAddress`."""
        asked = urlsplit(request.url or "")
        if asked.netloc not in self._known or options.get("timeout") is None:
            raise ForeignAddress
        request.url = urlunsplit((*self._base[:2], asked.path, asked.query, ""))
        return super().send(request, *args, **options)


class _InTime(io.RawIOBase):
    """What a socket receives, until its time limit has passed in all, however it drips."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._left = connection, LARGEST_ANSWER
        self._end = monotonic() + (connection.gettimeout() or 0)
        self._stream = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        seconds = self._end - monotonic()
        if seconds <= 0 or self._left <= 0:
            raise TimeoutError("the answer takes too long")
        self._connection.settimeout(seconds)
        count = self._stream.readinto(buffer)
        self._left -= count or 0
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_InTime(sock))


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
