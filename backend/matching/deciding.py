"""决定 (deciding): what each layer pays on the bills of a slice, by the engine of the estimates.

A bill is decided by the policy in force at the registered place (户籍地) on the day of discharge.
Nothing is paid by the program on bills of people who were not insured here that day, nor on bills
of a stay that began after death, or that ended when the person had moved away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from backend.citizens.tables import FLAGS, INSURANCE, LAYERS, NOT_SETTLED
from backend.estimation.batch import estimate_batch
from backend.estimation.columns import Batch, BillColumns, PersonColumns
from backend.estimation.estimate import estimate_payments
from backend.estimation.terms import Rules
from backend.kernel.copy import FAR_FUTURE, Columns
from backend.matching.cases import cases_of
from backend.matching.ground import Ground
from backend.matching.numbers import Numbers
from backend.matching.slice_data import (
    NO_IDENTITY,
    Decided,
    SliceData,
    identity_columns,
    in_order,
    places,
)
from backend.matching.spans import Span, bases_of
from backend.policies.policy import Policy

_HERE: Final = (INSURANCE.index("resident"), INSURANCE.index("employee"))


@dataclass(frozen=True)
class Barred:
    """Why a bill is not for the program to pay, a flag a bill."""

    uninsured: npt.NDArray[np.bool_]
    elsewhere: npt.NDArray[np.bool_]
    gone: npt.NDArray[np.bool_]

    @property
    def any(self) -> npt.NDArray[np.bool_]:
        """Barred for one reason or another."""
        return self.uninsured | self.elsewhere | self.gone


def barred(data: SliceData) -> Barred:
    """The bills that the program does not pay on: work for a person."""
    owner, bills = data.owners, data.bills
    insurance = insurance_on(data, owner, bills["discharged_on"])
    here = np.isin(insurance, _HERE)
    elsewhere = insurance == INSURANCE.index("elsewhere")
    gone = (bills["admitted_on"] > data.people["died_on"][owner]) | (
        bills["discharged_on"] >= data.people["left_on"][owner]
    )
    return Barred(~here & ~elsewhere, elsewhere, gone)


def decide(data: SliceData, ground: Ground, barring: Barred) -> Decided:
    """Every computed payment above zero on bills that are not barred."""
    rules, spans, numbers = ground.rules, ground.spans, ground.numbers
    found: list[Decided] = []
    if any(len(bases_of(rules, data.county, days)) > 1 for _, days in by_policy(spans)):
        return one_by_one(data, rules, numbers, np.flatnonzero(~barring.any))
    for policy, days in by_policy(spans):
        within = np.zeros(len(barring.gone), np.bool_)
        for span in days:
            discharged = data.bills["discharged_on"]
            within |= (discharged >= span.first) & (discharged <= span.last)
        at = np.flatnonzero(within & ~barring.any)
        if len(at):
            found.append(_under(policy, days, data, ground, at))
    return in_order(found)


def _under(
    policy: Policy,
    spans: tuple[Span, ...],
    data: SliceData,
    ground: Ground,
    at: npt.NDArray[np.int64],
) -> Decided:
    rules, numbers = ground.rules, ground.numbers
    (base,) = bases_of(rules, data.county, spans)
    batch = Batch(
        PersonColumns(data.people["declined_health_service"]),
        identity_columns(data, numbers),
        _bill_columns(data, numbers, at),
    )
    estimate = estimate_batch(batch, policy, rules, base, threads=1)
    parts = []
    for layer, amounts in estimate.computed.items():
        paying = np.flatnonzero(amounts > 0)
        identity = np.full(len(paying), NO_IDENTITY, np.int16)
        if layer == "medical_assistance":
            identity = numbers.category_numbers[estimate.identity[paying]]
        parts.append(
            Decided(
                at[paying],
                np.full(len(paying), numbers.layers[layer], np.int16),
                amounts[paying],
                identity,
                np.full(len(paying), numbers.policies[policy.id], np.int16),
            )
        )
    return in_order(parts)


def one_by_one(
    data: SliceData, rules: Rules, numbers: Numbers, at: npt.NDArray[np.int64]
) -> Decided:
    """The same for bills at the places `at`, person by person: where one batch cannot hold it."""
    rows: list[tuple[int, int, int, int, int]] = []
    for own, case in cases_of(data, numbers, at):
        for place, settled in zip(own.tolist(), estimate_payments(case, rules).bills, strict=True):
            for payment in settled.payments:
                if payment.explained is None or payment.amount == 0 or settled.policy is None:
                    continue
                category = payment.explained.identity
                assisted = payment.layer == "medical_assistance" and category is not None
                identity = numbers.number_of_category(category) if assisted else NO_IDENTITY
                policy = numbers.policies[settled.policy.id]
                layer = numbers.layers[payment.layer]
                rows.append((place, layer, payment.amount, identity, policy))
    columns = np.asarray(rows, np.int64).reshape(-1, 5).T
    return in_order([Decided(columns[0], *(column for column in columns[1:]))])


def _bill_columns(data: SliceData, numbers: Numbers, at: npt.NDArray[np.int64]) -> BillColumns:
    rows = data.bills
    flags = rows["flags"][at]
    return BillColumns(
        person=data.owners[at],
        admitted_on=rows["admitted_on"][at],
        discharged_on=rows["discharged_on"][at],
        setting=numbers.setting_places[rows["setting"][at]],
        total=rows["total"][at],
        in_scope=rows["in_scope"][at],
        paid=_given(rows, at),
        flags={flag: (flags >> bit) & 1 != 0 for bit, flag in enumerate(FLAGS)},
        disease_group=numbers.group_places[rows["disease_group"][at]],
        rare_drug=rows["rare_drug"][at],
        out_of_scope=rows["paid_out_of_scope"][at],
    )


def _given(rows: Columns, at: npt.NDArray[np.int64]) -> Mapping[str, npt.NDArray[np.int64]]:
    """The layers that somebody settled."""
    columns = {layer: rows[f"paid_{layer}"][at] for layer in LAYERS}
    return {layer: paid for layer, paid in columns.items() if (paid != NOT_SETTLED).any()}


def insurance_on(data: SliceData, owner: Any, days: Any) -> Any:
    """The insurance of the people (places) on a day each: the last change, else the register's."""
    status = data.people["insurance"][owner]
    changes = data.changes
    if not len(changes["person_id"]):
        return status
    who = places(data.people["id"], changes["person_id"]).astype(np.int64)
    keys = who * FAR_FUTURE + changes["on_day"]
    last = np.searchsorted(keys, owner.astype(np.int64) * FAR_FUTURE + days, side="right") - 1
    changed = (last >= 0) & (who[np.maximum(last, 0)] == owner)
    return np.where(changed, changes["insurance"][np.maximum(last, 0)], status)


def by_policy(spans: tuple[Span, ...]) -> list[tuple[Policy, tuple[Span, ...]]]:
    """The policies of the spans, each with its own."""
    found: dict[str, tuple[Span, ...]] = {}
    for span in spans:
        found[span.policy.id] = (*found.get(span.policy.id, ()), span)
    return [(own[0].policy, own) for own in found.values()]
