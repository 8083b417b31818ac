"""Pushes as WeChat sends them, and ten thousand that somebody else made."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from backend.wechat.push import Envelope
from backend.wechat.simulator.push_format import Stamp, push
from backend.wechat.simulator.state import PushTarget
from tests.support.wechat import APPID, PUSH_AES_KEY, PUSH_TOKEN

OPENID: Final = "oNobody0000000000000000000_1"
TARGET: Final = PushTarget("http://127.0.0.1/", PUSH_TOKEN, PUSH_AES_KEY)


@dataclass(frozen=True)
class Sent:
    """A push on the wire."""

    query: dict[str, str]
    body: bytes
    content_type: str = "application/json"

    @property
    def envelope(self) -> Envelope:
        """As our route reads it."""
        said = self.query
        return Envelope(
            said.get("msg_signature", ""), said.get("timestamp", ""), said.get("nonce", "")
        )


def sent(
    message: Mapping[str, Any],
    moment: datetime,
    *,
    nonce: str = "",
    appid: str = APPID,
    target: PushTarget = TARGET,
) -> Sent:
    """A message, sealed and signed by the simulator's own hand."""
    nonce = nonce or str(secrets.randbelow(10**10))
    stamp = Stamp(int(moment.timestamp()), nonce, secrets.token_hex(8).encode())
    made = push(target, appid, dict(message), stamp)
    return Sent(dict(made.query), made.body, made.content_type)


def text_message(
    moment: datetime, number: int = 1, content: str = "低保能报多少"
) -> dict[str, Any]:
    """Something that a person wrote to customer service."""
    return {
        "ToUserName": "gh_nobody",
        "FromUserName": OPENID,
        "CreateTime": int(moment.timestamp()),
        "MsgType": "text",
        "Content": content,
        "MsgId": 6_054_768_590_064_713_700 + number,
    }


def popup_event(moment: datetime, *answers: tuple[str, str]) -> dict[str, Any]:
    """The answers to the popup, template and `accept` or `reject`; one alone is no list."""
    listed = [
        {"TemplateId": template, "SubscribeStatusString": answer, "PopupScene": "0"}
        for template, answer in answers
    ]
    return {
        "ToUserName": "gh_nobody",
        "FromUserName": OPENID,
        "CreateTime": int(moment.timestamp()),
        "MsgType": "event",
        "Event": "subscribe_msg_popup_event",
        "List": listed if len(listed) > 1 else listed[0],
    }


def forged(count: int, moment: datetime, seed: int = 1) -> Iterator[tuple[str, Sent]]:
    """What somebody sends who saw our traffic, each in one of the ways to forge it."""
    dice = random.Random(seed)
    for number in range(count):
        name, make = FORGERIES[number % len(FORGERIES)]
        yield name, make(dice, moment, number)


def _with_query(one: Sent, **changes: str) -> Sent:
    return replace(one, query={**one.query, **changes})


def _signature(dice: random.Random, moment: datetime, number: int) -> Sent:
    wrong = f"{dice.getrandbits(160):040x}"
    return _with_query(sent(text_message(moment, number), moment), msg_signature=wrong)


def _near_signature(dice: random.Random, moment: datetime, number: int) -> Sent:
    one = sent(text_message(moment, number), moment)
    right = one.query["msg_signature"]
    place = dice.randrange(40)
    other = dice.choice([c for c in "0123456789abcdef" if c != right[place]])
    return _with_query(one, msg_signature=right[:place] + other + right[place + 1 :])


def _stale(dice: random.Random, moment: datetime, number: int) -> Sent:
    then = moment - timedelta(seconds=dice.randint(302, 100_000))
    return sent(text_message(then, number), then)


def _early(dice: random.Random, moment: datetime, number: int) -> Sent:
    return sent(
        text_message(moment, number), moment + timedelta(seconds=dice.randint(302, 100_000))
    )


def _redated(dice: random.Random, moment: datetime, number: int) -> Sent:
    """An old one under a new time, which the signature does not hold."""
    then = moment - timedelta(seconds=dice.randint(400, 100_000))
    now = str(int(moment.timestamp()))
    return _with_query(sent(text_message(then, number), then), timestamp=now)


def _renonced(dice: random.Random, moment: datetime, number: int) -> Sent:
    return _with_query(sent(text_message(moment, number), moment), nonce=str(dice.getrandbits(33)))


def _body(dice: random.Random, moment: datetime, number: int) -> Sent:
    """One sign of the ciphertext is another."""
    one = sent(text_message(moment, number), moment)
    at = one.body.index(b"Encrypt") + dice.randint(20, 150)
    other = dice.choice([c for c in b"ABCDEFabcdef0123456789" if c != one.body[at]])
    return replace(one, body=one.body[:at] + bytes([other]) + one.body[at + 1 :])


def _other_body(dice: random.Random, moment: datetime, number: int) -> Sent:
    """The envelope of one around the body of another."""
    first = sent(text_message(moment, number), moment)
    return replace(first, body=sent(text_message(moment, number + dice.randint(1, 9)), moment).body)


def _other_appid(dice: random.Random, moment: datetime, number: int) -> Sent:
    appid = f"wx{dice.getrandbits(64):016x}"
    return sent(text_message(moment, number), moment, appid=appid)


def _other_key(dice: random.Random, moment: datetime, number: int) -> Sent:
    key = "".join(dice.choices("ABCDEFGHabcdefgh12345678", k=42)) + "A"
    return sent(text_message(moment, number), moment, target=replace(TARGET, aes_key=key))


def _other_token(dice: random.Random, moment: datetime, number: int) -> Sent:
    token = f"t{dice.getrandbits(64):x}"
    return sent(text_message(moment, number), moment, target=replace(TARGET, token=token))


def _plain(_dice: random.Random, moment: datetime, number: int) -> Sent:
    return sent(text_message(moment, number), moment, target=replace(TARGET, mode="plain"))


def _plain_as_safe(_dice: random.Random, moment: datetime, number: int) -> Sent:
    one = sent(text_message(moment, number), moment, target=replace(TARGET, mode="plain"))
    return _with_query(one, msg_signature=one.query["signature"], encrypt_type="aes")


def _unsigned(dice: random.Random, moment: datetime, number: int) -> Sent:
    one = sent(text_message(moment, number), moment)
    lost = dice.choice(["msg_signature", "timestamp", "nonce"])
    return replace(one, query={name: value for name, value in one.query.items() if name != lost})


def _wrong_one(_dice: random.Random, moment: datetime, number: int) -> Sent:
    """The signature that does not cover the body."""
    one = sent(text_message(moment, number), moment)
    return _with_query(one, msg_signature=one.query["signature"])


def _odd_time(dice: random.Random, moment: datetime, number: int) -> Sent:
    odd = dice.choice(["", "-1", "1e9", "１７３２", "9" * 30, "0x10", "nan", " 1"])
    return _with_query(sent(text_message(moment, number), moment), timestamp=odd)


FORGERIES: Final[tuple[tuple[str, Callable[[random.Random, datetime, int], Sent]], ...]] = (
    ("wrong signature", _signature),
    ("one digit of the signature", _near_signature),
    ("stale", _stale),
    ("from the future", _early),
    ("old under a new time", _redated),
    ("another nonce", _renonced),
    ("changed body", _body),
    ("another's body", _other_body),
    ("another mini-program", _other_appid),
    ("another key", _other_key),
    ("another token", _other_token),
    ("in plain", _plain),
    ("in plain, called safe", _plain_as_safe),
    ("something missing", _unsigned),
    ("the signature without the body", _wrong_one),
    ("odd time", _odd_time),
)
