"""测算结果 (outcome): what an estimate in the chat came to, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from backend.assistant.sheet import Sheet, case_of
from backend.assistant.wording import day, shortened, yuan
from backend.estimation.case import Case
from backend.estimation.checks import InvalidCase
from backend.estimation.estimate import BillEstimate, Estimate, decides, estimate_payments
from backend.estimation.terms import Rules
from backend.policies.book import Vocabulary
from backend.policies.policy import Policy

ONLY_AN_ESTIMATE: Final = (
    "这只是试算，不是决定：能不能享受、给多少，由当地医保、民政等部门审核后定。"
)
NO_CATEGORY: Final = "照您说的，病人不在救助对象里，所以没有算医疗救助。"
BASIC_UNKNOWN: Final = "您说不清基本医保报了多少，我当作没有报来算，所以救助算多了。"
ALL_IN_SCOPE: Final = (
    "没有“政策范围内费用”的数，我当作全部在范围内来算，实际救助会少一些，自己付的会多一些。"
)
DAY_UNKNOWN: Final = "您记不清是哪天，我当作今天来算；要是前几年的，说“重新来”再算，给个年份就行。"
WHO_UNKNOWN: Final = (
    "您不知道病人是哪一类，我当作不在救助对象里，所以没有算医疗救助。请问村（社区）或当地民政。"
)
TAKEN: Final = "您不知道的，我这样算：{}。不一样的话，给的钱会不同。"
TAKEN_AS: Final[Mapping[str, str]] = {
    "referred": "没有从基层医院转诊",
    "in_province": "不是在本省看的",
    "in_county": "不是在本县（市、区）看的",
    "followed_guidance": "没有按就医指导方案看",
    "designated": "是医保定点医院",
    "disease_group": "一般的病",
    "declined": "没有放弃过基础健康服务",
    "serious_illness": "大病保险没有报",
    "medical_assistance": "医疗救助还没有给过",
}
"""Question → what is taken where nobody knows: what `case_of` leaves as a bill has it."""
_BASIC: Final = "没有填基本医保"
WRONG: Final = "这些数对不上，算不了：{}请回“重新来”再算一次，或回“人工”找人帮您看单子。"


def outcome(sheet: Sheet, rules: Rules) -> str:
    """What each pays and what is left, with what was assumed. The amounts are those that
    `estimate_payments` gives for the same case.
    """
    case = case_of(sheet, rules.book)
    try:
        estimate = estimate_payments(case, rules)
    except InvalidCase as error:
        return WRONG.format("".join(fault.detail for fault in error.faults))
    bill = estimate.bills[0]
    if bill.policy is None or not decides(case, bill.standing):
        return "\n".join((*bill.notes, ONLY_AN_ESTIMATE))
    words = rules.book.vocabulary
    lines = (
        "算好了：",
        f"总费用 {yuan(bill.bill.total)}",
        *_paid(bill, words),
        f"自己要付 {yuan(bill.personal_burden)}",
        *_cited(bill),
        _taken_as(case, words),
        *_assumed(sheet),
        ONLY_AN_ESTIMATE,
        *bill.notes,
        *_worth_telling(estimate, bill.policy),
    )
    return shortened("\n".join(lines))


def _paid(bill: BillEstimate, words: Vocabulary) -> Iterator[str]:
    for payment in bill.payments:
        explained = None if payment.given else payment.explained
        if payment.amount or (explained is not None and payment.layer == "medical_assistance"):
            name = words.layers.get(payment.layer, payment.layer)
            least = "至少" if explained is not None and explained.at_least else ""
            yield f"{name}{least}付 {yuan(payment.amount)}"


def _cited(bill: BillEstimate) -> Iterator[str]:
    """The clauses by which something was computed, each once."""
    clauses = dict.fromkeys(p.explained.clause for p in bill.payments if p.explained and p.amount)
    if clauses and bill.policy is not None:
        yield f"依据：《{bill.policy.document.short_title}》{'、'.join(clauses)}。"


def _taken_as(case: Case, words: Vocabulary) -> str:
    bill = case.bills[0]
    names = [
        words.category_name(one.category, bill.discharged_on) for one in case.person.identities
    ]
    who = "、".join(names) or "不属于救助对象"
    return f"按这些算的：{who}，{words.settings[bill.setting]}，{day(bill.discharged_on)}结算。"


def _worth_telling(estimate: Estimate, policy: Policy) -> Iterator[str]:
    """Notes of the estimate but what is said above, and what a document merely leaves open."""
    left_open = set(policy.benefits.inputs.values())
    return (note for note in estimate.notes if note not in left_open and _BASIC not in note)


def _assumed(sheet: Sheet) -> Iterator[str]:
    if not sheet.categories:
        yield WHO_UNKNOWN if "who" in sheet.unsure else NO_CATEGORY
    if "day" in sheet.unsure:
        yield DAY_UNKNOWN
    if "basic" in sheet.unsure:
        yield BASIC_UNKNOWN
    if sheet.in_scope is None:
        yield ALL_IN_SCOPE
    taken = [TAKEN_AS[question] for question in sheet.unsure if question in TAKEN_AS]
    if taken:
        yield TAKEN.format("、".join(taken))
