"""The platform's own vectors, and the cipher against itself."""

from __future__ import annotations

import base64
import json

import pytest
from wechatpy.crypto.cryptography import WeChatCipher

from backend.wechat.simulator.push_cipher import Undecipherable, decrypt, encrypt, signature

KEY = "A" * 43
APPID = "wxba5fad812f8e6fb9"
ENCRYPTED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZq"
    "zDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pe"
    "de2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebu"
    "fAlr7F9mFUPAJGj04="
)
REPLY = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        (("1714036504", "1514711492"), "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        (("1714037059", "486452656"), "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        (("1714112445", "415670741", ENCRYPTED), "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"),
        (("1713424427", "415670741", REPLY), "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"),
    ],
    ids=["the check of the URL", "a plain push", "an encrypted push", "an encrypted reply"],
)
def test_the_official_signatures_come_out(parts: tuple[str, ...], right: str) -> None:
    assert signature("AAAAA", *parts) == right


def test_the_official_push_is_deciphered() -> None:
    plain = decrypt(KEY, ENCRYPTED, APPID)
    assert len(plain) == 167
    assert json.loads(plain)["Event"] == "debug_demo"


def test_the_official_push_comes_out_of_what_it_says() -> None:
    content = _content(ENCRYPTED)
    plain = decrypt(KEY, ENCRYPTED, APPID)
    assert encrypt(KEY, plain, APPID, content[:16]) == ENCRYPTED


def test_the_official_reply_comes_out() -> None:
    plain = b'{"demo_resp":"good luck"}'
    assert encrypt(KEY, plain, APPID, b"707722b803182950") == REPLY


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 5000])
def test_what_is_encrypted_is_deciphered(length: int) -> None:
    encrypted = encrypt(KEY, b"x" * length, APPID, b"0123456789abcdef")
    assert len(base64.b64decode(encrypted)) % 32 == 0
    assert decrypt(KEY, encrypted, APPID) == b"x" * length


@pytest.mark.parametrize(
    ("key", "encrypted", "appid"),
    [
        ("B" * 43, ENCRYPTED, APPID),
        (KEY, ENCRYPTED, "wx0000000000000000"),
        (KEY, ENCRYPTED[:-8], APPID),
        (KEY, "no base64", APPID),
        (KEY, "", APPID),
    ],
    ids=["another key", "another app", "cut off", "no Base64", "empty"],
)
def test_what_is_not_encrypted_for_us_is_refused(key: str, encrypted: str, appid: str) -> None:
    with pytest.raises(Undecipherable):
        decrypt(key, encrypted, appid)


def _content(encrypted: str) -> bytes:
    """All 16 + 4 + n + appid bytes, by wechatpy's cipher: neither ours nor the receiver's."""
    key = base64.b64decode(f"{KEY}=")
    return bytes(WeChatCipher(key).decrypt(base64.b64decode(encrypted)))
