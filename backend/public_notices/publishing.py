"""发布 (publishing): every day the cases that came into notice go on the list of their village, and
those whose list is over, without an objection, are granted.

The worker opens the name and the number, and keeps of them only what may be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.applications.cases import Case, case_of, cipher_of
from backend.applications.clocks import CLOCK, days_of
from backend.applications.deciding import procedure_of
from backend.applications.steps import SYSTEM, Circumstances, Step, take_step
from backend.applications.tables import APPLICATION_CLOCK
from backend.applications.upkeep import Rounds
from backend.citizens.tables import PERSON, PERSON_NUMBER
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.calendar import add_working_days
from backend.kernel.crypto import Place
from backend.kernel.row_ids import next_id
from backend.public_notices.tables import PUBLIC_NOTICE, PUBLIC_NOTICE_ENTRY

NOTICE_DAYS: Final = 5
"""Working days, where the procedure does not say how many any more."""
_SHOWN_OF_NUMBER: Final = 2
_HIDDEN_OF_NUMBER: Final = 16
_MOST_STARS: Final = 3

# Of every case in notice the approval that it is in notice for, where no list has it yet.
_WAITING: Final = text(
    """
    SELECT a.id, noticed_by(a.id) AS seq FROM application AS a
    WHERE a.state = 'noticed' AND NOT EXISTS (SELECT FROM public_notice_entry AS e
        WHERE e.application_id = a.id AND e.seq = noticed_by(a.id))
    ORDER BY a.id
    """
)
_OVER: Final = text(
    """
    SELECT a.id FROM application AS a
    JOIN public_notice_entry AS e ON e.application_id = a.id AND e.seq = noticed_by(a.id)
    JOIN public_notice AS n ON n.id = e.notice_id
    WHERE a.state = 'noticed' AND (CAST(:case AS bigint) IS NULL OR a.id = :case)
        AND n.last_day < :today AND NOT EXISTS (SELECT FROM notice_objection AS o
            WHERE o.application_id = a.id AND o.state = 'open')
    ORDER BY a.id
    """
)
_MOOT: Final = text(
    """
    UPDATE notice_objection AS o SET state = 'moot', decided_at = now() FROM application AS a
    WHERE o.state = 'open' AND a.id = o.application_id AND a.state <> 'noticed'
    """
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that no list has yet. `seq`: of its approval."""

    case_id: int
    seq: int


def waiting(session: Session) -> Sequence[Waiting]:
    """The cases that should be on a list, and are not."""
    return [Waiting(row.id, row.seq) for row in session.execute(_WAITING)]


def publish(session: Session, one: Waiting, rounds: Rounds) -> int | None:
    """Put a case on today's list of its place; the list. None: it is on one, or not in notice.

    The period of the notice runs from here: the list is up for all its working days, whenever the
    case was approved.
    """
    case = case_of(session, one.case_id, lock=True)
    if case.state != "noticed" or one not in waiting(session):
        return None
    days = days_of(procedure_of(rounds.book, case), "notice") or NOTICE_DAYS
    before = rounds.today - timedelta(days=1)
    due = add_working_days(before, days)
    notice = _list(session, case, rounds.today, due.day)
    session.execute(insert(PUBLIC_NOTICE_ENTRY).values(_entry(session, case, one, rounds, notice)))
    _run_clock(session, case, {
        "started_on": before, "working_days": days, "due_on": due.day,
        "provisional": due.provisional,
    })  # fmt: skip
    audit.deed(
        session, SYSTEM, "public_notice.publish", Subject("public_notice", str(notice)),
        person=case.person_id, application=str(case.id), until=due.day.isoformat(),
    )  # fmt: skip
    return notice


def over(session: Session, today: date, case_id: int | None = None) -> Sequence[int]:
    """The cases whose list is down, and against which nothing is open."""
    return session.scalars(_OVER, {"today": today, "case": case_id}).all()


def confirm(session: Session, case_id: int, rounds: Rounds) -> Case | None:
    """Grant a case whose notice is over; None: it is not, or not any more."""
    case = case_of(session, case_id, lock=True)
    if not over(session, rounds.today, case_id):
        return None
    procedure = procedure_of(rounds.book, case)
    given = Circumstances(SYSTEM, rounds.keyring, procedure, rounds.today)
    return take_step(session, case, Step("confirm"), given)


def settle_moot(session: Session) -> int:
    """Close objections to what is not in notice any more; how many."""
    return int(session.execute(_MOOT).rowcount)  # type: ignore[attr-defined]


def masked_name(name: str) -> str:
    """`张**`: the first sign of it; what is longer than four signs is not told either."""
    first = name[:1] if not name[:1].isdigit() and name[:1] != "*" else ""
    return first + "*" * min(max(len(name) - 1, 1), _MOST_STARS)


def masked_number(number: str) -> str:
    """The last two signs; nothing of where or when somebody was born."""
    shown = number[-_SHOWN_OF_NUMBER:] if len(number) == _HIDDEN_OF_NUMBER + 2 else "**"
    return "*" * _HIDDEN_OF_NUMBER + shown


def _list(session: Session, case: Case, first: date, last: date) -> int:
    values = {"area": case.area, "first_day": first, "last_day": last}
    new = upsert(PUBLIC_NOTICE).values(id=next_id(session), **values)
    session.execute(new.on_conflict_do_nothing())
    return int(session.execute(select(PUBLIC_NOTICE.c.id).filter_by(**values)).scalar_one())


def _entry(
    session: Session, case: Case, one: Waiting, rounds: Rounds, notice: int
) -> Mapping[str, Any]:
    whom = _person(session, case)
    cipher = cipher_of(session, rounds.keyring, case)
    name = cipher.open(Place("person", "name", case.person_id), bytes(whom.name))
    sealed = bytes(whom.number or b"")
    number = cipher.open(Place("person_number", "number", case.person_id), sealed)
    return {
        "id": next_id(session), "notice_id": notice, "application_id": case.id, "seq": one.seq,
        "name": masked_name(name), "number": masked_number(number), "kind": case.kind,
    }  # fmt: skip


def _person(session: Session, case: Case) -> Any:
    mine = (PERSON_NUMBER.c.person_id == PERSON.c.id) & PERSON_NUMBER.c.current
    query = (
        select(PERSON.c.name, PERSON_NUMBER.c.number)
        .select_from(PERSON)
        .outerjoin(PERSON_NUMBER, mine)
        .where(PERSON.c.id == case.person_id)
    )
    return session.execute(query.limit(1)).one()


def _run_clock(session: Session, case: Case, period: Mapping[str, Any]) -> None:
    running = update(APPLICATION_CLOCK).where(
        CLOCK.application_id == case.id, CLOCK.clock == "notice", CLOCK.ended_on.is_(None)
    )
    if not session.execute(running.values(period)).rowcount:  # type: ignore[attr-defined]
        row = {"application_id": case.id, "clock": "notice", **period}
        session.execute(insert(APPLICATION_CLOCK).inline().values(row))
