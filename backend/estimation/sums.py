"""How a row's amount comes about, in sentences: deductible, rate, bands."""

from __future__ import annotations

from collections.abc import Iterator

from backend.estimation.context import BillContext
from backend.estimation.explained import Step, yuan
from backend.estimation.rules import Scale, Situation
from backend.estimation.settle import RowTried
from backend.estimation.tables import RowTerms, TableTerms
from backend.kernel.money import format_percent, format_yuan
from backend.policies.policy import format_value


def sum_steps(
    of: BillContext, table: TableTerms, chosen: RowTried, situation: Situation
) -> Iterator[Step]:
    """From the burden to what the row entitles to, before any cut."""
    row, scale, entitled = chosen.row, chosen.row.scale, chosen.outcome.entitled
    who = _who(of, chosen)
    if scale.plain or (scale.first_bill and not situation.first):
        free = "首次起付线在本年第一笔这类费用上用过了" if scale.first_bill else "没有起付线"
        text = _product(of, row, situation.burden)
        yield Step(f"{who}，{free}，{text} = {yuan(entitled)}。", entitled)
        return
    free, excess = _excess(of, row, situation)
    if excess == 0:
        beyond = table.shape.under_deductible or "这笔不付。"
        yield Step(f"{who}，{free}还没有超过起付线，{beyond}", 0)
        return
    yield Step(f"{who}，{free}超过的部分是 {yuan(excess)}。", excess)
    bands = list(_bands(scale))
    if len(bands) == 1 and bands[0][0] == 0:
        yield Step(f"这部分{_product(of, row, excess)} = {yuan(entitled)}。", entitled)
    else:
        yield Step(_in_bands(bands, scale, situation, excess, entitled), entitled)


def _who(of: BillContext, chosen: RowTried) -> str:
    if not chosen.categories:
        return chosen.row.shape.name
    return f"按{of.names(chosen.categories[:1])}的身份"


def _product(of: BillContext, row: RowTerms, amount: int) -> str:
    rate = format_percent(sum(rise for _, rise in row.scale.steps))
    least = "至少" if row.floor else ""
    return f"{least}按 {rate} 支付{_rate_from(of, row)}：{format_yuan(amount)} × {rate}"


def _excess(of: BillContext, row: RowTerms, situation: Situation) -> tuple[str, int]:
    scale, burden, before = row.scale, situation.burden, situation.before
    deductible: int = scale.deductible
    named = f"{yuan(deductible)}{_deductible_from(of, row)}"
    if scale.first_bill:
        return f"本年第一笔这类费用，首次起付线 {named}，", max(burden - deductible, 0)
    if deductible == 0:
        return "没有起付线，从头算起，", burden
    used = min(before, deductible)
    excess = max(before + burden - deductible, 0) - max(before - deductible, 0)
    return f"年度起付线 {named}，以前的费用已用去 {yuan(used)}，", excess


def _deductible_from(of: BillContext, row: RowTerms) -> str:
    """Where a derived deductible comes from."""
    rule, base = row.shape.deductible, of.assumptions.serious_illness_base
    if rule is None or rule.kind not in ("base_share", "income_share"):
        return ""
    share = _figure(of, rule.value)
    if rule.kind == "base_share":
        return f"（当地起付线 {yuan(base.deductible)}的 {share}）" if base else ""
    income = of.assumptions.disposable_income_per_head
    income = row.income_assumed if income is None else income
    return f"（人均可支配收入 {yuan(income)}的 {share}）" if income is not None else ""


def _rate_from(of: BillContext, row: RowTerms) -> str:
    """Where a derived rate comes from."""
    rule, base = row.shape.from_base, of.assumptions.serious_illness_base
    if rule is None or base is None:
        return ""
    local = format_percent(base.rate)
    if rule.plus is not None:
        return f"（当地 {local}，提高 {_figure(of, rule.plus)}，最多 100%）"
    if rule.at_least is not None:
        return f"（当地 {local}，不低于 {_figure(of, rule.at_least)}）"
    return ""


def _figure(of: BillContext, code: str) -> str:
    parameter = of.terms.policy.parameters[code]
    value = parameter.on(of.bill.discharged_on)
    return "" if value is None else format_value(parameter.shape.unit, value.value)


def _in_bands(
    bands: list[tuple[int, int]], scale: Scale, situation: Situation, excess: int, entitled: int
) -> str:
    start = max(situation.before - scale.deductible, 0)
    parts = []
    for place, (above, rate) in enumerate(bands):
        until = bands[place + 1][0] if place + 1 < len(bands) else None
        top = start + excess if until is None else min(start + excess, until)
        part = max(top - max(start, above), 0)
        span = f"{yuan(above)}以上" if until is None else f"{yuan(above)}至 {yuan(until)}"
        if part > 0:
            parts.append(f"{span}的部分 {format_yuan(part)} × {format_percent(rate)}")
    free = bands[0][0]
    head = [f"起付线以上的头 {yuan(free)}不付"] if free > 0 else []
    said = "，".join([*head, " + ".join(parts)] if parts else head)
    return f"全年累计分档计算：{said}{' = ' if parts else '，这笔得 '}{yuan(entitled)}。"


def _bands(scale: Scale) -> Iterator[tuple[int, int]]:
    rate = 0
    for above, rise in scale.steps:
        rate += rise
        yield above, rate
