"""核查规则 (check rules): what the facts say beside what was promised, in sentences for staff.

Pure: no check reads anything, and none refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.applications.check_bills import bill_checks, identities_on
from backend.applications.check_facts import Facts
from backend.applications.check_results import Check, Result
from backend.citizens.diagnoses import groups
from backend.kernel import areas
from backend.kernel.money import RATE_UNIT, format_percent, format_yuan, parse_yuan
from backend.policies.book import PolicyBook
from backend.policies.policy import Policy
from backend.policies.procedures import Procedure

NEAR: Final = 1_000
"""1/10,000 of what is known: what people say from memory agrees where it is no farther from it."""
INSURED: Final[Mapping[str, tuple[Result, str, str]]] = {
    "resident": ("agrees", "居民医保", "在本地参加居民医保。"),
    "employee": ("agrees", "职工医保", "在本地参加职工医保。"),
    "elsewhere": ("differs", "外地参保", "登记在外地参保：请先核实由哪里救助。"),
    "none": ("differs", "没有参保", "登记没有参保：请先帮本人办参保。"),
    "unknown": ("unknown", "", "登记里没有参保情况：请核实。"),
}
HEAVY: Final = ("claim", "amount")
"""What brings money: earlier grants are worth a look."""


@dataclass(frozen=True, slots=True)
class Rules:
    """By what is checked. `share`: of the income, in 1/10,000; None: nobody says."""

    book: PolicyBook
    procedure: Procedure
    share: int | None
    today: date

    @property
    def policy(self) -> Policy:
        """Whose procedure it is."""
        return self.book.policies[self.procedure.policy]


def every_check(facts: Facts, rules: Rules) -> tuple[Check, ...]:
    """The checks that the kind of application asks for."""
    return (
        _alive(facts, rules.today),
        _registered(facts),
        _insured(facts),
        _identities(facts, rules),
        *_household(facts),
        *_money(facts),
        *_share(facts, rules),
        _granted(facts, rules),
        _other_cases(facts),
        *bill_checks(facts, rules.policy, rules.procedure),
        *_diagnosis(facts, rules),
        _related(facts),
    )


def _alive(facts: Facts, today: date) -> Check:
    if not facts.known:
        return Check("alive", "unknown", "", "", "户籍登记里还没有这个人：请核对身份证和户口簿。")
    if facts.died_on is not None and facts.died_on <= today:
        found = f"{facts.died_on} 去世"
        return Check("alive", "differs", "", found, f"登记本人已于 {facts.died_on} 去世：请核实。")
    if facts.left_on is not None and facts.left_on <= today:
        found = f"{facts.left_on} 迁出"
        return Check(
            "alive", "attention", "", found, f"登记本人已于 {facts.left_on} 迁出：请核实。"
        )
    return Check("alive", "agrees", "", "在册", "本人在户籍登记里。")


def _registered(facts: Facts) -> Check:
    promised, found = _place(facts.case.area), _place(facts.area)
    if not facts.area:
        return Check("registered_here", "unknown", promised, "", "登记里没有户籍地：请核实。")
    if facts.area // 10**6 == facts.case.area // 10**6:
        return Check("registered_here", "agrees", promised, found, f"户籍在{found}。")
    told = f"申请在{promised}，登记的户籍现在在{found}：请核实由哪里办理。"
    return Check("registered_here", "differs", promised, found, told)


def _insured(facts: Facts) -> Check:
    result, found, told = INSURED[facts.insurance]
    return Check("insured_here", result, "", found, told)


def _identities(facts: Facts, rules: Rules) -> Check:
    held = sorted(identities_on(facts.identities, rules.policy, (rules.today, rules.today)))
    found = "、".join(_named(rules.book, code) for code in held)
    asked = facts.case.category
    promised = "" if not asked else f"申请认定{_named(rules.book, asked)}"
    if asked in held:
        told = f"已经是{_named(rules.book, asked)}：不用再认定，请看是不是别的问题。"
        return Check("identities", "attention", promised, found, told)
    if not held:
        result: Result = "attention" if rules.procedure.brings == "claim" else "agrees"
        return Check("identities", result, promised, "没有", "现在没有救助身份。")
    return Check("identities", "agrees", promised, found, f"现有身份：{found}。")


def _household(facts: Facts) -> Iterator[Check]:
    said = facts.answers.get("household_size")
    if said is None:
        return
    promised = f"{said} 人"
    if facts.people is None:
        told = f"本人说家里 {said} 人；登记里没有家庭：请看户口簿。"
        yield Check("household_size", "unknown", promised, "", told)
        return
    result: Result = "agrees" if int(said) == facts.people else "differs"
    told = f"本人说家里 {said} 人，登记 {facts.people} 人。"
    yield Check("household_size", result, promised, f"{facts.people} 人", told)


def _money(facts: Facts) -> Iterator[Check]:
    year = f"{facts.income_year} 年" if facts.income_year else ""
    yield from _compared(facts, "income", facts.income, f"已知的{year}家庭可支配收入")
    known = facts.burden if facts.bill_count else None
    words = f"近 12 个月 {facts.bill_count} 张费用单的个人负担"
    yield from _compared(facts, "medical_spending", known, words)


def _compared(facts: Facts, code: str, known: int | None, words: str) -> Iterator[Check]:
    """What was said beside what is known, in fen."""
    if code not in facts.answers:
        return
    said = parse_yuan(facts.answers[code])
    promised = f"{format_yuan(said)} 元"
    if known is None:
        told = f"本人说 {promised}；系统里没有，请看材料或者上门了解。"
        yield Check(code, "unknown", promised, "", told)
        return
    near = abs(said - known) * RATE_UNIT <= known * NEAR
    found = f"{format_yuan(known)} 元"
    told = f"本人说 {promised}，{words} {found}，"
    told += (
        f"相差不超过{format_percent(NEAR)}。"
        if near
        else f"相差 {format_yuan(abs(said - known))} 元。"
    )
    yield Check(code, "agrees" if near else "differs", promised, found, told)


def _share(facts: Facts, rules: Rules) -> Iterator[Check]:
    if rules.procedure.brings != "identity" or rules.share is None:
        return
    line = format_percent(rules.share)
    if facts.income is None:
        told = f"没有家庭收入，算不出看病支出是不是超过收入的{line}。"
        yield Check("income_share", "unknown", "", "", told)
        return
    spent, income = format_yuan(facts.home_burden), format_yuan(facts.income)
    over = facts.home_burden * RATE_UNIT > facts.income * rules.share
    found = f"{spent} 元，收入 {income} 元"
    told = f"全家今年看病自己付了 {spent} 元，已知收入 {income} 元，"
    told += f"{'超过' if over else '没有超过'}收入的{line}。"
    yield Check("income_share", "agrees" if over else "attention", "", found, told)


def _granted(facts: Facts, rules: Rules) -> Check:
    found = f"{format_yuan(facts.granted)} 元"
    if facts.granted <= 0:
        return Check("granted", "agrees", "", found, "今年还没有得到救助。")
    result: Result = "attention" if rules.procedure.brings in HEAVY else "agrees"
    return Check("granted", result, "", found, f"今年已经救助 {found}。")


def _other_cases(facts: Facts) -> Check:
    if not facts.going and not facts.home_going:
        return Check("other_cases", "agrees", "", "没有", "没有别的申请正在办。")
    found = f"本人 {facts.going} 件，家人 {facts.home_going} 件"
    told = f"还有别的申请正在办：{found}。请看是不是同一件事。"
    return Check("other_cases", "attention", "", found, told)


def _diagnosis(facts: Facts, rules: Rules) -> Iterator[Check]:
    said = facts.answers.get("diagnosis")
    if said is None or rules.procedure.brings != "entitlement":
        return
    listed = [
        groups()[code].name
        for one in rules.policy.entitlements
        if one.kind == "chronic_outpatient"
        for code in one.conditions.diagnoses or ()
    ]
    if not listed:
        told = f"本人说是{said}；这里没有收录病种名单，请按当地目录核对。"
        yield Check("diagnosis", "unknown", said, "", told)
        return
    found = "、".join(name for name in dict.fromkeys(listed) if name in said or said in name)
    if found:
        yield Check("diagnosis", "agrees", said, found, f"本人说是{said}，名单里有：{found}。")
        return
    told = f"本人说是{said}，名单里没有找到这个名称：请按诊断证明和当地目录核对。"
    yield Check("diagnosis", "attention", said, "没有找到", told)


def _related(facts: Facts) -> Check:
    if facts.related:
        told = "您是申请人的亲属、代办人，或者已经回避：这件申请要由别人办。"
        return Check("related", "attention", "", "有关系", told)
    return Check("related", "agrees", "", "没有发现", "没有发现您和申请人有亲属或代办关系。")


def _place(area: int) -> str:
    code = f"{area:012d}"[:6]
    return areas.area_name(code) or code


def _named(book: PolicyBook, code: str) -> str:
    return book.vocabulary.category_name(code)
