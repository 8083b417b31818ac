"""An estimate as a statement that people read line by line."""

from __future__ import annotations

from collections.abc import Iterator

from backend.estimation.estimate import BillEstimate, Estimate, Payment, YearEstimate
from backend.kernel.money import format_yuan
from miniprogram_api.estimation.schemas import PAYERS, WORDS


def statement(estimate: Estimate) -> Iterator[str]:
    """The lines: each bill with its payments and their steps, each year, notes and readings."""
    for bill in estimate.bills:
        yield from _bill(bill)
        yield ""
    for year in estimate.years:
        yield from _year(year)
    yield from _notes(estimate.notes, "")
    yield from _readings(estimate)


def _bill(estimate: BillEstimate) -> Iterator[str]:
    bill = estimate.bill
    setting = WORDS.settings[bill.setting]
    yield f"结算单 {bill.id}：{setting}，{bill.admitted_on} 至 {bill.discharged_on}"
    if estimate.policy is not None:
        yield f"  政策：《{estimate.policy.document.short_title}》"
    yield f"  总费用 {_yuan(bill.total)}，其中政策范围内 {_yuan(bill.in_scope)}"
    for payment in estimate.payments:
        yield from _payment(payment)
    yield (
        f"  自己还要付 {_yuan(estimate.personal_burden)}，"
        f"其中政策范围内 {_yuan(estimate.in_scope_burden)}"
    )
    yield from _notes(estimate.notes, "  ")


def _payment(payment: Payment) -> Iterator[str]:
    explained = payment.explained
    name = PAYERS[payment.layer]
    if explained is None:
        yield f"  {name} {_yuan(payment.amount)}（填写的）"
        return
    floor = "至少 " if explained.at_least and payment.amount else ""
    yield f"  {name} {floor}{_yuan(payment.amount)}（{explained.document} {explained.clause}）"
    for number, step in enumerate(explained.steps, 1):
        yield f"    {number}. {step.text}"


def _year(year: YearEstimate) -> Iterator[str]:
    paid = "，".join(
        f"{PAYERS[layer]} {_yuan(amount)}" for layer, amount in year.totals.items() if amount
    )
    yield f"{year.year} 年合计：{paid or '没有支付'}；自己还要付 {_yuan(year.personal_burden)}"


def _notes(notes: tuple[str, ...], margin: str) -> Iterator[str]:
    for note in notes:
        yield f"{margin}说明：{note}"


def _readings(estimate: Estimate) -> Iterator[str]:
    """Each reading once, in the order met."""
    texts = [
        reading.text
        for bill in estimate.bills
        for payment in bill.payments
        if payment.explained is not None
        for reading in payment.explained.readings
    ]
    for text in dict.fromkeys(texts):
        yield f"解读：{text}"


def _yuan(fen: int) -> str:
    return f"{format_yuan(fen)} 元"
