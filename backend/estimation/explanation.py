"""测算说明 (explanation): the steps of a computed payment, as sentences made from its numbers.

The same input gives the same sentences; every figure in them is one that the engine used.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from backend.estimation.context import BillContext
from backend.estimation.nothing import why_nothing
from backend.estimation.rules import NO_LIMIT, RowOutcome, Scale, Situation
from backend.estimation.settle import RowTried, Settled
from backend.estimation.tables import RowTerms
from backend.kernel.money import format_percent, format_yuan, half_up
from backend.policies.shapes import ReadingShape


class Step(Struct, frozen=True):
    """One step: a sentence, and the amount it arrives at (fen), if it arrives at one."""

    text: str
    amount: int | None = None


class Alternative(Struct, frozen=True):
    """What another identity of the person would have given (fen)."""

    identity: str
    amount: int


class Explained(Struct, frozen=True):
    """Why a layer pays what it pays. `clause`: the clause applied; `at_least`: the document states
    a floor (不低于); `readings`: unclear clauses that were read in applying it."""

    identity: str | None
    steps: tuple[Step, ...]
    clause: str
    document: str
    rule_version: str
    at_least: bool
    readings: tuple[ReadingShape, ...]
    others: tuple[Alternative, ...]


def _yuan(fen: int) -> str:
    return f"{format_yuan(fen)} 元"


class Explainer(Struct, frozen=True):
    """Explains what was settled on one bill."""

    of: BillContext

    def explain(self, settled: Settled) -> Explained:
        """The reasons of a computed layer, whether it pays or not."""
        layer = settled.terms
        if layer is None:
            raise ValueError(f"{settled.layer} is not computed by the policy")
        chosen = settled.chosen
        steps: tuple[Step, ...] = (Step(why_nothing(settled, self.of), 0),)
        if chosen is not None and settled.situation is not None:
            steps = tuple(self._steps(settled, chosen, settled.situation))
        return Explained(
            identity=chosen.categories[0] if chosen and chosen.categories else None,
            steps=steps,
            clause=chosen.row.shape.clause if chosen else layer.shape.clause,
            document=self.of.terms.policy.cited_as,
            rule_version=f"{self.of.terms.policy.id}@{self.of.terms.policy.version}",
            at_least=chosen is not None and chosen.row.floor,
            readings=self._readings(settled),
            others=_others(settled),
        )

    # -- a layer that was computed -----------------------------------------------------------

    def _steps(self, settled: Settled, chosen: RowTried, situation: Situation) -> Iterator[Step]:
        outcome = chosen.outcome
        yield self._burden(settled, situation)
        if situation.burden == 0:
            return
        yield from self._scale(chosen, situation)
        cuts = [self._pools(settled, chosen), _share(outcome, situation)]
        for cut in reversed(cuts) if situation.reduced_first else cuts:
            yield from cut
        if outcome.paid < outcome.kept:
            text = f"各项支付合计不能超过总费用，还能付 {_yuan(outcome.paid)}。"
            yield Step(text, outcome.paid)
        if len(settled.tried) > 1:
            yield self._comparison(settled, chosen)

    def _burden(self, settled: Settled, situation: Situation) -> Step:
        burden: int = situation.burden
        if settled.terms is not None and settled.terms.shape.base == "rare_drug":
            text = f"罕见病特效药费用 {_yuan(burden)}。"
            return Step(text if burden else "这张结算单没有罕见病特效药费用。", burden)
        before = self.of.bill.in_scope - burden
        if before == self.of.bill.in_scope:
            return Step("政策范围内的费用已经由前面各项付完，没有剩余。", 0)
        if before == 0:
            return Step(f"政策范围内费用 {_yuan(burden)}，前面各项没有支付。", burden)
        text = (
            f"政策范围内费用 {_yuan(self.of.bill.in_scope)}，前面各项已付 {_yuan(before)}，"
            f"剩下 {_yuan(burden)}。"
        )
        return Step(text, burden)

    def _scale(self, chosen: RowTried, situation: Situation) -> Iterator[Step]:
        row, scale = chosen.row, chosen.row.scale
        who = self._who(chosen)
        if scale.plain:
            rate = scale.steps[0][1]
            text = (
                f"{who}，没有起付线，{_at_least(row)}按 {format_percent(rate)} 支付："
                f"{format_yuan(situation.burden)} × {format_percent(rate)} = "
                f"{_yuan(chosen.outcome.entitled)}。"
            )
            yield Step(text, chosen.outcome.entitled)
            return
        free, excess = self._excess(scale, situation)
        if excess == 0:
            yield Step(f"{who}，{free}还没有超过起付线，这笔不付。", 0)
            return
        yield Step(f"{who}，{free}超过起付线的部分是 {_yuan(excess)}。", excess)
        text = self._rates(row, scale, situation, excess)
        entitled = chosen.outcome.entitled
        yield Step(f"{text} = {_yuan(entitled)}。", entitled)

    def _excess(self, scale: Scale, situation: Situation) -> tuple[str, int]:
        deductible, burden, before = scale.deductible, situation.burden, situation.before
        if scale.first_bill:
            if not situation.first:
                return "首次起付线已经在本年第一笔这类费用上用过，", burden
            head = f"本年第一笔这类费用，首次起付线 {_yuan(deductible)}，"
            return head, max(burden - deductible, 0)
        if deductible == 0:
            return "没有起付线，", burden
        used = min(before, deductible)
        excess = max(before + burden - deductible, 0) - max(before - deductible, 0)
        return f"年度起付线 {_yuan(deductible)}，以前的费用已用去 {_yuan(used)}，", excess

    def _rates(self, row: RowTerms, scale: Scale, situation: Situation, excess: int) -> str:
        bands = list(_bands(scale))
        if len(bands) == 1 and bands[0][0] == 0:
            percent = format_percent(bands[0][1])
            return f"这部分{_at_least(row)}按 {percent} 支付：{format_yuan(excess)} × {percent}"
        start = max(situation.before - scale.deductible, 0)
        parts = []
        for place, (above, rate) in enumerate(bands):
            until = bands[place + 1][0] if place + 1 < len(bands) else None
            top = start + excess if until is None else min(start + excess, until)
            part = max(top - max(start, above), 0)
            span = f"{_yuan(above)}以上" if until is None else f"{_yuan(above)}至 {_yuan(until)}"
            parts.append(f"{span}的部分 {format_yuan(part)} × {format_percent(rate)}")
        free = bands[0][0]
        head = f"起付线以上的头 {_yuan(free)}不付，" if free > 0 else ""
        return f"全年累计分档计算：{head}{' + '.join(parts)}"

    def _pools(self, settled: Settled, chosen: RowTried) -> Iterator[Step]:
        outcome = chosen.outcome
        if not chosen.row.limited:
            if settled.pools:
                yield Step("这类人员不设年度限额。")
            return
        pool, left = min(settled.pools, key=lambda named: named[1], default=(None, NO_LIMIT))
        if pool is not None and outcome.entitled > left >= outcome.pooled:
            text = (
                f"{pool.shape.name} {_yuan(pool.limit)}，本年还剩 {_yuan(left)}，"
                f"只能付 {_yuan(outcome.pooled)}。"
            )
            yield Step(text, outcome.pooled)

    def _comparison(self, settled: Settled, chosen: RowTried) -> Step:
        others = "；".join(
            f"{self.of.names(tried.categories)}可得 {_yuan(tried.outcome.paid)}"
            for tried in settled.tried
            if tried is not chosen
        )
        layer = settled.terms
        by_order = layer is not None and layer.shape.choice == "first_row"
        rule = "按先后次序只用一个身份" if by_order else "有几个身份时用得钱最多的一个，不重复计算"
        return Step(f"{rule}。其他身份：{others}。")

    def _who(self, chosen: RowTried) -> str:
        if not chosen.categories:
            return chosen.row.shape.name
        return f"按{self.of.names(chosen.categories[:1])}的身份"

    def _readings(self, settled: Settled) -> tuple[ReadingShape, ...]:
        policy, layer = self.of.terms.policy, settled.terms
        if layer is None:
            return ()
        names = list(layer.shape.readings)
        if settled.chosen is not None:
            names.append(policy.benefits.identities.reading or "")
            names.append(settled.chosen.row.shape.reading or "")
            if settled.situation is not None and settled.situation.reduced:
                names.append(layer.shape.reduction.reading or "" if layer.shape.reduction else "")
            names.extend(pool.shape.reading or "" for pool, _ in settled.pools)
            if len(settled.tried) > 1:
                names.append(layer.shape.choice_reading or "")
        return tuple(policy.readings[name] for name in dict.fromkeys(names) if name)


def _share(outcome: RowOutcome, situation: Situation) -> Iterator[Step]:
    """The share for who declined the health service, where it applies."""
    if situation.reduced and situation.keeps is not None:
        whole = outcome.entitled if situation.reduced_first else outcome.pooled
        kept = half_up(whole * situation.keeps)
        text = f"放弃了基础健康服务，按 {format_percent(situation.keeps)} 救助：{_yuan(kept)}。"
        yield Step(text, kept)


def _at_least(row: RowTerms) -> str:
    return "至少" if row.floor else ""


def _bands(scale: Scale) -> Iterator[tuple[int, int]]:
    rate = 0
    for above, rise in scale.steps:
        rate += rise
        yield above, rate


def _others(settled: Settled) -> tuple[Alternative, ...]:
    used = settled.chosen.categories[:1] if settled.chosen else ()
    return tuple(
        Alternative(category, tried.outcome.paid)
        for tried in settled.tried
        for category in tried.categories
        if category not in used
    )
