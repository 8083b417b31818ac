"""日志与请求编号 (observability): a masked JSON line a request, and an id for it.

The domain logs with the standard library (constant message, data in `extra`); both ways end in the
same processors and the same stream.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
from threading import Lock
from time import perf_counter
from typing import Any, BinaryIO, Final

import msgspec
import structlog
from flask import Flask, Response, g, has_request_context, request
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor

from miniprogram_api import metrics, security
from miniprogram_api.masking import mask_item, mask_text

REQUEST_ID_HEADER: Final = "X-Request-ID"
UNKNOWN_ROUTE: Final = "(unknown)"
METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"})
_ACCEPTABLE_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII).fullmatch
STAMPS: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
GUNICORN_QUOTES: Final = ("Invalid request", "Error handling request")
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")


class Lines:
    """Where log lines go, whole, one after another; the newline is added here."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._lock = stream, Lock()

    def msg(self, line: bytes) -> None:
        """Write one line."""
        with self._lock:
            self._stream.write(line + b"\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = msg


class JsonHandler(logging.Handler):
    """Standard library records as JSON lines."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines
        formatter = ProcessorFormatter(
            processors=[
                ProcessorFormatter.remove_processors_meta,
                *STAMPS,
                structlog.processors.format_exc_info,
                mask_event,
                _add_request_id,
                _as_text,
            ],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, ExtraAdder()],
        )
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; a fault in it is reported by the standard library, not raised."""
        try:
            self._lines.msg(self.format(record).encode())
        except Exception:  # the logging protocol: a log line never breaks the work it tells of
            self.handleError(record)


def configure(level: str, stream: BinaryIO | None = None) -> structlog.typing.FilteringBoundLogger:
    """Send every log of the process to the stream (stderr) as JSON; returns the access logger."""
    lines = Lines(stream or sys.stderr.buffer)
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, JsonHandler)]:
        root.removeHandler(handler)
    root.addHandler(JsonHandler(lines))
    root.setLevel(level)
    # werkzeug's own request lines carry the raw path.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    for name in ("gunicorn.error", "gunicorn.access"):
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
        theirs.addFilter(_unquoted)
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        lines,
        # No masking: `observe` writes nothing that a caller chose, but for a checked request id.
        processors=[*STAMPS, _add_request_id, _as_bytes],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    return logger.bind(logger="access")


def observe(app: Flask, access_log: structlog.typing.FilteringBoundLogger) -> None:
    """Give every request an id, headers, a line in the log and its place in the metrics."""

    def begin() -> None:
        g.started = perf_counter()
        g.request_id = request_id_from(request.headers.get(REQUEST_ID_HEADER))

    def end(answer: Response) -> Response:
        security.protect(answer)
        answer.headers[REQUEST_ID_HEADER] = g.request_id
        seconds = perf_counter() - g.started
        rule = request.url_rule
        route = UNKNOWN_ROUTE if rule is None else rule.rule
        method = request.method if request.method in METHODS else "OTHER"
        metrics.observe(method, route, answer.status_code, seconds)
        access_log.info(
            "request",
            method=method,
            route=route,
            status=answer.status_code,
            duration_ms=round(seconds * 1000, 3),
        )
        return answer

    app.before_request(begin)
    app.after_request(end)


def request_id_from(sent: str | None) -> str:
    """The id that was sent, where it is one and shows nobody's number; else a new one."""
    if sent is not None and _ACCEPTABLE_ID(sent) and mask_text(sent) == sent:
        return sent
    # Letters only: digits could look like somebody's number and be masked.
    return secrets.token_hex(16).translate(_LETTERS)


def _unquoted(record: logging.LogRecord) -> bool:
    """gunicorn quotes request lines and headers that it cannot read, and addresses: whatever stands
    there, names too, which no mask knows.
    """
    for constant in GUNICORN_QUOTES:
        if record.getMessage().startswith(constant):
            record.msg, record.args = constant, ()
    return True


def _add_request_id(_logger: Any, _method: str, event: EventDict) -> EventDict:
    if has_request_context() and "request_id" in g:
        event["request_id"] = g.request_id
    return event


def mask_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Mask every value by its key and its look."""
    for key, value in event.items():
        event[key] = mask_item(key, value)
    return event


def _as_bytes(_logger: Any, _method: str, event: EventDict) -> bytes:
    return msgspec.json.encode(event)


def _as_text(logger: Any, method: str, event: EventDict) -> str:
    return _as_bytes(logger, method, event).decode()
