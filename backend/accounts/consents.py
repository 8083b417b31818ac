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

from sqlalchemy import ColumnElement, exists, select, text
from sqlalchemy.orm import Session

from backend.accounts.consent_texts import Purpose, consent_texts
from backend.accounts.merged import now, of_people
from backend.accounts.residents import seen_person
from backend.accounts.scope import Actor
from backend.accounts.tables import CONSENT, CONSENT_WITHDRAWAL
from backend.kernel import audit
from backend.kernel.audit import Who, of_person
from backend.kernel.clock import CHINA
from backend.kernel.crypto import Keyring, Place
from backend.kernel.errors import DomainError, Fault
from backend.kernel.row_ids import next_id

CHANNELS: Final = {"mini_program": "小程序", "bedside": "床旁", "counter": "柜台"}
DELEGATION_PURPOSE: Final = "delegation"
CHILDREN: Final = "children_data"
_GIVE: Final = text("SELECT give_consent(:own, :whom, :what, :edition, :digest, :way, :sealed)")
_WITHDRAW: Final = text("SELECT * FROM withdraw_consent(:which, :way, :alone)")
_WITHDRAW_BY_WORKER: Final = text("SELECT * FROM withdraw(:which, :way, :by)")
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
    """Somebody agrees: in the own account, or told staff so, with the account whose code was told
    if any. `proof`: of what was not said in the mini-program; sealed.
    """

    person_id: int
    purpose: str
    version: int
    channel: str
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
    """Record a consent; its id, or that of the same one where it stands already.

    Raises `ConsentOutdated`, and `UnknownPerson` where there is a proof to be sealed for somebody
    whom the session does not see.

    Whether the actor may agree for the person is for the caller to know, and for the database.
    """
    purpose = _purpose(giving.purpose)
    current = purpose.current
    if giving.version != current.version:
        raise ConsentOutdated(Fault("/version" if purpose.alone else "/consent", _OUTDATED))
    own, sealed = next_id(session), b""
    if giving.proof:
        cipher = seen_person(session, keyring, giving.person_id).cipher
        sealed = cipher.seal(Place("consent", "proof", own), giving.proof)
    given = {
        "own": own,
        "whom": giving.person_id,
        "what": giving.purpose,
        "edition": current.version,
        "digest": bytes.fromhex(current.sha256),
        "way": giving.channel,
        "sealed": sealed,
    }
    kept = int(session.execute(_GIVE, given).scalar_one())
    if kept == own:
        whose = of_person(giving.person_id)
        audit.deed(session, actor, "consent.give", whose, consent=giving.purpose)
    return kept


def withdraw_consent(session: Session, actor: Who, consent_id: int, channel: str) -> None:
    """End a consent, whatever else stands of the same matter (the purpose; of delegations, the
    receiver), and at once what rests on them; all is audited. Raises `UnknownConsent`.
    """
    if not _withdrawn(session, actor, consent_id, channel):
        raise UnknownConsent


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


def withdraw_given(session: Session, actor: Who, account: int) -> None:
    """Withdraw everything that the account agreed to in the mini-program and that still stands; not
    what was agreed to besides, on paper or by others.
    """
    standing = select(CONSENT.c.id).where(
        CONSENT.c.resident_id == account, CONSENT.c.channel == "mini_program",
        CONSENT.c.id.not_in(select(CONSENT_WITHDRAWAL.c.consent_id)),
    )  # fmt: skip
    for consent in session.scalars(standing.order_by(CONSENT.c.id)).all():
        _withdrawn(session, actor, consent, "mini_program", alone=True)


def _withdrawn(
    session: Session, actor: Who, consent_id: int, channel: str, *, alone: bool = False
) -> bool:
    """Whether it stood until now. The database ends what rests on it."""
    asked = {"which": consent_id, "way": channel, "by": actor.label, "alone": alone}
    own = isinstance(actor, Actor)
    rows = session.execute(_WITHDRAW if own else _WITHDRAW_BY_WORKER, asked).all()
    for row in rows:
        whose = of_person(row.whom)
        for delegation in row.ended:
            audit.deed(session, actor, "delegation.end", whose, delegation=delegation)
        audit.deed(session, actor, "consent.withdraw", whose, consent=row.what)
    return bool(rows)
