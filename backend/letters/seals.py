"""印章的取用 (seals): the provider of this process, named once at start, made at first use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from backend.kernel import clock
from backend.letters.seal_keys import SealFiles, demand_seal, open_or_create
from backend.letters.signing_provider import SigningProvider

_bound: Final[list[SealFiles | SigningProvider]] = []


class SealsNotBound(RuntimeError):
    """`bind` was not called at start."""


def bind(seals: SealFiles | SigningProvider) -> None:
    """Name what this process seals with; a later call replaces it."""
    _bound[:] = [seals]


@contextmanager
def bound(seals: SealFiles | SigningProvider) -> Iterator[None]:
    """`bind` for the length of the block, for tests."""
    before = _bound[:]
    bind(seals)
    try:
        yield
    finally:
        _bound[:] = before


def ready() -> None:
    """Raises `SealMissing` where no letter could be sealed: nobody shall sign in vain."""
    found = _named()
    if isinstance(found, SealFiles):
        demand_seal(found)


def provider() -> SigningProvider:
    """Who seals. Raises `SealMissing`."""
    found = _named()
    if isinstance(found, SealFiles):
        # Half a second of imports and 40 MB, which a process that seals nothing does without.
        from backend.letters.sealing import OwnSeal

        found = OwnSeal(open_or_create(found, clock.now()), clock.now)
        bind(found)
    return found


def _named() -> SealFiles | SigningProvider:
    if not _bound:
        raise SealsNotBound("call backend.letters.seals.bind(files) at start")
    return _bound[0]
