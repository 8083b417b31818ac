"""The JSON form of an estimate, as the golden files write it, to and from the domain's."""

from __future__ import annotations

from datetime import date
from typing import Any

from backend.estimation.case import (
    Assumptions,
    Bill,
    Case,
    Identity,
    Person,
    SeriousIllnessBase,
)
from backend.estimation.estimate import BillEstimate, Estimate
from backend.kernel.money import format_yuan, parse_rate, parse_yuan

MONEY = ("total", "in_scope", "rare_drug")
DAYS = ("admitted_on", "discharged_on")


def case_of(request: dict[str, Any]) -> Case:
    person, figures = request.get("person", {}), request.get("assumptions", {})
    base, income = figures.get("serious_illness_base"), figures.get("disposable_income_per_head")
    return Case(
        person=Person(
            tuple(_identity(identity) for identity in person.get("identities", ())),
            person.get("declined_health_service", False),
        ),
        bills=tuple(_bill(bill) for bill in request["bills"]),
        policy=request.get("policy"),
        area=request.get("area"),
        assumptions=Assumptions(
            base and SeriousIllnessBase(parse_yuan(base["deductible"]), parse_rate(base["rate"])),
            income and parse_yuan(income),
        ),
    )


def golden_of(estimate: Estimate) -> list[dict[str, Any]]:
    """The estimate as the golden files expect it."""
    return [
        {
            "id": bill.bill.id,
            "payments": {p.layer: format_yuan(p.amount) for p in bill.payments if p.amount > 0},
            "identity": identity_of(bill),
            "in_scope_burden": format_yuan(bill.in_scope_burden),
            "personal_burden": format_yuan(bill.personal_burden),
        }
        for bill in estimate.bills
    ]


def identity_of(bill: BillEstimate) -> str | None:
    """The identity used for medical assistance."""
    for payment in bill.payments:
        if payment.layer == "medical_assistance" and payment.explained is not None:
            return payment.explained.identity
    return None


def _identity(identity: dict[str, Any]) -> Identity:
    return Identity(
        identity["category"],
        date.fromisoformat(identity["from"]),
        _day(identity.get("to")),
        _day(identity.get("applied_on")),
    )


def _bill(bill: dict[str, Any]) -> Bill:
    read: dict[str, Any] = dict(bill)
    read.update({name: parse_yuan(bill[name]) for name in MONEY if name in bill})
    read.update({name: date.fromisoformat(bill[name]) for name in DAYS})
    read["paid"] = {layer: parse_yuan(text) for layer, text in bill.get("paid", {}).items()}
    return Bill(**read)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
