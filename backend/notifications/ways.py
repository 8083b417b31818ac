"""走哪条路 (ways): whether a channel leads to a person now, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.kernel.crypto import Keyring, SealedBroken
from backend.notifications.events import EVENTS
from backend.notifications.fields import FieldUnfit
from backend.notifications.reach import Reach, openid_of
from backend.notifications.sms import provider
from backend.notifications.wechat_templates import Slots
from backend.notifications.wording import Said
from backend.wechat import connection
from backend.wechat.errors import WeChatNotConfigured


@dataclass(frozen=True, slots=True)
class Way:
    """How a message goes: to an openid or a phone number; by WeChat with its values by key."""

    to: str = field(repr=False)
    resident_id: int | None = None
    template_id: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class NoWay:
    """The channel does not lead to the person. `code`: why."""

    code: str


def by_wechat(
    said: Said, whom: Reach, templates: Mapping[str, Slots], keyring: Keyring
) -> Way | NoWay:
    """By a subscribe message, if the account allows it."""
    slots = templates.get(said.template.wechat.title)
    account = whom.account(EVENTS[said.event].audience)
    if not wechat_connected():
        return NoWay("not-connected")
    if slots is None:
        return NoWay("no-template")
    if whom.died:
        return NoWay("died")
    if account is None:
        return NoWay("no-account")
    try:
        values = slots.fill(said)
        to = openid_of(account, keyring)
    except FieldUnfit as error:
        return NoWay(f"unfit-{error.key}")
    except SealedBroken:
        return NoWay("sealed")
    return Way(to, account.resident_id, slots.template_id, values)


def by_sms(said: Said, whom: Reach, keyring: Keyring) -> Way | NoWay:
    """By a text message."""
    if provider() is None:
        return NoWay("no-provider")
    if whom.died:
        return NoWay("died")
    try:
        number = whom.number(EVENTS[said.event].audience, keyring)
    except SealedBroken:
        return NoWay("sealed")
    return Way(number) if number else NoWay("no-phone")


def wechat_connected() -> bool:
    """Whether this process speaks for a mini-program."""
    try:
        connection.appid()
    except WeChatNotConfigured:
        return False
    return True
