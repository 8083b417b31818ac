"""Sentences beside the payments: what was assumed or is not stated, and who is told what."""

from __future__ import annotations

from collections.abc import Iterator

from backend.estimation.context import BillContext
from backend.kernel.money import format_percent, format_yuan


def general_notes(of: BillContext, standing: str) -> Iterator[str]:
    """About the whole estimate: dates not confirmed, figures assumed or not stated."""
    if standing == "unconfirmed":
        title = of.terms.policy.document.short_title
        yield f"《{title}》的施行日期还没有得到当地确认，结果只供试算参考。"
    yield from _missing(of)
    base = of.assumptions.serious_illness_base
    computed = of.terms.by_layer.keys() - of.bill.paid.keys()
    if base is not None and "serious_illness" in computed:
        source = f"（{base.source}）" if base.source else "（由您填写）"
        yield (
            f"大病保险按起付线 {format_yuan(base.deductible)} 元、"
            f"比例 {format_percent(base.rate)}{source}估算，以结算单为准。"
        )
    for income in _incomes_assumed(of):
        yield f"没有填上年度居民人均可支配收入，按 {format_yuan(income)} 元计算。"
    for layer, sentence in of.terms.policy.benefits.inputs.items():
        if layer not in of.bill.paid:
            yield sentence


def told_otherwise(of: BillContext) -> bool:
    """Other rules hold for the person, or none is stated: told so, not shown a zero."""
    notices = of.terms.policy.document.notices
    return any(of.held.intersection(notice.categories) for notice in notices)


def bill_notes(of: BillContext) -> tuple[str, ...]:
    """About this bill: people for whom other rules hold."""
    return tuple(
        notice.residents
        for notice in of.terms.policy.document.notices
        if of.held.intersection(notice.categories)
    )


def _missing(of: BillContext) -> Iterator[str]:
    """Payments before assistance that nobody gave: what is left would be smaller with them."""
    if "basic" not in of.bill.paid:
        yield "有结算单没有填基本医保支付的金额，按没有支付计算。"
    for layer in of.terms.layers:
        if not layer.computable and layer.code not in of.bill.paid:
            name = of.words.layers[layer.code]
            yield f"有结算单没有填{name}支付的金额，也没有当地的标准，按没有支付计算。"


def _incomes_assumed(of: BillContext) -> list[int]:
    incomes = {
        row.income_assumed
        for layer, row in of.terms.rows_by_income
        if of.held.intersection(row.shape.categories)
        and layer.code not in of.bill.paid
        and layer.covers.misses(of.bill) is None
    }
    return sorted(income for income in incomes if income is not None)
