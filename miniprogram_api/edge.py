"""网络边缘 (edge): what gunicorn leaves to us: unread bodies, stalled senders, its own answers."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from typing import Final

import msgspec
from flask import Response, request
from gunicorn import util
from gunicorn.http.errors import ParseException

from miniprogram_api import problems, security

STALL_SECONDS: Final = 15
"""How long a sender may send nothing in the middle of a request before it is given up."""
DRAIN_SECONDS: Final = 10
DRAIN_BYTES: Final = 32 * 1024 * 1024
_BLOCK: Final = 64 * 1024


def give_up_stalled(listener: socket.socket, seconds: int = STALL_SECONDS) -> None:
    """For every connection that is accepted: gunicorn itself would wait for ever, and a few stalled
    senders would hold every thread. Sending and idle connections are not touched.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", seconds, 0))


def drain(answer: Response) -> Response:
    """Read, within limits, what a refused request is still sending: were the connection closed
    before, the sender would see it broken and never read the answer.
    """
    if answer.status_code >= 400 and _has_body():
        with suppress(OSError, ParseException):
            _discard()
    return answer


def write_problem(sock: socket.socket, status: int, reason: str, _message: str) -> None:
    """In place of `gunicorn.util.write_error`, for requests that never reach the application."""
    occurrence = problems.Occurrence(problems.for_status(status))
    body = msgspec.json.encode(problems.body_of(occurrence))
    headers = (
        *security.MACHINE,
        ("Connection", "close"),
        ("Content-Type", problems.MEDIA_TYPE),
        ("Content-Length", str(len(body))),
    )
    head = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    util.write_nonblock(sock, "\r\n".join([*head, "", ""]).encode("latin-1") + body)


def _has_body() -> bool:
    sent = request.environ
    return sent.get("CONTENT_LENGTH", "") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in sent


def _discard() -> None:
    stream, left = request.environ["wsgi.input"], DRAIN_BYTES
    deadline = time.monotonic() + DRAIN_SECONDS
    while left > 0 and time.monotonic() < deadline:
        block = stream.read(_BLOCK)
        if not block:
            return
        left -= len(block)
