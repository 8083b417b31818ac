"""核查结果 (check results): what was promised, what was found, and how the two stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Result: TypeAlias = Literal["agrees", "differs", "unknown", "attention"]
RESULTS: Final[Mapping[str, str]] = {
    "agrees": "一致",
    "differs": "不一致",
    "unknown": "系统里没有，要看材料",
    "attention": "请留意",
}
"""Result → what staff read."""
CHECKS: Final[Mapping[str, str]] = {
    "alive": "本人登记",
    "registered_here": "户籍",
    "insured_here": "参保",
    "identities": "现有身份",
    "household_size": "家庭人口",
    "income": "家庭收入",
    "medical_spending": "看病支出",
    "income_share": "支出占收入",
    "granted": "今年已得的救助",
    "other_cases": "其他申请",
    "bills_known": "费用单",
    "bills_in_force": "费用单的日期",
    "bills_identity": "费用发生时的身份",
    "bills_flags": "费用单的条件",
    "bills_given": "费用单已得的救助",
    "bills_elsewhere": "费用单的其他申请",
    "diagnosis": "病种名单",
    "related": "回避",
}
"""Check → its name, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `promised`: what was said, "": nothing was; `found`: what the system knows, "":
    nothing; `sentence`: for who decides."""

    code: str
    result: Result
    promised: str
    found: str
    sentence: str
