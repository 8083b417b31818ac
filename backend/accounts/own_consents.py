"""我的同意 (own consents): a resident gives, sees and withdraws, for oneself and as a guardian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.accounts.authority import people_spoken_for
from backend.accounts.consents import (
    Consent,
    Giving,
    UnknownConsent,
    consents_of,
    give_consent,
    withdraw_consent,
)
from backend.accounts.merged import now
from backend.accounts.residents import PhoneMissing, UnknownPerson, own_account
from backend.accounts.scope import Actor
from backend.accounts.tables import CONSENT, RESIDENT
from backend.kernel import audit
from backend.kernel.crypto import Keyring

CHANNEL: Final = "mini_program"
TEXTS: Final = "sms"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a resident agrees to. `person_id`: oneself, or one under guardianship."""

    person_id: int
    purpose: str
    version: int


def own_consents(session: Session, actor: Actor) -> Mapping[str, tuple[Consent, ...]]:
    """Purpose → consents of the resident who acts and of those under guardianship, newest first;
    the look is written down.
    """
    people = sorted(people_spoken_for(session))
    found: dict[str, list[Consent]] = {}
    for one in consents_of(session, people):
        found.setdefault(one.purpose, []).append(one)
    audit.read_people(session, actor, people, "own", ("consents",))
    return {purpose: tuple(given) for purpose, given in found.items()}


def agree(session: Session, keyring: Keyring, actor: Actor, agreement: Agreement) -> int:
    """Give a consent in the mini-program; its id. Raises `UnknownPerson`, `ConsentOutdated`, and
    `PhoneMissing` for text messages that could come nowhere.
    """
    if agreement.person_id not in people_spoken_for(session):
        raise UnknownPerson
    if agreement.purpose == TEXTS and not _has_phone(session, actor):
        raise PhoneMissing
    giving = Giving(agreement.person_id, agreement.purpose, agreement.version, CHANNEL)
    return give_consent(session, keyring, actor, giving)


def take_back(session: Session, actor: Actor, consent_id: int) -> None:
    """Withdraw a consent in the mini-program, wherever it was given. Raises `UnknownConsent`."""
    whose = session.scalar(select(now(CONSENT.c.person_id)).where(CONSENT.c.id == consent_id))
    if whose not in people_spoken_for(session):
        raise UnknownConsent
    withdraw_consent(session, actor, consent_id, CHANNEL)


def _has_phone(session: Session, actor: Actor) -> bool:
    query = select(RESIDENT.c.phone != b"").where(RESIDENT.c.id == own_account(actor))
    return bool(session.execute(query).scalar_one())
