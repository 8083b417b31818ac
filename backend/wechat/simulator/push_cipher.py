"""推送加密 (push cipher): safe mode on WeChat's side, written apart from our receiver."""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7


class Undecipherable(ValueError):
    """What was sent back is not encrypted as it should be."""


def signature(*parts: str) -> str:
    """SHA-1 of the parts, sorted and joined."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def encrypt(aes_key: str, plain: bytes, appid: str, prefix: bytes) -> str:
    """`prefix` (16 bytes), length, text and appid, padded to 32 and encrypted; in Base64."""
    content = prefix + len(plain).to_bytes(4, "big") + plain + appid.encode()
    padder = PKCS7(256).padder()
    encryptor = _cipher(aes_key).encryptor()
    padded = padder.update(content) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(aes_key: str, encrypted: str, appid: str) -> bytes:
    """The text. Raises `Undecipherable`."""
    decryptor = _cipher(aes_key).decryptor()
    unpadder = PKCS7(256).unpadder()
    try:
        padded = decryptor.update(base64.b64decode(encrypted, validate=True))
        padded += decryptor.finalize()
        content = unpadder.update(padded) + unpadder.finalize()
    except (ValueError, binascii.Error) as error:
        raise Undecipherable from error
    end = 20 + int.from_bytes(content[16:20], "big")
    if content[end:] != appid.encode():
        raise Undecipherable
    return content[20:end]


def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(f"{aes_key}=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
