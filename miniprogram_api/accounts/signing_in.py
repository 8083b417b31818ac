"""登录 (signing in): what the API and the page of staff do alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from backend.accounts.staff_login import (
    SignedIn,
    SignIn,
    SignInRefused,
    known_from,
    sign_in_staff,
)
from backend.kernel import clock, keys
from backend.kernel.database import transaction
from backend.kernel.errors import DomainError
from miniprogram_api import credentials, limiting
from miniprogram_api.limiting import Limit

ONE: Final = Limit("staff_sign_in", 20, 600)
"""Attempts with one number that failed, from one address."""
ANY: Final = Limit("staff_sign_ins", 600, 600)
"""Attempts that failed, from one address."""


def enter(typed: SignIn) -> SignedIn:
    """Sign staff in. Raises what `sign_in_staff` returns as a refusal, once that is written down,
    and `Refused` (429) where too many attempts failed from one address: with one number, or with
    any where nobody signed in with this one from there yet.
    """
    typed = replace(typed, address=credentials.address_masked())
    with limiting.failures(ONE, SignInRefused, typed.staff_no):
        if _known(typed):
            return _enter(typed)
        with limiting.failures(ANY, SignInRefused):
            return _enter(typed)


def _known(typed: SignIn) -> bool:
    with transaction() as session:
        return known_from(session, typed.staff_no, typed.address)


def _enter(typed: SignIn) -> SignedIn:
    with transaction() as session:
        signed_in = sign_in_staff(session, keys.keyring(), typed, clock.now(), clock.today())
    if isinstance(signed_in, DomainError):
        raise signed_in
    return signed_in
