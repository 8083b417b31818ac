"""依申请的一层 (on application): paid only on bills that a granted application names.

On the other bills the layer counts as settled with nothing: their burden uses up a yearly
deductible, as it does in an estimate, and nothing of a yearly limit. What it would pay there is
counted and listed, so that whoever could apply is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg

from backend.citizens.tables import NOT_SETTLED
from backend.kernel.copy import Columns, Kind, read_columns
from backend.matching.ledger import LAYER_BITS, key_of
from backend.matching.numbers import Numbers
from backend.matching.slice_data import Decided, SliceData
from backend.matching.spans import Span
from backend.policies.policy import Policy

_CLAIM: Final[dict[str, Kind]] = {"bill_id": "int8", "layer": "int2"}
_GRANTED: Final = "SELECT bill_id, layer FROM bill_claim WHERE state = 'granted'"
_GRANTED_THEN: Final = (
    "SELECT bill_id, layer FROM bill_claim WHERE person_id = ANY"
    " (SELECT %s UNION SELECT merged_id FROM person_merge WHERE person_id = %s)"
    " AND granted_version BETWEEN 1 AND %s AND (released_version = 0 OR released_version > %s)"
)
Keys = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CouldApply:
    """What applications would bring, an entry a bill and layer: `bill` is its place; fen."""

    bill: npt.NDArray[np.int64]
    layer: npt.NDArray[np.int16]
    amount: npt.NDArray[np.int64]
    policy: npt.NDArray[np.int16]


def layers_on_application(policy: Policy) -> tuple[str, ...]:
    """The layers of the policy that are paid on application alone."""
    return tuple(one.layer for one in policy.benefits.layers if one.only_on_application)


def read_claimed(connection: psycopg.Connection[Any], spans: Sequence[Span]) -> Keys:
    """Bills and layers that granted applications name; none are read where no policy asks."""
    if not any(layers_on_application(span.policy) for span in spans):
        return np.empty(0, np.int64)
    return _keys(read_columns(connection, _GRANTED, _CLAIM))


def claimed_as_of(connection: psycopg.Connection[Any], person_id: int, version: int) -> Keys:
    """The same of one person, as it stood at the data version."""
    asked = [person_id, person_id, version, version]
    return _keys(read_columns(connection, _GRANTED_THEN, _CLAIM, asked))


def as_applied_for(data: SliceData, spans: Sequence[Span], numbers: Numbers) -> SliceData:
    """The data with such a layer settled with nothing on the bills that nobody claims."""
    bills: dict[str, npt.NDArray[Any]] = {}
    for layer, unclaimed in _unclaimed(data, spans, numbers):
        column = f"paid_{layer}"
        paid = bills.get(column, data.bills[column])
        bills[column] = np.where(unclaimed & (paid == NOT_SETTLED), 0, paid)
    return replace(data, bills={**data.bills, **bills}) if bills else data


def could_apply(
    data: SliceData, whole: Decided, spans: Sequence[Span], numbers: Numbers
) -> CouldApply:
    """What such a layer would pay on bills that nobody claims; `whole`: decided as though all were
    claimed."""
    wanted = np.zeros(len(whole.bill), np.bool_)
    for layer, unclaimed in _unclaimed(data, spans, numbers):
        wanted |= (whole.layer == numbers.layers[layer]) & unclaimed[whole.bill]
    return CouldApply(
        whole.bill[wanted], whole.layer[wanted], whole.amount[wanted], whole.policy[wanted]
    )


def any_unclaimed(data: SliceData, spans: Sequence[Span], numbers: Numbers) -> bool:
    """Whether there is a bill on which an application could bring something."""
    return any(
        bool((unclaimed & (data.bills[f"paid_{layer}"] == NOT_SETTLED)).any())
        for layer, unclaimed in _unclaimed(data, spans, numbers)
    )


def _unclaimed(
    data: SliceData, spans: Sequence[Span], numbers: Numbers
) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """By layer and span, the bills of its days that no granted application names."""
    days = data.bills["discharged_on"]
    for span in spans:
        for layer in layers_on_application(span.policy):
            number = np.full(len(days), numbers.layers[layer], np.int16)
            claimed = np.isin(key_of(data.bills["id"], number), data.claimed)
            yield layer, (days >= span.first) & (days <= span.last) & ~claimed


def _keys(claims: Columns) -> Keys:
    return np.unique((claims["bill_id"] << LAYER_BITS) | claims["layer"].astype(np.int64))
