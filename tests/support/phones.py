"""Phones that accounts of tests are bound to."""

from __future__ import annotations

from typing import Final

from backend.accounts import phone
from backend.accounts.scope import act_as
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.wechat.calls import Phone

NUMBER: Final = "19900000001"


def bind_phone(token: str, keyring: Keyring, number: str = NUMBER) -> str:
    """As though WeChat had told the number of the session's account; the token."""
    with transaction() as session:
        actor = act_as(session, token)
        assert actor is not None
        phone.bind_phone(session, keyring, actor, Phone(number, phone.CHINA))
    return token
