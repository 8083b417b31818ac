"""A store of access tokens without a database, for one process."""

from __future__ import annotations

import threading
import time

from backend.wechat.token import LEASE_SECONDS, Kept, Lease, Token


class MemoryTokens:
    """As `TokenTable`, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version, self._token = 0, None
        self._leased: float = 0
        self._version: int
        self._token: Token | None

    def read(self) -> Kept:
        return Kept(self._version, self._token)

    def take_lease(self, version: int) -> Lease | None:
        with self._lock:
            now = time.monotonic()
            if version != self._version or self._leased > now:
                return None
            self._leased = now + LEASE_SECONDS
            return Lease(version, str(self._leased))

    def store(self, lease: Lease, token: Token) -> None:
        with self._lock:
            self._version, self._token = self._version + 1, token
            self._end(lease)

    def give_back(self, lease: Lease) -> None:
        with self._lock:
            self._end(lease)

    def _end(self, lease: Lease) -> None:
        if str(self._leased) == lease.until:
            self._leased = 0
