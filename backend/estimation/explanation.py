"""测算说明 (explanation): the steps of a computed payment, as sentences made from its numbers.

The same input gives the same sentences; every figure in them is one that the engine used.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from backend.estimation.context import BillContext
from backend.estimation.explained import Alternative, Explained, Step, yuan
from backend.estimation.identities import counts_back
from backend.estimation.marks import readings_of
from backend.estimation.nothing import why_nothing
from backend.estimation.rules import NO_LIMIT, RowOutcome, Situation
from backend.estimation.settle import RowTried, Settled
from backend.estimation.sums import sum_steps
from backend.kernel.money import format_percent, half_up


class Explainer(Struct, frozen=True):
    """Explains what was settled on one bill."""

    of: BillContext

    def explain(self, settled: Settled) -> Explained:
        """The reasons of a computed layer, whether it pays or not."""
        layer, policy = settled.terms, self.of.terms.policy
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
            document=policy.cited_as,
            rule_version=f"{policy.id}@{policy.version}",
            at_least=chosen is not None and chosen.row.floor,
            readings=readings_of(self.of, settled),
            others=_others(settled),
        )

    def _steps(self, settled: Settled, chosen: RowTried, situation: Situation) -> Iterator[Step]:
        outcome = chosen.outcome
        yield self._burden(settled, situation)
        if situation.burden == 0 or settled.table is None:
            return
        yield from self._counted_back(chosen)
        yield from sum_steps(self.of, settled.table, chosen, situation)
        if outcome.entitled > 0:
            cuts = [_pools(settled, chosen), _share(outcome, situation)]
            for cut in reversed(cuts) if situation.reduced_first else cuts:
                yield from cut
        if outcome.paid < outcome.kept:
            text = f"各项支付合计不能超过总费用，还能付 {yuan(outcome.paid)}。"
            yield Step(text, outcome.paid)
        if len(settled.tried) > 1:
            yield self._comparison(settled, chosen)

    def _burden(self, settled: Settled, situation: Situation) -> Step:
        burden: int = situation.burden
        base = settled.terms.shape.base if settled.terms else ""
        if base == "rare_drug":
            text = f"罕见病特效药费用 {yuan(burden)}。"
            return Step(text if burden else "这张结算单没有罕见病特效药费用。", burden)
        whole = base == "personal_burden"
        cost = self.of.bill.total if whole else self.of.bill.in_scope
        name = "总费用" if whole else "政策范围内费用"
        if cost == 0:
            return Step(f"这张结算单没有{name}。", 0)
        if burden == 0:
            return Step(f"{name} {yuan(cost)}已经由前面各项付完，没有剩余。", 0)
        if burden == cost:
            return Step(f"{name} {yuan(cost)}，前面各项没有支付。", burden)
        paid = yuan(cost - burden)
        return Step(f"{name} {yuan(cost)}，前面各项已付 {paid}，剩下 {yuan(burden)}。", burden)

    def _counted_back(self, chosen: RowTried) -> Iterator[Step]:
        """The identity counts only because it reaches back from the day of application."""
        of = self.of
        if counts_back(of.terms, of.person, of.bill, chosen.categories[:1]) is not None:
            names = of.names(chosen.categories[:1])
            yield Step(f"{names}的身份从申请认定前往前追溯，这笔费用在追溯的期间里。")

    def _comparison(self, settled: Settled, chosen: RowTried) -> Step:
        others = "；".join(
            f"{self.of.names(tried.categories)}可得 {yuan(tried.outcome.paid)}"
            for tried in settled.tried
            if tried is not chosen
        )
        layer = settled.terms
        by_order = layer is not None and layer.shape.choice == "first_row"
        rule = "按先后次序只用一个身份" if by_order else "有几个身份时用得钱最多的一个，不重复计算"
        return Step(f"{rule}。其他身份：{others}。")


def _pools(settled: Settled, chosen: RowTried) -> Iterator[Step]:
    """The limit that cuts, if one does."""
    outcome = chosen.outcome
    if not chosen.row.limited:
        if settled.pools:
            yield Step("这类人员不设年度限额。")
        return
    pool, left = min(settled.pools, key=lambda named: named[1], default=(None, NO_LIMIT))
    if pool is not None and outcome.entitled > left >= outcome.pooled:
        text = (
            f"{pool.shape.name} {yuan(pool.limit)}，本年还剩 {yuan(left)}，"
            f"只能付 {yuan(outcome.pooled)}。"
        )
        yield Step(text, outcome.pooled)


def _share(outcome: RowOutcome, situation: Situation) -> Iterator[Step]:
    """The share for who declined the health service, where it applies."""
    if situation.reduced and situation.keeps is not None:
        whole = outcome.entitled if situation.reduced_first else outcome.pooled
        kept = half_up(whole * situation.keeps)
        text = f"放弃了基础健康服务，按 {format_percent(situation.keeps)} 救助：{yuan(kept)}。"
        yield Step(text, kept)


def _others(settled: Settled) -> tuple[Alternative, ...]:
    used = settled.chosen.categories[:1] if settled.chosen else ()
    return tuple(
        Alternative(category, tried.outcome.paid)
        for tried in settled.tried
        for category in tried.categories
        if category not in used
    )
