"""年终复核名单 (the review list): people whose yearly burden never passed the deductible.

Tinghu 三(一)2: bills of general and chronic diseases whose yearly burden stays at or under the
deductible are gathered and dealt with once, in January of the next year. The burden and the
deductible are those with which the estimates settle each bill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.calendars.duties import Duty
from backend.calendars.tables import REVIEW_LIST, REVIEW_ROW
from backend.estimation.case import Assumptions, Case
from backend.estimation.identities import counting
from backend.estimation.settle import Settled, Year, settle_bill
from backend.kernel.audit import Subject
from backend.kernel.copy import raw
from backend.matching.cases import cases_of
from backend.matching.deciding import barred
from backend.matching.editions import Edition
from backend.matching.numbers import Numbers, numbers_of
from backend.matching.parts import slices_of
from backend.matching.reading import Reader, Slice
from backend.matching.slice_data import SliceData
from backend.matching.spans import spans_of
from backend.policies.policy import Policy
from backend.worklist.items import NewItem, open_items

BY: Final = "calendar"
_LONGEST: Final = "30min"


@dataclass(frozen=True, slots=True)
class Under:
    """A person under the deductible: the year's bills and burden (fen)."""

    person_id: int
    area: int
    bills: int
    burden: int
    deductible: int


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the burdens are computed from."""

    duty: Duty
    county: str
    policy: Policy
    edition: Edition
    numbers: Numbers


def make_review_list(
    session: Session, duty: Duty, county: str, edition: Edition, on: date
) -> int | None:
    """The list of a county, once, and the task of dealing with it; how many people are on it.

    None where it stands already.
    """
    made = session.execute(
        insert(REVIEW_LIST)
        .values(
            policy=duty.policy,
            layer=duty.layer,
            area=int(county),
            year=duty.year,
            rules_id=edition.id,
            made_on=on,
        )
        .on_conflict_do_nothing()
        .returning(REVIEW_LIST.c.id)
    ).scalar_one_or_none()
    if made is None:
        return None
    session.execute(text(f"SET LOCAL statement_timeout = '{_LONGEST}'"))
    rows = [
        {"list_id": made, **_columns(one)}
        for one in under_deductible(session, duty, county, edition)
    ]
    if rows:
        session.execute(REVIEW_ROW.insert(), rows)
        open_items(session, [_task(duty, county, made, len(rows))], BY)
    return len(rows)


def under_deductible(
    session: Session, duty: Duty, county: str, edition: Edition
) -> Iterator[Under]:
    """Everybody of the county whose burden of the year never passed the deductible, by slice.

    Left out: who was paid something by the layer, and bills that the program does not pay on
    (not insured here, after death or moving away).
    """
    book = edition.rules.book
    policy = book.policy(duty.policy)
    ground = _Ground(duty, county, policy, edition, numbers_of(session, book))
    for part in slices_of(raw(session), county, duty.year):
        yield from _of_slice(session, ground, part)


def review_rows(session: Session, area: str, year: int) -> Sequence[Under] | None:
    """A county's list, by person; None where it has not been made."""
    head, row = REVIEW_LIST.c, REVIEW_ROW.c
    made = select(head.id).where(head.area == int(area), head.year == year)
    lists = list(session.execute(made).scalars())
    if not lists:
        return None
    query = select(*(row[name] for name in Under.__slots__)).where(row.list_id.in_(lists))
    return [Under(*one) for one in session.execute(query.order_by(row.person_id))]


def _of_slice(session: Session, ground: _Ground, part: Slice) -> Iterator[Under]:
    reader = Reader(raw(session), part)
    identities = reader.identities(None)
    ids = np.unique(identities["person_id"])
    if not len(ids):
        return
    data = SliceData(
        ground.county,
        reader.people(ids),
        identities,
        reader.bills(ids),
        reader.changes_of_insurance(ids),
    )
    at = np.flatnonzero(_in_force(ground, data) & ~barred(data).any)
    for own, case in cases_of(data, ground.numbers, at):
        person = int(data.owners[own[0]])
        found = _burden(ground, case)
        if found is not None:
            who = data.people["id"][person], data.people["area"][person]
            yield Under(int(who[0]), int(who[1]), *found)


def _in_force(ground: _Ground, data: SliceData) -> Any:
    discharged = data.bills["discharged_on"]
    within = np.zeros(len(discharged), np.bool_)
    for span in spans_of(ground.edition.rules, ground.county, ground.duty.year):
        if span.policy.id == ground.policy.id:
            within |= (discharged >= span.first) & (discharged <= span.last)
    return within


def _burden(ground: _Ground, case: Case) -> tuple[int, int, int] | None:
    """Bills, burden and deductible; None for who passed it, was paid, or has no burden."""
    settled = [one for one in _settled(ground, case) if _reviewed(one)]
    bills = burden = deductible = 0
    for one in settled:
        if one.situation is None or one.chosen is None:
            continue
        bills += 1
        burden = one.situation.before + one.situation.burden
        deductible = int(one.chosen.row.scale.deductible)
        if burden > deductible or one.amount:
            return None
    return (bills, burden, deductible) if burden else None


def _reviewed(one: Settled) -> bool:
    """A bill of a table that puts off what stays under its deductible."""
    return one.table is not None and one.table.shape.under_deductible is not None


def _settled(ground: _Ground, case: Case) -> Iterator[Settled]:
    """The layer's part of every bill of the year, in the order in which they are taken."""
    rules, year = ground.edition.rules, Year()
    terms_of = rules.terms_of(ground.policy)
    for bill in case.bills:
        day = bill.discharged_on
        terms = terms_of.on(day, rules.assumptions(Assumptions(), ground.county, day))
        held = counting(terms, case.person.identities, bill)
        declined = case.person.declined_health_service
        for one in settle_bill(bill, held, declined, terms, year):
            if one.layer == ground.duty.layer:
                yield one


def _columns(one: Under) -> dict[str, int]:
    return {name: getattr(one, name) for name in Under.__slots__}


def _task(duty: Duty, county: str, made: int, people: int) -> NewItem:
    return NewItem(
        kind="year_end_review",
        subject=Subject("review_list", str(made)),
        person_id=None,
        area=int(county) * 1_000_000,
        reason=f"{duty.year}年没有超过起付线的费用已归集成名单，共 {people} 人：请集中复核办理。",
        period=duty.period,
    )
