"""密钥的取用 (keys): the keyring of this process, named once at start and read at first use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from backend.kernel.crypto import Keyring

_bound: Final[list[Path | Keyring]] = []


class KeysNotBound(RuntimeError):
    """`bind` was not called at start."""


def bind(keys: Path | Keyring) -> None:
    """Name the keys that this process uses; a later call replaces them."""
    _bound[:] = [keys]


@contextmanager
def bound(keys: Path | Keyring) -> Iterator[None]:
    """`bind` for the length of the block, for tests."""
    before = _bound[:]
    bind(keys)
    try:
        yield
    finally:
        _bound[:] = before


def keyring() -> Keyring:
    """The keys in use. Raises `KeysNotBound`, `KeysUnusable`."""
    if not _bound:
        raise KeysNotBound("call backend.kernel.keys.bind(path) at start")
    found = _bound[0]
    if isinstance(found, Keyring):
        return found
    ring = Keyring.load(found)
    _bound[:] = [ring]
    return ring
