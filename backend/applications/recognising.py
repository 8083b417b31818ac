"""认定 (recognising): a recognition becomes an identity, from the day of submitting.

It stands beside what the departments' rosters say (`identity.application_id`): they neither change
nor end it. Taken back, it goes to the history, and the next run finds what is to be given back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.applications.ground import Ground, whom
from backend.citizens.codes import Codes
from backend.citizens.exchange.staging import keep
from backend.citizens.exchange.step import take_turn
from backend.citizens.tables import IDENTITY
from backend.kernel.clock import CHINA
from backend.kernel.copy import raw
from backend.kernel.row_ids import next_id
from backend.policies.policy import Policy

OWN: Final = IDENTITY.c
NO_FILE: Final = 0
YEARS: Final = "identity.recognition.years"
"""The parameter of a policy by which those that it counts back are recognised for so long."""
FOREVER: Final = date.max
_NEVER: Final = "infinity"


def recognise(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """The identity that was asked for; the years that it concerns."""
    version, own = take_turn(session), whom(session, case.person_id)
    from_on = submitted_on(case)
    policy = ground.book.policy(case.policy)
    department = ground.book.vocabulary.categories[case.category].departments[0]
    row = {
        "id": next_id(session), "person_id": own.id, "area": own.area,
        "category": Codes.numbers(session, "category", [case.category])[case.category],
        "department": Codes.numbers(session, "department", [department])[department],
        "from_on": from_on, "to_on": last_day(policy, case.category, from_on) or _NEVER,
        "applied_on": from_on, "certificate": b"", "file_id": NO_FILE, "revision": version,
        "application_id": case.id,
    }  # fmt: skip
    session.execute(insert(IDENTITY).inline().values(row))
    return years_of(policy, case.category, from_on, ground.today)


def take_back(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """The identity was never rightly held; the years that this concerns."""
    version = take_turn(session)
    ids = list(session.scalars(select(OWN.id).where(OWN.application_id == case.id)))
    keep(raw(session), IDENTITY, ids, version)
    session.execute(IDENTITY.delete().where(OWN.id.in_(ids)))
    policy = ground.book.policy(case.policy)
    return years_of(policy, case.category, submitted_on(case), ground.today)


def submitted_on(case: Case) -> date:
    """The day of submitting. Raises `ValueError` for a draft."""
    if case.submitted_at is None:
        raise ValueError("the case was not submitted")
    return case.submitted_at.astimezone(CHINA).date()


def last_day(policy: Policy, category: str, from_on: date) -> date | None:
    """The last day of the recognition; None: the policy sets no end."""
    parameter = policy.parameters.get(YEARS)
    if parameter is None or not counts_back(policy, category):
        return None
    dated = parameter.on(from_on)
    if dated is None or not isinstance(dated.value, int):
        return None
    return _years_on(from_on, dated.value) - timedelta(days=1)


def counts_back(policy: Policy, category: str) -> bool:
    """Whether the policy counts the identity back from the day of applying."""
    rules = policy.benefits.identities.retroactive
    return any(category in rule.categories for rule in rules)


def years_of(policy: Policy, category: str, from_on: date, today: date) -> Sequence[int]:
    """The years in which the identity may change what is paid."""
    first = from_on.year - counts_back(policy, category)
    return range(first, max(today.year, from_on.year) + 1)


def _years_on(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
