"""接口调用凭证 (access token): fetched once for all threads and processes, whoever needs it first.

A process keeps the token it knows. Where it has none, or WeChat refused the one it has, it looks
into the store; where nobody has a newer one, one process takes a lease, fetches, and stores. The
others wait a little. A process that dies over it is succeeded when its lease has run out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from backend.wechat.errors import (
    WeChatBusy,
    WeChatError,
    WeChatRefused,
    WeChatUnavailable,
)

LEASE_SECONDS: Final = 15
"""How long one process may fetch; longer than the fetch's own time limits."""
PATIENCE_SECONDS: Final = 5.0
MARGIN_SECONDS: Final = 60.0
"""A token that ends sooner is not used any more."""
INSISTENCE_SECONDS: Final = 30.0
"""How long a token is not fetched again that WeChat both refused and gave out again."""
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `ends`: by `time.monotonic` of this process."""

    value: str = field(repr=False)
    ends: float

    @property
    def usable(self) -> bool:
        """Whether it counts long enough for a call."""
        return self.ends - MARGIN_SECONDS > time.monotonic()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store has. `version`: rises with every token stored."""

    version: int
    token: Token | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to fetch the token after that version."""

    version: int
    until: str


class TokenStore(Protocol):
    """What all processes share. Its methods open transactions of their own."""

    def read(self) -> Kept:
        """What is there."""

    def take_lease(self, version: int) -> Lease | None:
        """The right to fetch, unless another has it or has stored a token since that version."""

    def store(self, lease: Lease, token: Token) -> None:
        """Keep the token for all, and end the lease."""

    def give_back(self, lease: Lease) -> None:
        """End the lease: nothing was fetched."""


Fetch = Callable[[], Token]


class Keeper:
    """The token of one process. Safe for threads."""

    def __init__(self, store: TokenStore, fetch: Fetch) -> None:
        self._store, self._fetch = store, fetch
        self._lock = threading.Lock()
        self._known: Token | None = None
        self._insisted: Token | None = None

    def token(self) -> str:
        """A token that counts, as far as is known. Raises `WeChatBusy`, `WeChatUnavailable`."""
        known = self._known
        return known.value if known is not None and known.usable else self._obtain(None)

    def renew(self, refused: str) -> str:
        """The token after one that WeChat refused; the same where WeChat insists on it."""
        return self._obtain(refused)

    def _obtain(self, refused: str | None) -> str:
        until = time.monotonic() + PATIENCE_SECONDS
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            raise WeChatBusy(PATIENCE_SECONDS)
        try:
            while True:
                if (found := self._newer(refused) or self._fetched(refused)) is not None:
                    self._known = found
                    return found.value
                if time.monotonic() > until:
                    raise WeChatBusy(PATIENCE_SECONDS)
                time.sleep(_LOOK_SECONDS)
        finally:
            self._lock.release()

    def _newer(self, refused: str | None) -> Token | None:
        """Another one than the refused, that this process knows."""
        known, insisted = self._known, self._insisted
        if insisted is not None and insisted.value == refused and insisted.usable:
            return insisted
        usable = known is not None and known.usable and known.value != refused
        return known if usable else None

    def _fetched(self, refused: str | None) -> Token | None:
        """What another process stored, or what is fetched now; None: another one is at it."""
        kept = self._store.read()
        if kept.token is not None and kept.token.usable and kept.token.value != refused:
            return kept.token
        lease = self._store.take_lease(kept.version)
        if lease is None:
            return None
        stored = False
        try:
            token = self._asked()
            self._store.store(lease, token)
            stored = True
        finally:
            if not stored:
                self._store.give_back(lease)
        if token.value == refused:
            ends = time.monotonic() + INSISTENCE_SECONDS + MARGIN_SECONDS
            self._insisted = Token(token.value, min(ends, token.ends))
        return token

    def _asked(self) -> Token:
        failure: WeChatError
        try:
            return self._fetch()
        except WeChatRefused as error:
            # Of the token, not of what it was wanted for.
            failure = WeChatUnavailable(error.errcode)
        raise failure
