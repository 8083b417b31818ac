"""封存 (sealing): authenticated encryption of one value, bound to the row that it stands in.

A sealed value is the algorithm (1 byte: `A` AES-256-GCM, `S` SM4-GCM), the number of the key (2),
the nonce (12), the ciphertext and its tag (16). Table, column and row are authenticated with it: a
value that was changed, or moved to another row, does not open.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER: Final = 3
"""Bytes before the nonce: the algorithm, then the key's number."""
_NONCE: Final = 12
_TAG: Final = 16


class SealedBroken(Exception):
    """A sealed value does not open: changed, moved to another row, or of another key.

    The message names the place, never a value.
    """


class Place(NamedTuple):
    """Where a sealed value stands. `row`: the row's `id`; where a table has none, `person_id`.

    A history row keeps the place of the row it was: the current table's name, the same id.
    """

    table: str
    column: str
    row: int

    @property
    def bound(self) -> bytes:
        """What is authenticated beside the value."""
        return f"{self.table}.{self.column}:{self.row}".encode()


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


class _Sm4Gcm:
    """SM4 in GCM (RFC 8998), as `AESGCM` does AES; raises `InvalidTag`."""

    def __init__(self, secret: bytes) -> None:
        self._algorithm = algorithms.SM4(secret)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """The ciphertext and its tag."""
        encryptor = BlockCipher(self._algorithm, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """The plain bytes."""
        mode = modes.GCM(nonce, data[-_TAG:])
        decryptor = BlockCipher(self._algorithm, mode).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(data[:-_TAG]) + decryptor.finalize()


class Algorithm(NamedTuple):
    """One of the ways to seal, and the bytes that its keys have."""

    aead: Callable[[bytes], _Aead]
    secret_bytes: int


ALGORITHMS: Final = {b"A": Algorithm(AESGCM, 32), b"S": Algorithm(_Sm4Gcm, 16)}


class Key:
    """A key, ready for use. `number` tells the keys of one ring, or of one person, apart."""

    __slots__ = ("_aead", "header")

    def __init__(self, algorithm: bytes, number: int, secret: bytes) -> None:
        self.header: Final = algorithm + number.to_bytes(2, "big")
        self._aead = ALGORITHMS[algorithm].aead(secret)

    def seal(self, place: Place, data: bytes) -> bytes:
        """The sealed value; another one each time."""
        nonce = os.urandom(_NONCE)
        return self.header + nonce + self._aead.encrypt(nonce, data, place.bound)

    def open(self, place: Place, blob: bytes) -> bytes:
        """The plain bytes; raises `SealedBroken`."""
        if len(blob) < HEADER + _NONCE + _TAG or blob[:HEADER] != self.header:
            raise SealedBroken(f"{place.bound.decode()} was not sealed by this key")
        nonce = blob[HEADER : HEADER + _NONCE]
        try:
            return self._aead.decrypt(nonce, blob[HEADER + _NONCE :], place.bound)
        except InvalidTag as error:
            raise SealedBroken(f"{place.bound.decode()} was changed or moved") from error


class Cipher:
    """Seals and opens texts and bytes, with one key; `find` gives other keys that may have sealed
    them."""

    __slots__ = ("_find", "_key")

    def __init__(self, key: Key, find: Callable[[bytes], Key] | None = None) -> None:
        self._key = key
        self._find = find

    def seal(self, place: Place, text: str) -> bytes:
        """The sealed text; nothing for nothing, so that an absent value stays one."""
        return self.seal_bytes(place, text.encode())

    def open(self, place: Place, blob: bytes) -> str:
        """The text; raises `SealedBroken`."""
        return self.open_bytes(place, blob).decode()

    def seal_bytes(self, place: Place, data: bytes) -> bytes:
        """The sealed bytes; nothing for nothing."""
        return self._key.seal(place, data) if data else b""

    def open_bytes(self, place: Place, blob: bytes) -> bytes:
        """The bytes; raises `SealedBroken`."""
        if not blob:
            return b""
        key = self._key
        if self._find is not None and blob[:HEADER] != key.header:
            key = self._find(blob)
        return key.open(place, blob)
