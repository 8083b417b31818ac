"""An estimate as the API answers it: plain values, documented by `answers`."""

from __future__ import annotations

from typing import Any

from backend.estimation.estimate import BillEstimate, Estimate, Payment, YearEstimate
from backend.estimation.explained import Explained, Step
from backend.kernel.money import format_yuan
from miniprogram_api.estimation.schemas import PAYERS

Json = dict[str, Any]


def present_estimate(estimate: Estimate) -> Json:
    """Fen as strings of yuan; written out by hand, as it runs at every estimate."""
    return {
        "bills": [_bill(bill) for bill in estimate.bills],
        "years": [present_year(year) for year in estimate.years],
        "notes": list(estimate.notes),
    }


def _bill(estimate: BillEstimate) -> Json:
    policy = estimate.policy
    return {
        "id": estimate.bill.id,
        "policy": None
        if policy is None
        else {"id": policy.id, "title": policy.document.short_title, "state": estimate.standing},
        "payments": [_payment(payment) for payment in estimate.payments],
        "in_scope_burden": format_yuan(estimate.in_scope_burden),
        "personal_burden": format_yuan(estimate.personal_burden),
        "notes": list(estimate.notes),
    }


def _payment(payment: Payment) -> Json:
    plain: Json = {
        "layer": payment.layer,
        "name": PAYERS[payment.layer],
        "amount": format_yuan(payment.amount),
        "source": "given" if payment.given else "computed",
    }
    if payment.explained is not None:
        _explain(plain, payment.explained)
    return plain


def _explain(plain: Json, explained: Explained) -> None:
    if explained.identity is not None:
        plain["identity"] = explained.identity
    plain["steps"] = [_step(step) for step in explained.steps]
    plain["citation"] = {"document": explained.document, "clause": explained.clause}
    plain["rule_version"] = explained.rule_version
    plain["at_least"] = explained.at_least
    plain["readings"] = [{"id": reading.id, "text": reading.text} for reading in explained.readings]
    plain["others"] = [
        {"identity": other.identity, "amount": format_yuan(other.amount)}
        for other in explained.others
    ]


def _step(step: Step) -> Json:
    if step.amount is None:
        return {"text": step.text}
    return {"text": step.text, "amount": format_yuan(step.amount)}


def present_year(year: YearEstimate) -> Json:
    """The sums of one year."""
    return {
        "year": year.year,
        "totals": {layer: format_yuan(amount) for layer, amount in year.totals.items()},
        "in_scope_burden": format_yuan(year.in_scope_burden),
        "personal_burden": format_yuan(year.personal_burden),
    }
