"""待办案件 (desk): the cases of a desk, taken by one person, given back, handed on.

Which desk has a case follows from its state, so the list of a desk is a question to the cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Select, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.accounts.staff_tables import STAFF
from backend.applications.cases import case_of, of_case
from backend.applications.steps import NotYourDesk
from backend.applications.tables import (
    APPLICATION,
    APPLICATION_CLAIM,
    APPLICATION_CLOCK,
    APPLICATION_RECUSAL,
)
from backend.kernel import audit
from backend.kernel.errors import DomainError, Fault

CASE: Final = APPLICATION.c
CLAIM: Final = APPLICATION_CLAIM.c
CLOCK: Final = APPLICATION_CLOCK.c
_HAND_OVER: Final = text("SELECT hand_over_case(:case, :staff_no)")


class CaseTaken(DomainError):
    """A colleague has claimed the case."""

    code: ClassVar[str] = "application-taken"


class NotTaken(DomainError):
    """The case is not the one's own to give back or hand on."""

    code: ClassVar[str] = "application-not-taken"


class SuccessorUnfit(DomainError):
    """Nobody of the same desk has this number, or they are part of the case."""

    code: ClassVar[str] = "application-successor-unfit"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which cases of the desk. `kind`, `filing`: only those; `free`: those that nobody claimed, or
    the own; `after`: the last id of the page before."""

    kind: str | None = None
    filing: bool | None = None
    free: bool = False
    after: int | None = None
    most: int = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case of the list, without whom it is about. `due_on` None: no period runs."""

    id: int
    kind: str
    state: str
    area: str
    fast_lane: bool
    filing: bool
    raised: int
    submitted_at: datetime | None
    due_on: date | None
    provisional: bool
    taken_by: str | None
    seq: int


def desk_list(session: Session, actor: Actor, asked: Asked) -> Sequence[Waiting]:
    """The cases of the desk of who acts: emergencies in front, then those due first."""
    return [_waiting(row) for row in session.execute(_listed(actor, asked))]


def desk_count(session: Session, actor: Actor) -> int:
    """How many there are."""
    query = select(func.count()).select_from(APPLICATION).where(*_at_desk(actor))
    return int(session.execute(query).scalar_one())


def claim_case(session: Session, actor: Actor, case_id: int) -> None:
    """Take a case from the list; again by the same changes nothing.

    Raises `UnknownCase`, `CaseTaken`, `NotYourDesk`.
    """
    case = case_of(session, case_id)
    new = upsert(APPLICATION_CLAIM).values(
        application_id=case.id, staff_id=actor.staff_id, duty_id=actor.duty_id
    )
    try:
        claimed = new.on_conflict_do_nothing().returning(CLAIM.application_id)
        made = session.execute(claimed).first() is not None
    except ProgrammingError as error:
        raise _elsewhere() from error
    if made:
        audit.deed(session, actor, "application.claim", of_case(case), person=case.person_id)
        return
    if _claimant(session, case.id) != actor.staff_id:
        raise CaseTaken(Fault("/application", "同事已经领办这件申请：请从清单里另选一件。"))


def release_case(session: Session, actor: Actor, case_id: int) -> None:
    """Give a case back to the list. Raises `UnknownCase`, `NotTaken`."""
    case = case_of(session, case_id)
    own = delete(APPLICATION_CLAIM).where(
        CLAIM.application_id == case_id, CLAIM.staff_id == actor.staff_id
    )
    if not session.execute(own).rowcount:  # type: ignore[attr-defined]
        raise _not_taken()
    audit.deed(session, actor, "application.release", of_case(case), person=case.person_id)


def hand_over(session: Session, actor: Actor, case_id: int, staff_no: str) -> None:
    """Hand a claimed case on to a colleague of the same desk.

    Raises `UnknownCase`, `NotTaken`, `SuccessorUnfit`.
    """
    case = case_of(session, case_id)
    if _claimant(session, case_id) != actor.staff_id:
        raise _not_taken()
    if not session.execute(_HAND_OVER, {"case": case_id, "staff_no": staff_no}).scalar_one():
        told = (
            "不能转交给这个工号：请填同一岗位、同一辖区在岗的另一位同事，且与申请人没有亲属关系。"
        )
        raise SuccessorUnfit(Fault("/staff_no", told))
    audit.deed(
        session, actor, "application.hand_over", of_case(case),
        person=case.person_id, to=staff_no,
    )  # fmt: skip


def recuse(session: Session, actor: Actor, case_id: int) -> None:
    """Say that one is part of the case (回避): one decides nothing in it any more.

    Raises `UnknownCase`.
    """
    case = case_of(session, case_id)
    own = {"application_id": case.id, "staff_id": actor.staff_id}
    known = select(APPLICATION_RECUSAL.c.at).filter_by(**own)
    if session.execute(known).first() is not None:
        return
    session.execute(insert(APPLICATION_RECUSAL).inline().values(own))
    session.execute(delete(APPLICATION_CLAIM).filter_by(**own))
    audit.deed(session, actor, "application.recuse", of_case(case), person=case.person_id)


def _at_desk(actor: Actor) -> tuple[Any, ...]:
    return (
        CASE.desk == actor.role,
        CASE.area.between(actor.area_from, actor.area_to),
        CASE.ended_at.is_(None),
    )


def _listed(actor: Actor, asked: Asked) -> Select[Any]:
    due = (
        select(CLOCK.due_on, CLOCK.provisional)
        .where(
            CLOCK.application_id == CASE.id, CLOCK.ended_on.is_(None), CLOCK.stopped_on.is_(None)
        )
        .order_by(CLOCK.due_on)
        .limit(1)
        .lateral("due")
    )
    query = (
        select(
            CASE.id, CASE.kind, CASE.state, CASE.area, CASE.fast_lane, CASE.filing, CASE.raised,
            CASE.submitted_at, due.c.due_on, due.c.provisional, STAFF.c.name, CLAIM.staff_id,
            CASE.seq,
        )
        .select_from(APPLICATION)
        .outerjoin(due, text("true"))
        .outerjoin(APPLICATION_CLAIM, CLAIM.application_id == CASE.id)
        .outerjoin(STAFF, STAFF.c.id == CLAIM.staff_id)
        .where(*_at_desk(actor))
    )  # fmt: skip
    if asked.kind is not None:
        query = query.where(CASE.kind == asked.kind)
    if asked.filing is not None:
        query = query.where(CASE.filing == asked.filing)
    if asked.free:
        query = query.where((CLAIM.staff_id.is_(None)) | (CLAIM.staff_id == actor.staff_id))
    if asked.after is not None:
        return query.where(CASE.id > asked.after).order_by(CASE.id).limit(asked.most)
    return query.order_by(CASE.fast_lane.desc(), due.c.due_on.nulls_last(), CASE.id).limit(
        asked.most
    )


def _waiting(row: Any) -> Waiting:
    taken_by = None if row.staff_id is None else (row.name or "同事")
    return Waiting(
        row.id, row.kind, row.state, f"{row.area:012d}", row.fast_lane, row.filing, row.raised,
        row.submitted_at, row.due_on, bool(row.provisional), taken_by, row.seq,
    )  # fmt: skip


def _claimant(session: Session, case_id: int) -> int | None:
    query = select(CLAIM.staff_id).where(CLAIM.application_id == case_id)
    found: int | None = session.execute(query).scalar_one_or_none()
    return found


def _not_taken() -> NotTaken:
    return NotTaken(Fault("/application", "这件申请不是您领办的：请先领办，或刷新清单。"))


def _elsewhere() -> NotYourDesk:
    told = "这件申请不在您这里办，或者您须回避：请刷新清单后再看。"
    return NotYourDesk(Fault("/application", told))
