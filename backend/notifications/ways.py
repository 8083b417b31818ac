"""走哪条路 (ways): whether a channel leads to a person now, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from backend.accounts.consents import has_consent
from backend.kernel.crypto import Keyring, SealedBroken
from backend.notifications.events import EVENTS
from backend.notifications.fields import FieldUnfit
from backend.notifications.reach import Reach, openid_of, phone_of
from backend.notifications.sms import provider
from backend.notifications.wechat_templates import Slots
from backend.notifications.wording import Said
from backend.wechat import connection
from backend.wechat.errors import WeChatNotConfigured

CONSENT: Final = "sms"
"""The purpose to which the owner of a phone agrees."""


@dataclass(frozen=True, slots=True)
class Means:
    """What ways are found with. `today`: in China; `templates`: by title."""

    keyring: Keyring
    today: date
    templates: Mapping[str, Slots]


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


def by_wechat(said: Said, whom: Reach, means: Means) -> Way | NoWay:
    """By a subscribe message, if the account allows it."""
    slots = means.templates.get(said.template.wechat.title)
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
        to = openid_of(account, means.keyring)
    except FieldUnfit as error:
        return NoWay(f"unfit-{error.key}")
    except SealedBroken:
        return NoWay("sealed")
    return Way(to, account.resident_id, slots.template_id, values)


def by_sms(session: Session, said: Said, whom: Reach, means: Means) -> Way | NoWay:
    """By a text message to the phone of an account, where its owner agreed to that."""
    account = whom.phone_account(EVENTS[said.event].audience)
    if provider() is None:
        return NoWay("no-provider")
    if whom.died:
        return NoWay("died")
    if account is None or account.person_id is None:
        return NoWay("no-phone")
    if not has_consent(session, account.person_id, CONSENT, means.today):
        return NoWay("no-consent")
    try:
        return Way(phone_of(account, means.keyring))
    except SealedBroken:
        return NoWay("sealed")


def wechat_connected() -> bool:
    """Whether this process speaks for a mini-program."""
    try:
        connection.appid()
    except WeChatNotConfigured:
        return False
    return True
