"""如果情况不同 (circumstances): what one changed circumstance would do to a bill and its year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from backend.estimation.case import Case, Identity
from backend.estimation.checks import FIRST_DAY
from backend.estimation.estimate import BillEstimate, decides, estimate_payments
from backend.estimation.identities import counting
from backend.estimation.terms import Rules
from backend.estimation.versions import Outcome, Together
from backend.estimation.what_if import of_bill
from backend.kernel.money import format_yuan
from backend.policies.benefit_shapes import LayerShape, PoolShape, RowShape, TableShape
from backend.policies.policy import Policy

DECLINED: Final = "declined_health_service"
CATEGORY: Final = "category"

_CONDITIONS: Final = {
    "referred": ("没有经过规范转诊", "经过规范转诊"),
    "in_province": ("不在本省就医", "在本省就医"),
    "in_county": ("不在本县就医", "在本县就医"),
    "followed_guidance": ("没有执行就医指导方案", "执行就医指导方案"),
    "designated": ("不在定点医药机构就医", "在定点医药机构就医"),
    DECLINED: ("没有放弃基础健康服务", "放弃基础健康服务"),
}
"""What is changed → the condition as people say it, where it is false and where it is true."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is changed: a flag of the bill or `declined_health_service`, to `value`; or `category`,
    each of the `categories` alone in place of the person's identities (all come to the same)."""

    what: str
    value: bool = True
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Circumstance:
    """A change and what comes of it. `text`: a sentence for residents.

    `difference`, `year_difference`: the personal burden of the bill and of its year, less what it
    is now (fen); negative where the person would pay less. `matters`: any payment would differ.
    """

    change: Change
    text: str
    outcome: Outcome
    difference: int
    year_difference: int
    matters: bool


def changed_circumstances(case: Case, rules: Rules, bill_id: str) -> tuple[Circumstance, ...]:
    """Each change that the bill's policy asks about, one at a time: the most helpful first, those
    that change nothing last; nothing where no policy decides the bill.

    Raises `InvalidWhatIf`, and what `estimate_payments` raises.
    """
    together = of_bill(case, estimate_payments(case, rules), bill_id)
    if together.policy is None:
        return ()
    changer = _Changer(together, together.policy, rules)
    found = [changer.circumstance(change) for change in changer.changes()]
    return tuple(sorted(found, key=lambda item: (not item.matters, item.difference)))


class _Changer:
    def __init__(self, together: Together, policy: Policy, rules: Rules) -> None:
        self.together = together
        self.policy = policy
        self.rules = rules
        self.bill = together.target.bill
        self.present = together.outcome()
        self.year = [
            estimate
            for estimate in together.estimate.bills
            if estimate.bill.discharged_on.year == together.year.year
        ]

    def changes(self) -> Iterator[Change]:
        """In the order in which a caseworker would ask."""
        layers = self._computed()
        asked = {flag for layer in layers for flag in _flags(layer)}
        for flag in self.rules.book.vocabulary.flags:
            if flag in asked:
                yield Change(flag, not getattr(self.bill, flag))
        if any(layer.reduction is not None for layer in layers):
            yield Change(DECLINED, not self.together.case.person.declined_health_service)
        for categories in self._alike(layers):
            yield Change(CATEGORY, categories=categories)

    def circumstance(self, change: Change) -> Circumstance:
        """The bill and its year under the change."""
        again = estimate_payments(self._changed(change), self.rules)
        place = next(n for n, found in enumerate(again.bills) if found.bill.id == self.bill.id)
        changed = Together(self.together.case, again, place).outcome()
        difference = changed.personal_burden - self.present.personal_burden
        of_year = changed.year.personal_burden - self.present.year.personal_burden
        matters = changed != self.present
        effect = self._effect(change, again.bills[place])
        if matters:
            effect = self._difference(difference, of_year)
        text = f"如果{self._condition(change)}，{effect}。"
        return Circumstance(change, text, changed, difference, of_year, matters)

    # -- what may be changed -----------------------------------------------------------------

    def _computed(self) -> list[LayerShape]:
        _, base = self.together.base(self.rules)
        return [
            layer
            for layer in self.policy.benefits.layers
            if layer.needs is None or base is not None
        ]

    def _alike(self, layers: list[LayerShape]) -> list[tuple[str, ...]]:
        """The policy's categories other than those that count now, together where every row of the
        year's policies takes them alike."""
        named = {code for layer in layers for row in _rows(layer) for code in row.categories}
        everywhere = [layer for policy in self._policies() for layer in policy.benefits.layers]
        rows = [row for layer in everywhere for row in _rows(layer)]
        alike: dict[tuple[bool, ...], tuple[str, ...]] = {}
        for code in self.rules.book.vocabulary.categories:
            if code in named and code not in self._held():
                key = tuple(code in row.categories for row in rows)
                alike[key] = (*alike.get(key, ()), code)
        return list(alike.values())

    def _policies(self) -> list[Policy]:
        case = self.together.case
        deciding = [e.policy for e in self.year if e.policy and decides(case, e.standing)]
        return list({policy.id: policy for policy in deciding}.values())

    def _held(self) -> frozenset[str]:
        case, day = self.together.case, self.bill.discharged_on
        terms = self.rules.terms_of(self.policy).on(day, case.assumptions)
        return counting(terms, case.person.identities, self.bill)

    # -- the case changed --------------------------------------------------------------------

    def _changed(self, change: Change) -> Case:
        person, bills = self.together.case.person, tuple(found.bill for found in self.year)
        if change.what == CATEGORY:
            person = replace(person, identities=(Identity(change.categories[0], FIRST_DAY),))
        elif change.what == DECLINED:
            person = replace(person, declined_health_service=change.value)
        else:
            flag: dict[str, Any] = {change.what: change.value}
            other = replace(self.bill, **flag)
            bills = tuple(other if bill is self.bill else bill for bill in bills)
        return replace(self.together.case, person=person, bills=bills)

    # -- in words ----------------------------------------------------------------------------

    def _condition(self, change: Change) -> str:
        if change.what != CATEGORY:
            return _CONDITIONS[change.what][change.value]
        words, day = self.rules.book.vocabulary, self.bill.discharged_on
        *others, last = [f"“{words.category_name(code, day)}”" for code in change.categories]
        names = f"{'、'.join(others)}或{last}" if others else last
        return f"身份换成{names}" if self._held() else f"被认定为{names}"

    def _difference(self, difference: int, of_year: int) -> str:
        effect = f"自己{_more_or_less(difference)}"
        if difference == 0:
            same = difference == of_year
            effect = f"自己付的钱不变{'，只是各项支付的多少不同' if same else ''}"
        if of_year != difference:
            effect += f"；全年算下来，自己{_more_or_less(of_year)}"
        return effect

    def _effect(self, change: Change, again: BillEstimate) -> str:
        """Why nothing changes: what a layer that asks for the flag lacks still."""
        asking = {layer.layer for layer in self._computed() if change.what in _flags(layer)}
        for payment in again.payments:
            if payment.layer in asking and payment.explained and payment.amount == 0:
                return f"结果不变：{payment.explained.steps[-1].text.removesuffix('。')}"
        return "结果不变"


def _more_or_less(difference: int) -> str:
    if difference == 0:
        return "付的钱不变"
    return f"{'少' if difference < 0 else '多'}付 {format_yuan(abs(difference))} 元"


def _rows(layer: LayerShape) -> Iterator[RowShape]:
    for table in layer.tables:
        yield from table.rows


def _flags(layer: LayerShape) -> Iterator[str]:
    """The flags of a bill that the layer asks about."""
    parts: list[LayerShape | TableShape | PoolShape] = [layer, *layer.tables, *layer.pools]
    for part in parts:
        yield from part.covers.flags
