"""入户核查 (visits): what a visit found. Confirmed: an application is begun for the household; not
confirmed: closed with the reason; nobody answered: passed to the level above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final, Literal

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from backend.citizens.tables import PERSON
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.crypto import Cipher, Keyring, Place
from backend.kernel.errors import DomainError, Fault
from backend.kernel.row_ids import next_id
from backend.warnings.tables import DRAFT_WANTED, WARNING, WARNING_VISIT
from backend.worklist.escalation import Escalation, escalate_item
from backend.worklist.items import Closing, close_item
from backend.worklist.tables import WORK_ITEM

Outcome = Literal["confirmed", "not_confirmed", "no_answer"]

OUTCOMES: Final[dict[Outcome, str]] = {
    "confirmed": "属实",
    "not_confirmed": "不属实",
    "no_answer": "无人应答",
}


class UnknownWarning(DomainError):
    """No warning has this number, or it is not the caller's to see."""

    code: ClassVar[str] = "unknown-warning"


class WarningDecided(DomainError):
    """The warning has been decided, or its cause is gone."""

    code: ClassVar[str] = "warning-decided"


class ReasonMissing(DomainError):
    """A warning is not closed as untrue without saying why."""

    code: ClassVar[str] = "warning-reason-missing"


class VisitDayImpossible(DomainError):
    """The visit would lie before the warning, or in the future."""

    code: ClassVar[str] = "visit-day-impossible"


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit to the person of a warning. `note`: what was found, kept sealed."""

    warning_id: int
    outcome: Outcome
    on: date
    by: str
    note: str = ""


def record_visit(session: Session, visit: Visit, keyring: Keyring, today: date) -> None:
    """Write down a visit and what follows from it, audited.

    Raises `UnknownWarning`, `WarningDecided`, `VisitDayImpossible`, `ReasonMissing`.
    """
    if visit.outcome == "not_confirmed" and not visit.note.strip():
        raise ReasonMissing(Fault("/note", "不属实的，请写明核查到的情况和理由。"))
    warning = _warning(session, visit.warning_id)
    if not warning.as_of <= visit.on <= today:
        raise VisitDayImpossible(
            Fault(
                "/on", f"入户的日期请填 {warning.as_of}（发出预警）至 {today}（今天）之间的一天。"
            )
        )
    _write(session, visit, warning, keyring)
    item = _item(session, visit.warning_id)
    if visit.outcome == "no_answer":
        escalate_item(session, item, Escalation(visit.by, visit.on, visit.outcome))
    else:
        close_item(session, item, Closing(visit.outcome, visit.by))
    if visit.outcome == "confirmed":
        _want_application(session, visit, warning)
    audit.record(
        session,
        actor=visit.by,
        action="warning.visit",
        subject=Subject("warning", str(visit.warning_id)),
        detail={"outcome": visit.outcome, "on": visit.on.isoformat(), "kind": warning.kind,
                "person": warning.person_id},
        area=warning.area,
    )  # fmt: skip


def notes_of(session: Session, keyring: Keyring, who: audit.Who, warning_id: int) -> list[str]:
    """What the visits to a warning's person noted, oldest first; the person is told that `who`
    looked. Raises `UnknownWarning`.
    """
    found = session.execute(select(WARNING).where(WARNING.c.id == warning_id)).first()
    if found is None:
        raise _unknown()
    audit.read_person(session, who, found.person_id, "visit", ("visits",))
    cipher = _cipher(session, found.person_id, keyring)
    visits = select(WARNING_VISIT.c.id, WARNING_VISIT.c.note)
    rows = session.execute(
        visits.where(WARNING_VISIT.c.warning_id == warning_id).order_by(WARNING_VISIT.c.id)
    )
    return [cipher.open(_place(row.id), row.note) for row in rows]


def _warning(session: Session, warning_id: int) -> Row[Any]:
    """The open warning, kept from others until the transaction ends."""
    wanted = select(WARNING).where(WARNING.c.id == warning_id).with_for_update()
    found = session.execute(wanted).first()
    if found is None:
        raise _unknown()
    if found.state != "open":
        raise WarningDecided(Fault("/id", "这条预警已经办结或已撤销，请刷新后再看。"))
    return found


def _write(session: Session, visit: Visit, warning: Row[Any], keyring: Keyring) -> None:
    own = next_id(session)
    cipher = _cipher(session, warning.person_id, keyring)
    session.execute(
        WARNING_VISIT.insert().values(
            id=own,
            warning_id=visit.warning_id,
            area=warning.area,
            on_day=visit.on,
            outcome=visit.outcome,
            visited_by=visit.by,
            note=cipher.seal(_place(own), visit.note.strip()),
        )
    )
    if visit.outcome != "no_answer":
        decided = update(WARNING).where(WARNING.c.id == visit.warning_id)
        session.execute(decided.values(state=visit.outcome))


def _item(session: Session, warning_id: int) -> int:
    wanted = select(WORK_ITEM.c.id).where(
        WORK_ITEM.c.kind == "home_visit",
        WORK_ITEM.c.subject_kind == "warning",
        WORK_ITEM.c.subject_id == str(warning_id),
    )
    return int(session.execute(wanted).scalar_one())


def _want_application(session: Session, visit: Visit, warning: Row[Any]) -> None:
    session.execute(
        DRAFT_WANTED.insert().values(
            warning_id=visit.warning_id,
            person_id=func.person_now(warning.person_id),
            household_id=warning.household_id,
            area=warning.area,
            wanted_on=visit.on,
            wanted_by=visit.by,
        )
    )


def _cipher(session: Session, person_id: int, keyring: Keyring) -> Cipher:
    wrapped = session.execute(select(PERSON.c.data_key).where(PERSON.c.id == person_id))
    return keyring.person(person_id, wrapped.scalar_one())


def _place(visit_id: int) -> Place:
    return Place("warning_visit", "note", visit_id)


def _unknown() -> UnknownWarning:
    return UnknownWarning(Fault("/id", "没有这条预警，请核对编号。"))
