"""预警清单 (lists): warnings of an area, by state, for staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.warnings.tables import WARNING, WARNING_VISIT


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning. Money in fen; `income` −1 where the rule does not ask for it."""

    id: int
    kind: str
    rule: str
    state: str
    area: int
    year: int
    burden: int
    line: int
    income: int
    as_of: date
    visits: int


def warnings_in(session: Session, low: int, high: int, state: str | None) -> Sequence[Warned]:
    """The warnings of the places from `low` to `high`, newest first."""
    visits = (
        select(func.count()).where(WARNING_VISIT.c.warning_id == WARNING.c.id).scalar_subquery()
    )
    names = [name for name in Warned.__slots__ if name != "visits"]
    query = select(*(WARNING.c[name] for name in names), visits).where(
        WARNING.c.area.between(low, high)
    )
    if state is not None:
        query = query.where(WARNING.c.state == state)
    return [Warned(*row) for row in session.execute(query.order_by(WARNING.c.id.desc()))]
