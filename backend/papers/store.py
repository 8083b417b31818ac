"""存放处 (store): where sealed papers lie, by names that tell nothing of them."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

_NAME: Final = re.compile(r"[0-9a-f]{68}", re.ASCII).fullmatch
_FORKS: Final = 2
"""Digits of a name that name its folder, from the end: the beginning is the key's number."""
_bound: Final[list[PaperStore]] = []


class PaperLost(Exception):
    """What was kept is not there: a fault of the store, not of whoever asks."""


class StoreNotBound(RuntimeError):
    """`bind` was not called at start."""


class PaperStore(Protocol):
    """Keeps bytes by name. What `put` has returned from is there after a crash of the machine."""

    def put(self, name: str, blob: bytes) -> None:
        """Keep them; those that had the name before give way at once."""

    def get(self, name: str) -> bytes:
        """Raises `PaperLost`."""

    def remove(self, name: str) -> None:
        """Nothing of that name is left; it may not have been there."""

    def names(self, before: datetime) -> Iterator[str]:
        """What was put before that moment."""


class FolderStore:
    """A folder of this machine, or one that several share. For its owner's eyes alone."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder

    def put(self, name: str, blob: bytes) -> None:
        """Written whole under another name first: nobody reads half of it."""
        path = self._path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(blob)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        for folder in (path.parent, self.folder):
            _make_sure(folder)

    def get(self, name: str) -> bytes:
        """The bytes of that name."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise PaperLost(f"{name[-8:]} is not in the store") from error

    def remove(self, name: str) -> None:
        """Gone from the folder."""
        self._path(name).unlink(missing_ok=True)

    def names(self, before: datetime) -> Iterator[str]:
        """Drafts of processes that were killed are among them."""
        if not self.folder.exists():
            return
        for path in self.folder.glob("*/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before.timestamp():
                    if _NAME(path.name):
                        yield path.name
                    elif path.name.startswith("."):
                        path.unlink()

    def _path(self, name: str) -> Path:
        if _NAME(name) is None:
            raise ValueError("no name of a paper")
        return self.folder / name[-_FORKS:] / name


def bind(chosen: PaperStore) -> None:
    """Name the store that this process uses; a later call replaces it."""
    _bound[:] = [chosen]


@contextmanager
def bound(chosen: PaperStore) -> Iterator[None]:
    """`bind` for the length of the block, for tests."""
    before = _bound[:]
    bind(chosen)
    try:
        yield
    finally:
        _bound[:] = before


def store() -> PaperStore:
    """The store in use. Raises `StoreNotBound`."""
    if not _bound:
        raise StoreNotBound("call backend.papers.store.bind(FolderStore(folder)) at start")
    return _bound[0]


def _make_sure(folder: Path) -> None:
    """The name is there after a crash, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
