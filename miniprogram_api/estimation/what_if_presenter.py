"""The answers to "what if" as plain values, documented by `what_if_schemas`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backend.estimation.circumstances import CATEGORY, Circumstance
from backend.estimation.versions import Outcome
from backend.estimation.what_if import CostCurve, CurvePoint
from backend.kernel.money import format_yuan
from miniprogram_api.estimation.presenter import present_year
from miniprogram_api.estimation.schemas import PAYERS

Json = dict[str, Any]


def present_what_if(curve: CostCurve, circumstances: Iterable[Circumstance]) -> Json:
    """The curve and the circumstances; fen as strings of yuan."""
    return {
        "summary": curve.summary,
        "curve": {
            "bill": curve.present.bill.id,
            "layers": [{"layer": layer, "name": PAYERS[layer]} for layer in curve.layers],
            "present": _point(curve.present),
            "points": [_point(point) for point in curve.points],
        },
        "circumstances": [_circumstance(item) for item in circumstances],
        "notes": list(curve.notes),
    }


def _point(point: CurvePoint) -> Json:
    bill = point.bill
    cost = {"total": format_yuan(bill.total), "in_scope": format_yuan(bill.in_scope)}
    return {**cost, **_outcome(point.outcome)}


def _outcome(outcome: Outcome) -> Json:
    return {
        "payments": {layer: format_yuan(amount) for layer, amount in outcome.payments.items()},
        "in_scope_burden": format_yuan(outcome.in_scope_burden),
        "personal_burden": format_yuan(outcome.personal_burden),
        "year": present_year(outcome.year),
    }


def _circumstance(item: Circumstance) -> Json:
    change: Json = {"change": item.change.what}
    if item.change.what == CATEGORY:
        change["categories"] = list(item.change.categories)
    else:
        change["value"] = item.change.value
    return {
        **change,
        "text": item.text,
        "matters": item.matters,
        "difference": format_yuan(item.difference),
        "year_difference": format_yuan(item.year_difference),
        **_outcome(item.outcome),
    }
