"""应享待遇 (due): entitlements in kind of a slice, as the rows that keep them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.kernel.copy import FAR_FUTURE, Columns
from backend.matching.ground import Ground
from backend.matching.in_kind import Found, entitlements_due
from backend.matching.in_kind_columns import Held, InsuranceChanges, People, Questions
from backend.matching.numbers import Numbers
from backend.matching.slice_data import NEWEST, OLDEST, SliceData, places
from backend.policies.entitlements import DELIVERIES


@dataclass(frozen=True)
class InKind:
    """`rows`: columns of `entitlement`; `questions`: what a person decides, by place among the
    people and in `entitlements` (policy, code)."""

    rows: Columns
    questions: Questions
    entitlements: tuple[tuple[str, str], ...]


def due_in_kind(data: SliceData, classes: Columns, ground: Ground) -> InKind:
    """Everything in kind that the people are due in the year under the policies of the county."""
    numbers = ground.numbers
    people = data.people
    masks = np.zeros(len(people["id"]), np.int64)
    for owner, bits in (
        (classes["person_id"], classes["classes"]),
        (data.bills["person_id"], data.bills["disease_classes"]),
    ):
        np.bitwise_or.at(masks, places(people["id"], owner), bits)
    changes = InsuranceChanges(
        places(people["id"], data.changes["person_id"]),
        data.changes["on_day"],
        data.changes["insurance"].astype(np.int8),
    )
    found = entitlements_due(
        [(span.policy, span.first, span.last) for span in ground.spans],
        People(
            born_on=people["born_on"],
            sex=people["sex"],
            rural=people["rural"],
            area=people["area"],
            insurance=people["insurance"].astype(np.int8),
            died_on=people["died_on"],
            left_on=people["left_on"],
            disease_classes=masks,
            changes=changes,
        ),
        _held(data, numbers),
        ground.rules.book.vocabulary,
        ground.year,
    )
    return InKind(_rows(found, people, numbers), found.questions, found.entitlements)


def _rows(found: Found, people: Columns, numbers: Numbers) -> Columns:
    due, codes = found.due, found.entitlements
    policies = np.asarray([numbers.policies[policy] for policy, _ in codes], np.int16)
    own = np.asarray([numbers.entitlements[code] for _, code in codes], np.int16)
    deliveries = np.asarray([numbers.deliveries.get(code, 0) for code in DELIVERIES], np.int16)
    return {
        "person_id": people["id"][due.person],
        "policy": policies[due.entitlement],
        "code": own[due.entitlement],
        "from_on": due.from_,
        "to_on": due.to,
        "delivery": deliveries[due.delivery],
        "area": people["area"][due.person],
    }


def _held(data: SliceData, numbers: Numbers) -> Held:
    rows = data.identities
    category = numbers.category_places[rows["category"]]
    known = category >= 0
    to = rows["to_on"][known]
    return Held(
        person=places(data.people["id"], rows["person_id"])[known],
        category=category[known].astype(np.int16),
        from_=np.maximum(rows["from_on"][known], OLDEST),
        to=np.where(to > NEWEST, FAR_FUTURE, to).astype(np.int32),
        applied_on=rows["applied_on"][known],
        taper_until=rows["taper_until"][known],
    )
