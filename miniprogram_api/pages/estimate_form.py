"""测算表 (the estimate's form): from what was typed to a case, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from backend.estimation.case import Assumptions, Bill, Case, Identity, Person, SeriousIllnessBase
from backend.estimation.checks import FIRST_DAY
from backend.estimation.questions import INVERTED, Choice, Questions
from backend.kernel.errors import Fault
from backend.kernel.money import format_yuan
from miniprogram_api.pages import typed
from miniprogram_api.pages.sheet import Sheet

BILL_ID: Final = "1"
NOBODY: Final = "none"
"""None of the categories, or the person does not know."""

_FIELDS: Final = {
    "/bills/0/discharged_on": "discharged-on",
    "/bills/0/admitted_on": "admitted-on",
    "/bills/0/total": "total",
    "/bills/0/in_scope": "in-scope",
    "/bills/0/rare_drug": "rare-drug",
    "/bills/0/paid": "paid-basic",
    "from": "held-from",
    "to": "held-to",
    "applied_on": "applied-on",
}
"""Pointer into the case, or its end, → field of the form."""
_TAKEN_FROM: Final = {"admitted-on": "discharged-on", "in-scope": "rare-drug"}
"""A field left empty → the field whose fault it then is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The policy or the area that the page is about."""

    policy: str | None = None
    area: str | None = None


def read_case(sheet: Sheet, questions: Questions, asked: Asked) -> Case | None:
    """The case of one bill; None where the sheet has faults."""
    person = _person(sheet, questions)
    bill = _bill(sheet, questions)
    assumptions = _assumptions(sheet, questions)
    if sheet.faults or bill is None:
        return None
    return Case(person, (bill,), asked.policy, asked.area, assumptions)


def note_faults(sheet: Sheet, faults: Iterable[Fault]) -> None:
    """Put what the domain found wrong beside the fields."""
    for fault in faults:
        name = _field(fault.pointer)
        sheet.fault(name if sheet.text(name) else _TAKEN_FROM.get(name, name), fault.detail)


def assumed(sheet: Sheet, case: Case) -> tuple[str, ...]:
    """What was left open and how it was taken, as sentences."""
    bill = case.bills[0]
    held = any(sheet.text(name) for name in ("held-from", "held-to"))
    in_scope = f"没有填政策范围内费用，当作全部在范围内（{format_yuan(bill.in_scope)} 元）来算。"
    sentences = (
        (not sheet.text("in-scope"), f"{in_scope}结算单上的数通常小一些，实际能报的会少。"),
        ("basic" not in bill.paid, "没有填基本医保付了多少，当作没有付。"),
        (bool(case.person.identities) and not held, "没有填身份从哪天起，当作看病时一直有。"),
        (held and not sheet.text("admitted-on"), "没有填入院的日子，当作和出院（就诊）是同一天。"),
    )
    return tuple(sentence for applies, sentence in sentences if applies)


def _person(sheet: Sheet, questions: Questions) -> Person:
    codes = [one.code for one in questions.every_category if sheet.has("category", one.code)]
    nobody = sheet.has("category", NOBODY)
    if not codes and not nobody:
        sheet.fault("category", "请选病人属于哪类人；都不是或不清楚，选最后一项。")
    if codes and nobody:
        sheet.fault("category", "选了“都不是／不清楚”，就不要再选别的。请去掉一个。")
    from_, to = (sheet.read(name, typed.day) for name in ("held-from", "held-to"))
    applied_on = sheet.read("applied-on", typed.day) if questions.retroactive else None
    identities = [Identity(code, from_ or FIRST_DAY, to, applied_on) for code in codes]
    return Person(tuple(identities), questions.declined and sheet.has("declined"))


def _bill(sheet: Sheet, questions: Questions) -> Bill | None:
    settings = _codes(questions.settings)
    setting = sheet.chosen("setting", settings, "请选这次是怎么看的病。")
    missing = "请填出院的日子；门诊填看病那天。"
    discharged = sheet.read("discharged-on", typed.day, missing)
    total = sheet.read("total", typed.amount, "请填总费用，结算单上有。")
    in_scope = sheet.read("in-scope", typed.amount)
    rare_drug = (sheet.read("rare-drug", typed.amount) if questions.rare_drug else None) or 0
    admitted = sheet.read("admitted-on", typed.day)
    paid, others = _paid(sheet, questions), _others(sheet, questions)
    if setting is None or discharged is None or total is None:
        return None
    return Bill(
        id=BILL_ID,
        setting=setting,
        admitted_on=_first_day(admitted, discharged),
        discharged_on=discharged,
        total=total,
        in_scope=max(total - rare_drug, 0) if in_scope is None else in_scope,
        paid=paid,
        rare_drug=rare_drug,
        **others,
    )


def _first_day(admitted: date | None, discharged: date) -> date:
    return discharged if admitted is None else admitted


def _paid(sheet: Sheet, questions: Questions) -> dict[str, int]:
    amounts = {
        payer.code: sheet.read(f"paid-{payer.code}", typed.amount)
        for payer in (*questions.payers, *questions.more_payers)
    }
    return {code: fen for code, fen in amounts.items() if fen is not None}


def _others(sheet: Sheet, questions: Questions) -> dict[str, Any]:
    """The flags that the policy asks about, and the disease group."""
    others: dict[str, Any] = {
        flag.code: sheet.has(flag.code) != (flag.code in INVERTED) for flag in questions.flags
    }
    if questions.disease_groups:
        groups = _codes(questions.disease_groups)
        others["disease_group"] = sheet.chosen("disease-group", groups, "请选得的是哪类病。")
    return others


def _assumptions(sheet: Sheet, questions: Questions) -> Assumptions:
    income = sheet.read("income", typed.amount) if questions.income else None
    if not questions.base:
        return Assumptions(None, income)
    deductible = sheet.read("base-deductible", typed.amount)
    rate = sheet.read("base-rate", typed.percent)
    for name, other in (("base-deductible", "base-rate"), ("base-rate", "base-deductible")):
        if sheet.text(name) and not sheet.text(other):
            sheet.fault(other, "大病保险的起付线和比例要一起填，或者都空着。")
    if deductible is None or rate is None:
        return Assumptions(None, income)
    return Assumptions(SeriousIllnessBase(deductible, rate), income)


def _codes(choices: tuple[Choice, ...]) -> list[str]:
    return [choice.code for choice in choices]


def _field(pointer: str) -> str:
    if pointer.startswith("/bills/0/paid/"):
        return f"paid-{pointer.rsplit('/', 1)[1]}"
    return _FIELDS.get(pointer) or _FIELDS.get(pointer.rsplit("/", 1)[1], "category")
