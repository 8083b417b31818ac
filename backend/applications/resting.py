"""保存年限 (resting): cases whose years of keeping are over lose what was said and handed in.

What stays is that there was a case, its steps without notes, and its days. What goes, and that it
is time, the database looks at itself (`migrations/sql/laid_to_rest.sql`); stored files of papers go
with the next sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from backend.applications.cases import Case, of_case
from backend.applications.steps import SYSTEM
from backend.applications.tables import APPLICATION_RESTED
from backend.kernel import audit

DEED: Final = "rest"
MOST: Final = 10_000
"""In one day; the others on the next."""
_OVER: Final = text(
    """
    SELECT a.id FROM application AS a
    WHERE (a.ended_at AT TIME ZONE 'Asia/Shanghai')::date + make_interval(years => a.keep_years)
            < :today
        AND NOT EXISTS (SELECT FROM application_rested AS r WHERE r.application_id = a.id)
        AND (CAST(:case AS bigint) IS NULL OR a.id = :case)
    ORDER BY a.id LIMIT :most
    """
)


def kept_long_enough(session: Session, today: date, case_id: int | None = None) -> Sequence[int]:
    """The cases, or the one, whose years were over before the day. As `worker`."""
    return session.scalars(_OVER, {"today": today, "case": case_id, "most": MOST}).all()


def lay_to_rest(session: Session, case: Case) -> None:
    """Take away what was said and handed in. As `worker`; the database refuses a case that is still
    kept.
    """
    session.execute(insert(APPLICATION_RESTED).inline().values(application_id=case.id))
    audit.deed(session, SYSTEM, "application.rest", of_case(case), person=case.person_id)
