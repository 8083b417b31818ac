"""预计金额 (expected): what may come of an application, shown before it is signed, with its steps.

Decided as matching would decide it, from what is known now. For bills that are applied for: what
the layer pays on them. For a recognition: what the person's bills of the last twelve months would
bring beyond what they bring already, if the identity counted on them; it counts from the day of
submitting, so that this is what similar costs would bring. Other kinds: nothing is worked out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.applications.claims import bills_named
from backend.applications.completeness import category_of
from backend.applications.drafts import Answered
from backend.applications.ground import whom
from backend.estimation.terms import Rules
from backend.kernel.copy import raw
from backend.kernel.money import format_yuan
from backend.matching.numbers import numbers_as_known
from backend.matching.one_person import (
    Decided,
    Knowing,
    claiming,
    decided,
    holding,
    person_now,
)
from backend.policies.procedures import Procedure

MOST_STEPS: Final = 60
_YEARS: Final = text("SELECT DISTINCT discharged_on FROM bill WHERE id = ANY (:ids)")
_NOT_NOW: Final = (
    "以上按申请的身份已经管用来算：身份从提交申请那天起算，这是同样的费用以后能得到的。"
)
_BY_APPLICATION: Final = "其中要另外申请的，以批准为准。"


@dataclass(frozen=True, slots=True)
class Expected:
    """Fen, and how they come about, for residents."""

    amount: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """By which procedure and rules, on which day."""

    procedure: Procedure
    rules: Rules
    today: date


def expected(
    session: Session, case: Case, answers: Mapping[str, Answered], asking: Asking
) -> Expected | None:
    """What may come of the case; None: nothing can be worked out for its kind, or its answers are
    not there yet.

    Raises `AnswerWrong` for bills that are not the person's.
    """
    if asking.procedure.brings == "claim":
        return _of_bills(session, case, answers, asking)
    if asking.procedure.brings == "identity":
        return _of_identity(session, case, answers, asking)
    return None


def _of_bills(
    session: Session, case: Case, answers: Mapping[str, Answered], asking: Asking
) -> Expected | None:
    bills = set(bills_named(session, case, asking.procedure, answers))
    layer = asking.procedure.layer
    if not bills or layer is None:
        return None
    by, person = _knowing(session, asking), whom(session, case.person_id)
    found: list[Decided] = []
    days = session.execute(_YEARS, {"ids": list(bills)}).scalars()
    for year in sorted({day.year for day in days}):
        data = person_now(raw(session), person.id, year)
        data = claiming(data, sorted(bills), by.numbers.layers[layer])
        found += [
            one for one in decided(data, year, by)
            if one.bill_id in bills and one.payment.layer == layer
        ]  # fmt: skip
    return Expected(_sum(found), tuple(_steps(found)))


def _of_identity(
    session: Session, case: Case, answers: Mapping[str, Answered], asking: Asking
) -> Expected | None:
    category = category_of(asking.procedure, answers)
    if not category:
        return None
    by, person = _knowing(session, asking), whom(session, case.person_id)
    first = _a_year_before(asking.today)
    number = by.numbers.number_of_category(category)
    more, found = 0, list[Decided]()
    for year in range(first.year, asking.today.year + 1):
        data = person_now(raw(session), person.id, year)
        held = holding(data, number, first, asking.today)
        with_it = _within(decided(held, year, by, claims=False), first, asking.today)
        without = _within(decided(data, year, by, claims=False), first, asking.today)
        more += _sum(with_it) - _sum(without)
        found += with_it
    words = [*_steps(found), _NOT_NOW, _BY_APPLICATION] if more > 0 else []
    return Expected(max(more, 0), tuple(words))


def _knowing(session: Session, asking: Asking) -> Knowing:
    return Knowing(asking.rules, numbers_as_known(session, asking.rules.book))


def _within(found: Iterator[Decided], first: date, last: date) -> list[Decided]:
    return [one for one in found if first <= one.discharged_on <= last]


def _sum(found: Sequence[Decided]) -> int:
    return sum(one.payment.amount for one in found)


def _steps(found: Sequence[Decided]) -> Iterator[str]:
    for one in found[:MOST_STEPS]:
        explained = one.payment.explained
        if explained is None or not explained.steps:
            continue
        said = "".join(step.text for step in explained.steps)
        yield f"{one.discharged_on} 的费用（{format_yuan(one.total)} 元）：{said}"


def _a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1) + timedelta(days=1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28) + timedelta(days=1)
