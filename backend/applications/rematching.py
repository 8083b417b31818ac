"""重新匹配 (rematching): the county's next run for the years that an effect concerns.

A run computes whom something has changed, so a run of the county is as quick as one of a person;
and it is released, explained and paid like any other. What waits is taken by the first run that
begins after it: many grants of a day are one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.applications.effect_tables import APPLICATION_MATCH
from backend.applications.ground import whom
from backend.matching.runs import StartRun, finish_run
from backend.matching.tasks import begin

ASKED: Final = APPLICATION_MATCH.c
_COUNTY: Final = 1_000_000
# Years that no run was of the county where the person lives now, and the person has no entry by any
# run of the year, once every run is released.
_MISSED: Final = text(
    f"""
    SELECT DISTINCT asked.year FROM application_match AS asked
        JOIN person AS p ON p.id = person_now(:person)
    WHERE asked.application_id = :case AND p.area >= {_COUNTY}
        AND NOT EXISTS (SELECT FROM application_match AS own
            LEFT JOIN match_run AS run ON run.id = own.run_id
            WHERE own.application_id = :case AND (run.state IS DISTINCT FROM 'released'
                OR own.area = p.area / {_COUNTY} AND own.year = asked.year))
        AND NOT EXISTS (SELECT FROM grant_entry AS entry
            JOIN application_match AS own ON own.run_id = entry.run_id
            WHERE own.application_id = :case AND own.year = asked.year
                AND person_now(entry.person_id) = p.id)
    ORDER BY asked.year
    """
)


def ask_to_match(session: Session, case: Case, years: Sequence[int], today: date) -> None:
    """The county of the case's person is to be matched for the years."""
    county = whom(session, case.person_id).area // _COUNTY
    rows = [
        {"application_id": case.id, "area": county, "year": year, "asked_on": today}
        for year in years
        if county
    ]
    if rows:
        session.execute(insert(APPLICATION_MATCH).inline(), rows)


def follow(session: Session, case: Case, today: date) -> bool:
    """Ask for the same years in the county where the person of the case lives now, where the runs
    of the other one were released and brought nothing: whoever moved before a run began was not in
    it. Whether that was so.
    """
    found = session.execute(_MISSED, {"case": case.id, "person": case.person_id}).all()
    if not found:
        return False
    ask_to_match(session, case, [row.year for row in found], today)
    return True


def waiting(session: Session, case_id: int | None = None) -> Sequence[tuple[int, int]]:
    """(county, year) for which a run is waited for; of one case, or of all."""
    query = select(ASKED.area, ASKED.year).where(ASKED.run_id.is_(None)).distinct()
    if case_id is not None:
        query = query.where(ASKED.application_id == case_id)
    return [(row.area, row.year) for row in session.execute(query.order_by(ASKED.area, ASKED.year))]


def begin_run(session: Session, command: StartRun) -> bool:
    """Begin a run for what waits in the area and year; False: one that began before still computes,
    and has not seen it: to be tried again. Nothing is begun where nothing waits.

    As `worker`. Raises `UnknownArea`.
    """
    mine = (
        (ASKED.area == int(command.area))
        & (ASKED.year == command.year)
        & ASKED.run_id.is_(None)
    )  # fmt: skip
    ids = session.scalars(select(ASKED.id).where(mine).order_by(ASKED.id).with_for_update()).all()
    if not ids:
        return True
    begun = begin(session, command)
    if begun.resumed:
        return False
    taken = update(APPLICATION_MATCH).where(ASKED.id.in_(ids))
    session.execute(taken.values(run_id=begun.run_id))
    if not begun.parts:
        finish_run(session, begun.run_id)
    return True
