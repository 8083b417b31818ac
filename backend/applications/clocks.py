"""期限 (clocks): the periods of a case: several at once, counted in working days, stopped by 补正.

How long each is says the procedure of the policy. A period that stood still is longer by the
working days of that time. Days that the State Council has not arranged yet make it `provisional`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.applications.tables import APPLICATION_CLOCK
from backend.kernel.calendar import add_working_days, working_days_between
from backend.policies.procedures import Procedure

CLOCK: Final = APPLICATION_CLOCK.c
NAMES: Final[Mapping[str, str]] = {
    "first_review": "初审",
    "approval": "审批",
    "supplement": "补正",
    "papers_owed": "补交材料",
    "notice": "公示",
    "appeal": "提出申诉",
    "appeal_review": "申诉复查",
    "revocation": "撤销复核",
}
"""Clock → its name."""
ALL: Final = tuple(NAMES)
_OFFICE: Final = ("first_review", "approval")


@dataclass(frozen=True, slots=True)
class Turn:
    """What a deed does to the clocks. `ends`, `starts`, `stops`: which; `resumes`: those that
    stood still run on."""

    ends: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    resumes: bool = False


_OVER: Final = Turn(ends=ALL)
TURNS: Final[Mapping[str, Turn]] = {
    "submit": Turn(starts=("first_review",)),
    "accept": Turn(starts=("approval",)),
    "ask": Turn(starts=("supplement",), stops=_OFFICE),
    # What was asked for before the case was accepted, accepts it; after a review both begin anew.
    "supply": Turn(ends=("supplement",), resumes=True, starts=_OFFICE),
    "help": Turn(ends=("first_review",), starts=("papers_owed",)),
    "review": Turn(ends=("first_review", "papers_owed")),
    "return": Turn(starts=("first_review",)),
    "approve": Turn(ends=_OFFICE, starts=("notice",)),
    "stop": Turn(ends=("notice",), starts=("approval",)),
    "refuse": Turn(ends=ALL, starts=("appeal",)),
    "appeal": Turn(ends=("appeal",), starts=("appeal_review",)),
    "overturn": Turn(ends=("appeal_review",), starts=_OFFICE),
    "propose": Turn(starts=("revocation",)),
    "keep": Turn(ends=("revocation",)),
    "confirm": Turn(ends=("notice",)),
    **dict.fromkeys(
        ("discard", "expire", "withdraw", "lapse", "file", "uphold", "revoke", "close"), _OVER
    ),
}
"""Deed → what it does; the others leave the clocks alone."""


@dataclass(frozen=True, slots=True)
class Running:
    """A period that runs or stands still. `due_on`: the last day; `provisional`: it may move."""

    clock: str
    started_on: date
    due_on: date
    provisional: bool
    stopped_on: date | None


def turn(session: Session, case: Case, deed: str, procedure: Procedure, today: date) -> None:
    """Turn the clocks as the deed on the case does. A clock that the procedure does not know is
    not started; nor is that of a notice where none follows.
    """
    done = TURNS.get(deed, Turn())
    if done.ends:
        ended = update(APPLICATION_CLOCK).where(*_of(case), CLOCK.clock.in_(done.ends))
        session.execute(ended.values(ended_on=today))
    if done.stops:
        stopped = update(APPLICATION_CLOCK).where(
            *_of(case), CLOCK.clock.in_(done.stops), CLOCK.stopped_on.is_(None)
        )
        session.execute(stopped.values(stopped_on=today))
    if done.resumes:
        _resume(session, case, today)
    for clock in done.starts:
        if clock != "notice" or case.notice:
            _start(session, case, clock, procedure, today)


def running(session: Session, case_id: int) -> tuple[Running, ...]:
    """The periods of a case that have not ended, that which is due first in front."""
    query = select(
        CLOCK.clock, CLOCK.started_on, CLOCK.due_on, CLOCK.provisional, CLOCK.stopped_on
    ).where(CLOCK.application_id == case_id, CLOCK.ended_on.is_(None))
    return tuple(Running(*row) for row in session.execute(query.order_by(CLOCK.due_on)))


def days_of(procedure: Procedure, clock: str) -> int | None:
    """How many working days the clock runs; None: the procedure knows none."""
    deadline = procedure.deadlines.get(clock)
    if clock == "notice" and procedure.notice is not None:
        return procedure.notice
    return None if deadline is None else deadline.working_days


def _of(case: Case) -> tuple[Any, ...]:
    return CLOCK.application_id == case.id, CLOCK.ended_on.is_(None)


def _start(session: Session, case: Case, clock: str, procedure: Procedure, today: date) -> None:
    days = days_of(procedure, clock)
    if days is None:
        return
    again = select(CLOCK.id).where(*_of(case), CLOCK.clock == clock)
    if session.execute(again).first() is not None:
        return
    due = add_working_days(today, days)
    row = {
        "application_id": case.id, "clock": clock, "started_on": today,
        "working_days": days, "due_on": due.day, "provisional": due.provisional,
    }  # fmt: skip
    session.execute(insert(APPLICATION_CLOCK).inline().values(row))


def _resume(session: Session, case: Case, today: date) -> None:
    stood = select(APPLICATION_CLOCK).where(*_of(case), CLOCK.stopped_on.is_not(None))
    for row in session.execute(stood).all():
        session.execute(
            update(APPLICATION_CLOCK).where(CLOCK.id == row.id).values(**_longer(row, today))
        )


def _longer(row: Row[Any], today: date) -> dict[str, Any]:
    """The period as it runs on from today: longer by the working days on which it stood still."""
    stood = working_days_between(row.stopped_on, today).days
    due = add_working_days(row.started_on, row.working_days + stood)
    return {
        "working_days": row.working_days + stood,
        "due_on": due.day,
        "provisional": due.provisional,
        "stopped_on": None,
    }
