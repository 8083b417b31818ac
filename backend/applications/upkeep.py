"""到期办理 (upkeep): what comes by itself with the days, one case and deed at a time.

A case whose period nears its end goes to the desk above, and after it to the next one; so does one
whose desk nobody holds. Supplements that never came lapse, drafts that lie expire, refused cases
are closed when nobody appealed, cases whose years are over are laid to rest. Notices (公示) end
with what public_notices knows of objections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, select, text, update
from sqlalchemy.orm import Session

from backend.applications import laid_aside, resting
from backend.applications.cases import Case, case_of
from backend.applications.clocks import CLOCK
from backend.applications.deciding import procedure_of
from backend.applications.steps import SYSTEM, Circumstances, Step, take_step
from backend.applications.tables import APPLICATION_CLOCK
from backend.kernel.calendar import add_working_days
from backend.kernel.crypto import Keyring
from backend.policies.book import PolicyBook

NEAR: Final = 2
"""Working days before the end of a period: from then on the desk above has the case."""
UNTIMED_DAYS: Final = 30
"""Where no period runs at a desk: after so many days without a step it counts as over."""
OVER_DEEDS: Final[Mapping[str, tuple[str, str]]] = {
    "lapse": ("supplement", "supplement"),
    "close": ("refused", "appeal"),
}
"""Deed → the state that it ends, and the clock whose last day must have gone by."""

_AT_END: Final = text(
    """
    SELECT a.id FROM application AS a JOIN application_clock AS c ON c.application_id = a.id
    WHERE a.state = :state AND c.clock = :clock AND c.ended_on IS NULL AND c.stopped_on IS NULL
        AND c.due_on < :today AND (CAST(:case AS bigint) IS NULL OR a.id = :case)
    ORDER BY a.id
    """
)
# By how many levels a case should be raised: one where its period nears its end, two after it;
# papers owed and notices are over first.
_RISING: Final = text(
    """
    WITH at_desk AS (
        SELECT a.id, a.raised, a.desk, a.area,
            (SELECT (max(s.at) AT TIME ZONE 'Asia/Shanghai')::date + :untimed
                FROM application_step AS s WHERE s.application_id = a.id) AS untimed
        FROM application AS a
        WHERE a.desk IN ('township_reviewer', 'county_officer') AND a.ended_at IS NULL
            AND (CAST(:case AS bigint) IS NULL OR a.id = :case)
    ), timed AS (
        SELECT d.*, (
            SELECT max(CASE WHEN c.due_on < :today THEN 1 + (c.clock <> ALL (:late))::integer
                    WHEN c.due_on <= :near AND c.clock <> ALL (:late) THEN 1 ELSE 0 END)
            FROM application_clock AS c WHERE c.application_id = d.id
                AND c.ended_on IS NULL AND c.stopped_on IS NULL) AS wanted
        FROM at_desk AS d
    ), lists AS (
        SELECT DISTINCT desk, (CAST(:places AS jsonb) ->> desk)::bigint AS places,
            area - mod(area, (CAST(:places AS jsonb) ->> desk)::bigint) AS place
        FROM at_desk
    ), empty AS (
        SELECT * FROM lists WHERE NOT list_manned(desk, place)
    )
    SELECT t.id FROM timed AS t
    WHERE t.raised < coalesce(t.wanted, (t.untimed < :today)::integer)
        OR EXISTS (SELECT FROM empty AS e
            WHERE e.desk = t.desk AND t.area >= e.place AND t.area < e.place + e.places)
    ORDER BY t.id
    """
)
_PLACES: Final = '{"township_reviewer": 1000, "county_officer": 1000000}'
_LATE: Final = ["papers_owed", "notice"]
"""Clocks that are no desk's own: what they ask for is over first, then the desk above has it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A deed that the system owes a case."""

    case_id: int
    deed: str


@dataclass(frozen=True, slots=True)
class Rounds:
    """By which rules, with which keys, on which day."""

    book: PolicyBook
    keyring: Keyring
    today: date


def due_by_itself(
    session: Session, book: PolicyBook, today: date, case_id: int | None = None
) -> Sequence[Due]:
    """What is due on the day, of all cases or of one."""
    return [
        *(Due(one, deed) for deed in OVER_DEEDS for one in _at_end(session, deed, today, case_id)),
        *(Due(one, "expire") for one in laid_aside.over(session, book, today, case_id)),
        *(Due(one, resting.DEED) for one in resting.kept_long_enough(session, today, case_id)),
        *(Due(one, "escalate") for one in _rising(session, today, case_id)),
    ]


def do_by_itself(session: Session, due: Due, rounds: Rounds) -> Case | None:
    """Do it if it is still due; None: it is not any more."""
    case = case_of(session, due.case_id, lock=True)
    if due not in due_by_itself(session, rounds.book, rounds.today, due.case_id):
        return None
    if due.deed == resting.DEED:
        resting.lay_to_rest(session, case)
        return case
    procedure = procedure_of(rounds.book, case)
    given = Circumstances(SYSTEM, rounds.keyring, procedure, rounds.today)
    return take_step(session, case, Step(due.deed), given)


def recount(session: Session) -> int:
    """Count provisional periods anew: by the days that the State Council has arranged meanwhile.

    Returns how many end on another day, or are certain now.
    """
    running = select(APPLICATION_CLOCK).where(CLOCK.ended_on.is_(None), CLOCK.provisional)
    return sum(_counted_anew(session, row) for row in session.execute(running.order_by(CLOCK.id)))


def _counted_anew(session: Session, row: Row[Any]) -> bool:
    due = add_working_days(row.started_on, row.working_days)
    if (due.day, due.provisional) == (row.due_on, row.provisional):
        return False
    changed = update(APPLICATION_CLOCK).where(CLOCK.id == row.id)
    session.execute(changed.values(due_on=due.day, provisional=due.provisional))
    return True


def _at_end(session: Session, deed: str, today: date, case_id: int | None) -> Iterator[int]:
    state, clock = OVER_DEEDS[deed]
    values = {"state": state, "clock": clock, "today": today, "case": case_id}
    return iter(session.scalars(_AT_END, values).all())


def _rising(session: Session, today: date, case_id: int | None) -> Sequence[int]:
    values = {
        "today": today, "near": add_working_days(today, NEAR).day, "case": case_id,
        "untimed": UNTIMED_DAYS, "places": _PLACES, "late": _LATE,
    }  # fmt: skip
    return session.scalars(_RISING, values).all()
