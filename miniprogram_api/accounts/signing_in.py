"""登录 (signing in): what the API and the page of staff do alike."""

from __future__ import annotations

from dataclasses import replace

from backend.accounts.staff_login import SignedIn, SignIn, sign_in_staff
from backend.kernel import clock, keys
from backend.kernel.database import transaction
from backend.kernel.errors import DomainError
from miniprogram_api import credentials, limiting


def enter(typed: SignIn) -> SignedIn:
    """Sign staff in. Raises what `sign_in_staff` returns as a refusal, once that is written down,
    and `Refused` (429) where too many try from one address.
    """
    limiting.by_address(limiting.SIGN_IN)
    typed = replace(typed, address=credentials.address_masked())
    with transaction() as session:
        signed_in = sign_in_staff(session, keys.keyring(), typed, clock.now(), clock.today())
    if isinstance(signed_in, DomainError):
        raise signed_in
    return signed_in
