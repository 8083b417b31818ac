"""密钥 (crypto): a key for each person, wrapped by a master key; keyed blind indexes for look-up.

Losing a person's wrapped key forgets the person. A running process notices a changed key file
before it seals or indexes anything, so keys are changed without a stop.
"""

from __future__ import annotations

import hmac
import os
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

from backend.kernel import key_file
from backend.kernel.key_file import SUITES, Generation, KeyFile, KeysUnusable
from backend.kernel.sealing import ALGORITHMS, HEADER, Cipher, Key, Place, SealedBroken

__all__ = ["Cipher", "KeyUnknown", "Keyring", "KeysUnusable", "Place", "SealedBroken"]

_INDEX_BYTES: Final = 16
_NUMBER: Final = 2
"""Bytes of a key's number."""
_KINDS: Final = (
    "id_number", "phone", "household", "account", "progress_code", "objection_code",
)  # fmt: skip
_EXACT: Final = ("openid", "rate")
"""Kinds whose values have one spelling."""
_CHECKED: Final = "shukun"


class KeyUnknown(KeysUnusable, SealedBroken):
    """A value was sealed by a master key that the key file does not hold."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A generation's keys, ready for use."""

    number: int
    suite: str
    master: Key
    secret: bytes

    @classmethod
    def of(cls, one: Generation) -> _Pair:
        return cls(one.id, one.suite, Key(SUITES[one.suite][0], one.id, one.master), one.index)

    def index(self, kind: str, text: str) -> bytes:
        """The key's number, and 16 bytes of the keyed hash."""
        said = f"{kind}\0{text}".encode()
        return self.number.to_bytes(_NUMBER, "big") + self._digest(said)[:_INDEX_BYTES]

    def mac(self, purpose: str, said: bytes) -> bytes:
        """32 bytes, under a key derived from the index key."""
        return self._digest(said, self._digest(f"derived\0{purpose}".encode()))

    def _digest(self, said: bytes, secret: bytes | None = None) -> bytes:
        secret = self.secret if secret is None else secret
        if SUITES[self.suite][1] == "sha256":
            return hmac.digest(secret, said, "sha256")
        keyed = HMAC(secret, SM3())  # not in every build of Python's own
        keyed.update(said)
        return keyed.finalize()


class Keyring:
    """The keys of one installation. Safe for threads, and across a fork."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._stamp: tuple[int, int] | None = None
        self._pairs: dict[int, _Pair] = {}
        self._active = 0
        self.refresh()

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """The keys of a file; raises `KeysUnusable`."""
        return cls(path)

    @classmethod
    def open_or_create(cls, path: Path, suite: str = "aes") -> Keyring:
        """The keys of a file, made where there is none. Raises `KeysUnusable`."""
        if not path.exists():
            try:
                key_file.create(path, key_file.new_file(suite))
            except OSError as error:
                raise KeysUnusable(
                    f"建立不了密钥文件 {path}（{error.strerror}）：请检查文件夹的权限。"
                ) from error
        return cls(path)

    @property
    def active(self) -> int:
        """The number of the keys that seal and index now."""
        return self._current().number

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every key in use, oldest first."""
        self.refresh()
        return tuple(sorted(self._pairs))

    def new_person_key(self, person_id: int) -> bytes:
        """A new key for a person, wrapped, for `person.data_key`."""
        active = self._current()
        algorithm = SUITES[active.suite][0]
        inside = algorithm + secrets.token_bytes(2 + ALGORITHMS[algorithm].secret_bytes)
        return active.master.seal(_wrapping(person_id), inside)

    def person(self, person_id: int, wrapped: bytes) -> Cipher:
        """What seals and opens a person's values; a few microseconds, so it is kept nowhere.

        Raises `SealedBroken` for another person's key and one that was forgotten, `KeysUnusable`.
        """
        inside = self._unwrapped(person_id, wrapped)
        algorithm, number, secret = inside[:1], inside[1:HEADER], inside[HEADER:]
        return Cipher(Key(algorithm, int.from_bytes(number, "big"), secret))

    def rewrapped(self, person_id: int, wrapped: bytes) -> bytes:
        """The same key of a person, wrapped by the active master key."""
        inside = self._unwrapped(person_id, wrapped)
        return self._current().master.seal(_wrapping(person_id), inside)

    def shared(self) -> Cipher:
        """What seals and opens values that belong to no person."""
        return Cipher(self._current().master, self._master_of)

    def index(self, kind: str, text: str) -> bytes:
        """The blind index of a value, by the active key; nothing for nothing."""
        text = _normal(kind, text)
        return self._current().index(kind, text) if text else b""

    def indexes(self, kind: str, text: str) -> tuple[bytes, ...]:
        """The value's index under every key in use, active first; none for nothing."""
        text, active = _normal(kind, text), self._current()
        if not text:
            return ()
        others = [pair for pair in self._pairs.values() if pair is not active]
        return tuple(pair.index(kind, text) for pair in (active, *others))

    def check(self, number: int) -> bytes:
        """What the database keeps, to know a key again: a sealed value and an index of it."""
        pair = self._pairs[number]
        return pair.master.seal(_checking(number), pair.index("check", _CHECKED))

    def checks(self, number: int, kept: bytes) -> bool:
        """Whether the key is the one that the database knows by that number."""
        pair = self._pairs.get(number)
        if pair is None:
            return False
        try:
            return pair.master.open(_checking(number), kept) == pair.index("check", _CHECKED)
        except SealedBroken:
            return False

    def sign(self, purpose: str, said: bytes) -> bytes:
        """The active key's number and a keyed hash, under a key for this purpose alone."""
        active = self._current()
        return active.number.to_bytes(_NUMBER, "big") + active.mac(purpose, said)

    def signed(self, purpose: str, said: bytes, mac: bytes) -> bool:
        """Whether `sign` made it, under any key in use; raises `KeyUnknown`."""
        pair = self._pair(int.from_bytes(mac[:_NUMBER], "big"))
        return hmac.compare_digest(pair.mac(purpose, said), mac[_NUMBER:])

    def refresh(self) -> None:
        """Take in the file where it changed; one that is gone meanwhile changes nothing."""
        try:
            found = os.stat(self.path)  # noqa: PTH116  (twice as quick, and it runs for every value)
            stamp = (found.st_mtime_ns, found.st_ino)
        except OSError:
            if self._stamp is not None:
                return
            stamp = (0, 0)
        if stamp != self._stamp:
            self._take(key_file.read(self.path))
            self._stamp = stamp

    def _take(self, content: KeyFile) -> None:
        pairs = {one.id: _Pair.of(one) for one in content.keys}
        # A thread between the two sees keys of both files.
        self._pairs = self._pairs | pairs
        self._active = content.active
        self._pairs = pairs

    def _current(self) -> _Pair:
        self.refresh()
        return self._pairs[self._active]

    def _master_of(self, blob: bytes) -> Key:
        return self._pair(int.from_bytes(blob[1:HEADER], "big")).master

    def _pair(self, number: int) -> _Pair:
        if number not in self._pairs:
            self.refresh()
        pair = self._pairs.get(number)
        if pair is None:
            raise KeyUnknown(
                f"密钥文件 {self.path} 里没有第 {number} 号密钥：请从备份恢复含有它的密钥文件。"
            )
        return pair

    def _unwrapped(self, person_id: int, wrapped: bytes) -> bytes:
        if not wrapped:
            raise SealedBroken(f"the key of person {person_id} was forgotten")
        return self._master_of(wrapped).open(_wrapping(person_id), wrapped)


def key_number(blob: bytes) -> int:
    """The number of the key that sealed a value or wrapped a key."""
    return int.from_bytes(blob[1:HEADER], "big")


def _wrapping(person_id: int) -> Place:
    return Place("person", "data_key", person_id)


def _checking(number: int) -> Place:
    return Place("key_check", "sealed", number)


def _normal(kind: str, text: str) -> str:
    """One spelling of a value: full-width forms narrow, no spaces; digits only of a phone."""
    if kind in _EXACT:
        return text
    if kind not in _KINDS:
        raise ValueError(f"unknown kind of index: {kind}")
    text = text if text.isascii() else unicodedata.normalize("NFKC", text)
    text = "".join(text.split()).upper()
    if kind == "phone":
        text = text.replace("-", "").removeprefix("+86").removeprefix("0086")
    return text
