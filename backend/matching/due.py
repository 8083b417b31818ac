"""应享待遇 (due): entitlements in kind of a slice, as the rows that keep them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from backend.kernel.copy import FAR_FUTURE, Columns
from backend.matching.in_kind import Held, People, entitlements_due
from backend.matching.numbers import Numbers
from backend.matching.slice_data import NEWEST, OLDEST, SliceData, places
from backend.matching.spans import Span
from backend.policies.book import Vocabulary


@dataclass(frozen=True)
class InKind:
    """`rows`: columns of `entitlement`; `undecided`: (policy, entitlement code) → how many people
    hold the categories, where the document leaves to a person who exactly is meant."""

    rows: Columns
    undecided: dict[tuple[str, str], int]


def due_in_kind(
    data: SliceData, classes: Columns, spans: tuple[Span, ...], words: Vocabulary, numbers: Numbers
) -> InKind:
    """Everything in kind that the people are due in the year under the policies of the county."""
    people = data.people
    masks = np.zeros(len(people["id"]), np.int64)
    masks[places(people["id"], classes["person_id"])] = classes["classes"]
    codes, due, asked = entitlements_due(
        [(span.policy, span.first, span.last) for span in spans],
        People(
            born_on=people["born_on"],
            sex=people["sex"],
            rural=people["rural"],
            area=people["area"],
            insurance=people["insurance"].astype(np.int8),
            died_on=people["died_on"],
            left_on=people["left_on"],
            disease_classes=masks,
        ),
        _held(data, numbers),
        words,
        spans_year(spans),
    )
    policies = np.asarray([numbers.policies[policy] for policy, _ in codes], np.int16)
    own = np.asarray([numbers.entitlements[code] for _, code in codes], np.int16)
    delivery = np.asarray([*numbers.deliveries.values()], np.int16)
    rows = {
        "person_id": people["id"][due.person],
        "policy": policies[due.entitlement],
        "code": own[due.entitlement],
        "from_on": due.from_,
        "to_on": due.to,
        "delivery": delivery[due.delivery],
        "area": people["area"][due.person],
    }
    return InKind(rows, asked)


def spans_year(spans: tuple[Span, ...]) -> int:
    """The calendar year that the spans lie in; 0 for none."""
    return date.fromordinal(spans[0].first).year if spans else 0


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
