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
    base = of.assumptions.serious_illness_base
    if base is not None and "serious_illness" in of.terms.by_layer:
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


def bill_notes(of: BillContext) -> tuple[str, ...]:
    """About this bill: people for whom other rules hold."""
    return tuple(
        notice.residents
        for notice in of.terms.policy.document.notices
        if of.held.intersection(notice.categories)
    )


def _incomes_assumed(of: BillContext) -> list[int]:
    incomes = {
        row.income_assumed
        for row in of.terms.rows_by_income
        if of.held.intersection(row.shape.categories)
    }
    return sorted(income for income in incomes if income is not None)
