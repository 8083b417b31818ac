"""预警清单 (lists): warnings of an area, by state, for staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.kernel import audit
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


@dataclass(frozen=True, slots=True)
class Within:
    """Which warnings: those of the places from `low` to `high`; of a state, where one is given."""

    low: int
    high: int
    state: str | None = None


def warnings_in(session: Session, who: audit.Who, within: Within) -> Sequence[Warned]:
    """The warnings of some places, newest first; the people are told that `who` looked."""
    visits = (
        select(func.count()).where(WARNING_VISIT.c.warning_id == WARNING.c.id).scalar_subquery()
    )
    names = [name for name in Warned.__slots__ if name != "visits"]
    query = select(WARNING.c.person_id, *(WARNING.c[name] for name in names), visits).where(
        WARNING.c.area.between(within.low, within.high)
    )
    if within.state is not None:
        query = query.where(WARNING.c.state == within.state)
    people, found = set[int](), []
    for person, *shown in session.execute(query.order_by(WARNING.c.id.desc())):
        people.add(person)
        found.append(Warned(*shown))
    audit.read_people(session, who, sorted(people), "visit", ("bills", "household"))
    return found
