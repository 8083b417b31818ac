"""动态口令 (TOTP): RFC 6238, six digits each half minute; each code opens one session at most."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import pyotp
from pyotp.exceptions import OTPVerificationError

from backend.kernel.crypto import Cipher, Place

ISSUER: Final = "纾困医疗救助"
_SLACK: Final = 1
"""Half minutes by which a phone's clock may be off."""


def new_secret() -> str:
    """A secret of 160 bits, in base 32."""
    return pyotp.random_base32()


def seal_secret(cipher: Cipher, staff_id: int, secret: str) -> bytes:
    """The secret as it is kept."""
    return cipher.seal(_place(staff_id), secret)


def open_secret(cipher: Cipher, staff_id: int, sealed: bytes) -> str:
    """The secret again; raises `SealedBroken`."""
    return cipher.open(_place(staff_id), sealed)


def enrolment(secret: str, staff_no: str) -> str:
    """The address that an authenticator takes, as text or as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=staff_no, issuer_name=ISSUER)


def step_of(secret: str, code: str, moment: datetime) -> int | None:
    """The time step that the code belongs to; None: it is wrong."""
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(
            code, for_time=moment, valid_window=_SLACK
        )
    except OTPVerificationError:
        return None


def _place(staff_id: int) -> Place:
    return Place("staff", "totp_secret", staff_id)
