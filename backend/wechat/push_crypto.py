"""推送加解密 (push crypto): the signatures and the encryption of message push in safe mode.

The plain bytes are 16 random ones, the length of the message (4), the message, and the AppID;
AES-256-CBC, padded to blocks of 32.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from backend.kernel.settings_wechat import PushSettings
from backend.wechat.errors import PushRefused

_RANDOM: Final = 16
_LENGTH: Final = 4
_BLOCK_BITS: Final = 32 * 8


def signature(*parts: str) -> str:
    """What WeChat signs with: SHA-1 of the parts (the token among them), sorted and joined."""
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "surrogatepass")).hexdigest()


def is_signed(sent: str, *parts: str) -> bool:
    """Whether that is the parts' signature; the time it takes tells nothing."""
    return hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), signature(*parts).encode())


class PushCipher:
    """Opens what WeChat encrypted for one mini-program, and encrypts for it."""

    def __init__(self, chosen: PushSettings, appid: str) -> None:
        self._appid = appid.encode()
        key = base64.b64decode(f"{chosen.aes_key}=")
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16]))

    def open(self, encrypted: str) -> bytes:
        """The message. Raises `PushRefused`, also for another mini-program's."""
        plain = self._decrypted(encrypted)
        if plain is None or len(plain) < _RANDOM + _LENGTH:
            raise PushRefused
        length = int.from_bytes(plain[_RANDOM : _RANDOM + _LENGTH], "big")
        rest = plain[_RANDOM + _LENGTH :]
        if length > len(rest) or not hmac.compare_digest(rest[length:], self._appid):
            raise PushRefused
        return rest[:length]

    def seal(self, message: bytes, random: bytes | None = None) -> str:
        """The message encrypted; `random`: 16 bytes, given by tests alone."""
        front = secrets.token_bytes(_RANDOM) if random is None else random
        plain = front + len(message).to_bytes(_LENGTH, "big") + message + self._appid
        padder, encryptor = PKCS7(_BLOCK_BITS).padder(), self._cipher.encryptor()
        padded = padder.update(plain) + padder.finalize()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()

    def _decrypted(self, encrypted: str) -> bytes | None:
        try:
            blob = base64.b64decode(encrypted, validate=True)
            decryptor, unpadder = self._cipher.decryptor(), PKCS7(_BLOCK_BITS).unpadder()
            padded = decryptor.update(blob) + decryptor.finalize()
            return unpadder.update(padded) + unpadder.finalize()
        except (binascii.Error, ValueError):
            return None
