"""The official examples of message push, and a second implementation beside ours."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto

from backend.kernel.settings_wechat import PushSettings
from backend.wechat.errors import PushRefused
from backend.wechat.push_crypto import PushCipher, is_signed, signature

TOKEN, AES_KEY, APPID = "AAAAA", "A" * 43, "wxba5fad812f8e6fb9"
ENCRYPTED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcv"
    "ZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3F"
    "n2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSe"
    "OBrebufAlr7F9mFUPAJGj04="
)
CIPHER = PushCipher(PushSettings(TOKEN, AES_KEY), APPID)
PEER = WeChatCrypto(TOKEN, AES_KEY, APPID)


@pytest.mark.parametrize(
    ("parts", "signed"),
    [
        (("1714036504", "1514711492"), "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        (("1714037059", "486452656"), "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        (("1714112445", "415670741", ENCRYPTED), "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"),
    ],
)
def test_the_official_examples_are_signed_so(parts: tuple[str, ...], signed: str) -> None:
    assert signature(TOKEN, *parts) == signed
    assert is_signed(signed, TOKEN, *parts)
    assert not is_signed(signed, "BBBBB", *parts)
    assert not is_signed("签名", TOKEN, *parts)
    assert not is_signed("", TOKEN, *parts)


def test_the_official_example_of_a_push_opens() -> None:
    message = CIPHER.open(ENCRYPTED)
    assert len(message) == 167
    assert msgspec.json.decode(message)["Event"] == "debug_demo"


def test_the_official_example_of_a_reply_is_made() -> None:
    encrypted = CIPHER.seal(b'{"demo_resp":"good luck"}', b"707722b803182950")
    assert encrypted == (
        "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
    )
    signed = signature(TOKEN, "1713424427", "415670741", encrypted)
    assert signed == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"


@given(st.text(min_size=1))
def test_another_implementation_opens_what_we_seal(message: str) -> None:
    sent = {"Encrypt": CIPHER.seal(message.encode("utf-8", "ignore"))}
    signed = signature(TOKEN, "1", "2", sent["Encrypt"])
    opened = PEER.decrypt_message(sent, signed, "1", "2")
    assert opened == message.encode("utf-8", "ignore").decode()


@given(st.text(min_size=1))
def test_what_another_implementation_seals_we_open(message: str) -> None:
    plain = message.encode("utf-8", "ignore").decode()
    sent: dict[str, Any] = xmltodict.parse(PEER.encrypt_message(plain, "2", "1"))["xml"]
    assert is_signed(sent["MsgSignature"], TOKEN, "1", "2", sent["Encrypt"])
    assert CIPHER.open(sent["Encrypt"]).decode() == plain


def test_no_two_sealed_replies_are_alike() -> None:
    assert len({CIPHER.seal(b"same") for _ in range(100)}) == 100


OTHER_KEY = PushSettings(TOKEN, "B" * 43)
# Named, since no two sealed texts are alike and processes that share the tests compare their names.
NOT_FOR_US = {
    "empty": "",
    "no base64": "no base64!",
    "15 bytes": base64.b64encode(b"x" * 15).decode(),
    "32 bytes": base64.b64encode(b"x" * 32).decode(),
    "zeros": base64.b64encode(bytes(64)).decode(),
    "cut at the end": ENCRYPTED[:-8],
    "cut at the beginning": ENCRYPTED[4:],
    "Chinese": "汉字",
    "another AppID": PushCipher(PushSettings(TOKEN, AES_KEY), "wx0000000000000000").seal(b"{}"),
    "another key": PushCipher(OTHER_KEY, APPID).seal(b"{}"),
    "a longer AppID": PushCipher(PushSettings(TOKEN, AES_KEY), f"{APPID}0").seal(b"{}"),
    "no AppID": PushCipher(PushSettings(TOKEN, AES_KEY), "").seal(b"{}"),
}


@pytest.mark.parametrize("bad", NOT_FOR_US.values(), ids=NOT_FOR_US)
def test_what_is_not_for_us_does_not_open(bad: str) -> None:
    with pytest.raises(PushRefused) as caught:
        CIPHER.open(bad)
    assert str(caught.value) == "push refused"


def test_every_flipped_bit_of_a_push_breaks_its_signature() -> None:
    signed = signature(TOKEN, "1714112445", "415670741", ENCRYPTED)
    blob = base64.b64decode(ENCRYPTED)
    for bit in range(0, len(blob) * 8, 7):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        changed = base64.b64encode(bytes(flipped)).decode()
        assert not is_signed(signed, TOKEN, "1714112445", "415670741", changed)
