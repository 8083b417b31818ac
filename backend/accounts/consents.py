"""同意 (consents): one record a purpose, with what was read; withdrawn as easily as given.

Where consent is the basis of something, the deed asks `require_consent` (or the database does, of
delegations), and what rests on a consent ends with it. Matching rests on a statutory duty and asks
for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import ClassVar, Final

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.accounts.consent_texts import Purpose, consent_texts
from backend.accounts.merged import now, of_people
from backend.accounts.residents import next_id, seen_person
from backend.accounts.scope import Actor
from backend.accounts.tables import CONSENT, CONSENT_WITHDRAWAL, DELEGATION, FAMILY_AUTHORITY
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.clock import CHINA
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError, Fault

CHANNELS: Final = {"mini_program": "小程序", "bedside": "床旁", "counter": "柜台"}
DELEGATION_PURPOSE: Final = "delegation"
CHILDREN: Final = "children_data"
_OUTDATED: Final = "同意书有了新的版本：请重新阅读，再同意。"
_MISSING: Final = "还没有同意“{title}”：请先阅读并同意，再办理。"


class ConsentOutdated(DomainError):
    """Another version than the present one was agreed to."""

    code: ClassVar[str] = "consent-outdated"


class ConsentMissing(DomainError):
    """What was asked for rests on a consent that is not there, or was withdrawn."""

    code: ClassVar[str] = "consent-missing"


class UnknownConsent(DomainError):
    """No such consent that stands, or none that the session may see."""

    code: ClassVar[str] = "unknown-consent"


@dataclass(frozen=True, slots=True)
class Giving:
    """Somebody agrees. `account`: the resident's; None: recorded by staff. `proof`: of what was
    not said in the mini-program; sealed.
    """

    person_id: int
    purpose: str
    version: int
    channel: str
    account: int | None = None
    proof: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that was given. `withdrawn_at` None: it stands."""

    id: int
    person_id: int
    purpose: str
    version: int
    given_at: datetime
    channel: str
    withdrawn_at: datetime | None


def give_consent(session: Session, keyring: Keyring, actor: Actor, giving: Giving) -> int:
    """Record a consent; its id. Raises `ConsentOutdated`, `UnknownPerson`.

    Whether the actor may agree for the person is for the caller to know (`authority.speaks_for`).
    """
    current = _purpose(giving.purpose).current
    if giving.version != current.version:
        raise ConsentOutdated(Fault("/version", _OUTDATED))
    person, own = seen_person(session, keyring, giving.person_id), next_id(session)
    row = {
        "id": own,
        "resident_id": giving.account,
        "person_id": person.id,
        "purpose": giving.purpose,
        "text_id": giving.purpose,
        "version": current.version,
        "text_sha256": bytes.fromhex(current.sha256),
        "channel": giving.channel,
        "proof": person.cipher.seal(Place("consent", "proof", own), giving.proof),
        "by": actor.label,
    }
    session.execute(CONSENT.insert().values(row).inline())
    _audit(session, actor, "consent.give", person.id, giving.purpose)
    return own


def withdraw_consent(session: Session, actor: Actor, consent_id: int, channel: str) -> None:
    """End a consent, and at once what rests on it. Raises `UnknownConsent`."""
    row = session.execute(select(CONSENT).where(CONSENT.c.id == consent_id)).first()
    if row is None:
        raise UnknownConsent
    ended = {"consent_id": consent_id, "channel": channel, "by": actor.label}
    once = insert(CONSENT_WITHDRAWAL).values(ended).on_conflict_do_nothing()
    if session.execute(once.returning(CONSENT_WITHDRAWAL.c.consent_id)).first() is None:
        raise UnknownConsent
    of_it = update(DELEGATION).where(DELEGATION.c.consent_id == consent_id)
    session.execute(
        of_it.where(DELEGATION.c.ended_at.is_(None)).values(
            ended_at=func.now(), ended_by=actor.label
        )
    )
    if row.purpose == CHILDREN:
        _end_guardianship(session, actor, row.resident_id, row.person_id)
    _audit(session, actor, "consent.withdraw", row.person_id, row.purpose)


def has_consent(session: Session, person_id: int, purpose: str, day: date) -> bool:
    """Whether a consent of the person to the purpose stands on the day, to its end; also one from
    before the person was merged.

    Asked in a session that sees the person, or as `worker`.
    """
    end = datetime.combine(day + timedelta(days=1), time(), CHINA)
    query = select(CONSENT.c.id).where(
        of_people(CONSENT.c.person_id, (person_id,)),
        CONSENT.c.purpose == purpose,
        CONSENT.c.version >= _purpose(purpose).holds_from,
        CONSENT.c.given_at < end,
        _standing(end),
    )
    return session.execute(query.limit(1)).first() is not None


def require_consent(session: Session, person_id: int, purpose: str, day: date) -> None:
    """Raises `ConsentMissing` where `has_consent` says no."""
    if not has_consent(session, person_id, purpose, day):
        raise missing(purpose)


def missing(purpose: str) -> ConsentMissing:
    """The refusal that says which consent is missing."""
    return ConsentMissing(Fault("/consent", _MISSING.format(title=_purpose(purpose).title)))


def consents_of(session: Session, people: Sequence[int]) -> list[Consent]:
    """Every consent of these people, newest first, withdrawn ones as well."""
    columns = (
        CONSENT.c.id, now(CONSENT.c.person_id), CONSENT.c.purpose, CONSENT.c.version,
        CONSENT.c.given_at, CONSENT.c.channel, CONSENT_WITHDRAWAL.c.at,
    )  # fmt: skip
    rows = session.execute(
        select(*columns)
        .outerjoin(CONSENT_WITHDRAWAL, CONSENT_WITHDRAWAL.c.consent_id == CONSENT.c.id)
        .where(of_people(CONSENT.c.person_id, people))
        .order_by(CONSENT.c.id.desc())
    )
    return [Consent(*row) for row in rows]


def _purpose(code: str) -> Purpose:
    return consent_texts().purposes[code]


def _standing(end: datetime) -> ColumnElement[bool]:
    """SQL: not withdrawn before the moment."""
    withdrawn = (CONSENT_WITHDRAWAL.c.consent_id == CONSENT.c.id) & (CONSENT_WITHDRAWAL.c.at < end)
    return ~exists(select(CONSENT_WITHDRAWAL.c.consent_id).where(withdrawn))


def _end_guardianship(session: Session, actor: Actor, account: int | None, person: int) -> None:
    """Without it a guardian's account does nothing for a child."""
    session.execute(
        update(FAMILY_AUTHORITY)
        .where(
            of_people(FAMILY_AUTHORITY.c.person_id, (person,)),
            FAMILY_AUTHORITY.c.resident_id == account,
            FAMILY_AUTHORITY.c.revoked_at.is_(None),
        )
        .values(revoked_at=func.now(), revoked_by=actor.label)
    )


def _audit(session: Session, actor: Actor, action: str, person: int, purpose: str) -> None:
    audit.record(
        session, actor=actor.label, action=action, subject=Subject("person", str(person)),
        detail={"consent": purpose}, role=actor.role or "resident", area=actor.area_from,
    )  # fmt: skip
