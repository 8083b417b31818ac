"""费用单核查 (check bills): what is found of the bills that an application names.

A bill counts under an identity as everywhere else: a stay that it overlaps by a day, any other bill
by its last day (policy-facts section 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from backend.applications.check_facts import Facts, Held, NamedBill
from backend.applications.check_results import Check
from backend.estimation.identities import extended_end, months_before
from backend.kernel.money import format_yuan
from backend.policies.benefit_shapes import LayerShape
from backend.policies.policy import Policy
from backend.policies.procedures import Procedure

FLAG_NAMES: Final = {"referred": "规范转诊", "followed_guidance": "执行就医指导方案"}


def identities_on(held: Iterable[Held], policy: Policy, days: tuple[date, date]) -> frozenset[str]:
    """The categories that count in a span of days, both included, as the policy has it."""
    first, last = days
    rules = policy.benefits.identities
    return frozenset(
        one.category
        for one in held
        if _begins(one, policy, last) <= last and first <= extended_end(rules, one.to)
    )


def bill_checks(facts: Facts, policy: Policy, procedure: Procedure) -> Iterator[Check]:
    """Of the bills that the answers name; nothing where they name none."""
    if not facts.named:
        return
    yield _known(facts)
    layer = next((one for one in policy.benefits.layers if one.layer == procedure.layer), None)
    if layer is not None and facts.bills:
        yield _in_force(facts.bills, policy)
        yield _identity(facts, policy, layer)
        yield from _flags(facts.bills, layer)
        yield _given(facts.bills)
        yield _elsewhere(facts.bills)


def _begins(held: Held, policy: Policy, day: date) -> date:
    starts = [held.from_on]
    for rule in policy.benefits.identities.retroactive:
        months = policy.parameters[rule.months].on(day)
        if held.applied_on is None or held.category not in rule.categories or months is None:
            continue
        if isinstance(months.value, int):
            starts.append(months_before(held.applied_on, months.value))
    return min(starts)


def _known(facts: Facts) -> Check:
    promised, found = f"{len(facts.named)} 张", f"{len(facts.bills)} 张"
    if len(facts.bills) == len(facts.named):
        told = f"选的 {promised}费用单系统里都有。"
        return Check("bills_known", "agrees", promised, found, told)
    told = f"选了 {promised}费用单，系统里现在只有 {found}：请核对结算单。"
    return Check("bills_known", "differs", promised, found, told)


def _in_force(bills: Sequence[NamedBill], policy: Policy) -> Check:
    outside = [one for one in bills if policy.state_on(one.discharged_on) != "in_force"]
    title = f"《{policy.document.short_title}》"
    return _all_or(
        "bills_in_force", bills, outside, f"出院（就诊）那天{title}都在施行。",
        f"出院（就诊）那天不在{title}施行的时间里",
    )  # fmt: skip


def _identity(facts: Facts, policy: Policy, layer: LayerShape) -> Check:
    wanted = {code for table in layer.tables for row in table.rows for code in row.categories}
    without = [
        one
        for one in facts.bills
        if not wanted & identities_on(facts.identities, policy, _days(one, policy))
    ]
    return _all_or(
        "bills_identity", facts.bills, without, "费用发生的时候都有规定的救助身份。",
        "费用发生的时候没有规定的救助身份",
    )  # fmt: skip


def _flags(bills: Sequence[NamedBill], layer: LayerShape) -> Iterator[Check]:
    if not layer.covers.flags:
        return
    words = "、".join(FLAG_NAMES.get(flag, flag) for flag in layer.covers.flags)
    lacking = [one for one in bills if not one.flags.issuperset(layer.covers.flags)]
    yield _all_or("bills_flags", bills, lacking, f"都登记了{words}。", f"没有登记{words}")


def _given(bills: Sequence[NamedBill]) -> Check:
    given = [one for one in bills if one.given]
    if not given:
        return Check("bills_given", "agrees", "", "没有", "这些费用单还没有得到过这项救助。")
    found = f"{len(given)} 张，{format_yuan(sum(one.given or 0 for one in given))} 元"
    return Check("bills_given", "attention", "", found, f"已经得到过这项救助的费用单：{found}。")


def _elsewhere(bills: Sequence[NamedBill]) -> Check:
    twice = [one for one in bills if one.elsewhere]
    if not twice:
        return Check("bills_elsewhere", "agrees", "", "没有", "别的申请没有用这些费用单。")
    found = f"{len(twice)} 张"
    told = f"有 {found}费用单也在别的申请里：请看是不是同一件事。"
    return Check("bills_elsewhere", "attention", "", found, told)


def _all_or(
    code: str, bills: Sequence[NamedBill], out: Sequence[NamedBill], all_told: str, told: str
) -> Check:
    promised = f"{len(bills)} 张"
    if not out:
        return Check(code, "agrees", promised, promised, all_told)
    days = "、".join(f"{one.discharged_on}" for one in out[:5])
    told = f"{len(out)} 张{told}（{days}{'等' if len(out) > 5 else ''}）：请核对。"
    return Check(code, "differs", promised, f"{len(bills) - len(out)} 张", told)


def _days(bill: NamedBill, policy: Policy) -> tuple[date, date]:
    """The days on which an identity must count on the bill."""
    stays = bill.setting in policy.benefits.identities.stays
    return bill.admitted_on if stays else bill.discharged_on, bill.discharged_on
