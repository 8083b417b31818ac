"""锚点 (anchors): how far the chain had come and with which hash, in a file outside the database.

One JSON line an anchor: `{"file": "…", "number": 7, "position": 1200, "hash": "…", "at": "…",
"mac": "…"}`, hash and mac in hexadecimal; the mac is keyed from the key file, so who only has the
database can neither write one nor take one back. Lines are added and on disk before anything else
happens; none is ever changed. A file has a name of its own in each line, and the lines their
numbers, 1, 2, 3 …: what is missing shows (`audit_written` keeps how far the numbers had come).
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from backend.kernel.audit_chain import Tail
from backend.kernel.crypto import Keyring, KeyUnknown

Standing: TypeAlias = Literal["genuine", "forged", "unknown_key", "torn"]
_PURPOSE: Final = "audit anchor"
_LONGEST: Final = 4096
_NAME: Final = 8


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line. `mac`: the key's number and the keyed hash of the rest."""

    file: str
    number: int
    position: int
    hash: str
    at: str
    mac: str

    @property
    def said(self) -> bytes:
        """What the mac is of."""
        return f"{self.file} {self.number} {self.position} {self.hash} {self.at}".encode()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file as it was found. `anchor` None: it is none (`torn`)."""

    number: int
    standing: Standing
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of a chain: their file, and the keys that make them genuine."""

    path: Path
    keyring: Keyring

    def add(self, tail: Tail, moment: datetime, written: int = 0) -> Anchor | None:
        """Anchor the end of the chain; on disk when this returns. None: the last one says it.

        `written`: how far the numbers of this file had come; none is given twice. Raises `OSError`.
        """
        if self.says(tail):
            return None
        end = self.end()
        file = secrets.token_hex(_NAME) if end is None else end.file
        number = max(written, 0 if end is None else end.number) + 1
        made = self._made(file, number, tail, moment)
        self._append(made)
        return made

    def says(self, tail: Tail) -> bool:
        """Whether the last line says where the chain ends, or there is no chain yet.

        One of an older key is to be said again, so that the old key may be dropped.
        """
        last = self.last()
        if last is None or tail.position == 0:
            return tail.position == 0
        return last.hash == tail.hash.hex() and self._of_active_key(last)

    def last(self) -> Anchor | None:
        """The last line, if it is an anchor; None where there is none."""
        lines = self._last_lines()
        return _parsed(lines[-1]) if lines else None

    def end(self) -> Anchor | None:
        """The last line that we wrote, whatever stands after it; None where there is none."""
        for text in reversed(self._last_lines()):
            found = _parsed(text)
            if found is not None and self._standing(found) in {"genuine", "unknown_key"}:
                return found
        return None

    def lines(self, size: int) -> Iterator[Line]:
        """What stands in the first `size` bytes; raises `OSError`."""
        with self.path.open("rb") as file:
            for number, text in enumerate(file, start=1):
                size -= len(text)
                if size < 0:
                    return
                if text.strip():
                    anchor = _parsed(text)
                    yield Line(number, self._standing(anchor), anchor)

    def size(self) -> int | None:
        """The bytes of the file now; None where there is none."""
        return self.path.stat().st_size if self.path.exists() else None

    def _last_lines(self) -> list[bytes]:
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST))
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def _made(self, file: str, number: int, tail: Tail, moment: datetime) -> Anchor:
        at = moment.isoformat(timespec="seconds")
        bare = Anchor(file, number, tail.position, tail.hash.hex(), at, "")
        mac = self.keyring.sign(_PURPOSE, bare.said)
        return msgspec.structs.replace(bare, mac=mac.hex())

    def _append(self, anchor: Anchor) -> None:
        new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            torn = b"" if _ends_with_line(descriptor) else b"\n"
            line = torn + msgspec.json.encode(anchor) + b"\n"
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            _sync(self.path.parent)

    def _of_active_key(self, anchor: Anchor) -> bool:
        return anchor.mac.startswith(self.keyring.active.to_bytes(2, "big").hex())

    def _standing(self, anchor: Anchor | None) -> Standing:
        if anchor is None:
            return "torn"
        try:
            mac = bytes.fromhex(anchor.mac)
            return "genuine" if self.keyring.signed(_PURPOSE, anchor.said, mac) else "forged"
        except KeyUnknown:
            return "unknown_key"
        except ValueError:
            return "forged"


def _parsed(text: bytes) -> Anchor | None:
    try:
        return msgspec.json.decode(text, type=Anchor)
    except msgspec.MsgspecError:
        return None


def _ends_with_line(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
