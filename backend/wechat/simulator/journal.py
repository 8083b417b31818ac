"""日志 (journal): every request to the API port, with its secrets masked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

_SECRET: Final = (
    "access_token", "secret", "appsecret", "js_code", "code", "signature", "session_key",
    "cert_name", "cert_no", "cert_hash",
)  # fmt: skip
_KEPT: Final = 100_000
MASK: Final = "***"


@dataclass
class Entry:
    """One request. `unexpected`: what a program that keeps to the documents would not have sent."""

    number: int
    at: float
    method: str
    path: str
    query: dict[str, str]
    body: Any
    openid: str | None = None
    template: str | None = None
    status: int | None = None
    errcode: int | None = None
    fault: str | None = None
    unexpected: list[str] = field(default_factory=list)


class Journal:
    """The last 100,000 requests, oldest first."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=_KEPT)
        self._number = 0

    def begin(self, at: float, method: str, path: str) -> Entry:
        """A new entry, to be filled in."""
        self._number += 1
        entry = Entry(self._number, at, method, path, {}, None)
        self.entries.append(entry)
        return entry

    def found(self, path: str | None = None, unexpected: bool = False) -> list[Entry]:
        """The entries of a path, or those with something unexpected."""
        return [
            entry
            for entry in self.entries
            if (path is None or entry.path == path) and (entry.unexpected or not unexpected)
        ]


def masked(value: Any) -> Any:
    """A value as it was sent, its secrets made unreadable."""
    if isinstance(value, dict):
        return {key: MASK if key in _SECRET else masked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [masked(one) for one in value]
    return value
