"""Procedures made up for tests of what is the same for every kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from backend.policies.procedures import (
    Choice,
    Deadline,
    Field,
    Paper,
    Procedure,
    RefusalReason,
)

DAYS: Final = {
    "first_review": 7, "approval": 30, "supplement": 10, "papers_owed": 20, "notice": 5,
    "appeal": 60, "appeal_review": 20, "revocation": 10,
}  # fmt: skip
CATEGORY: Final = Field(
    "category", "申请认定的身份", "请选一种", "category", True,
    (Choice("illness_impoverished", "因病致贫对象"), Choice("subsistence_marginal", "低保边缘家庭成员")),
)  # fmt: skip
FIELDS: Final = (
    CATEGORY,
    Field("income", "家庭年收入", "上一年全家的收入", "money", True, from_register="household_income"),
    Field("people", "家里几口人", "一起生活的人", "number", True),
    Field("since", "从哪天起生病", "确诊的日子", "day", False),
    Field("spent", "看病的费用单", "从列出的里选", "bills", False),
    Field("alone", "是否独居", "", "yes_no", False),
    Field("words", "其他情况", "", "text", False),
)  # fmt: skip
PAPERS: Final = (
    Paper("diagnosis_certificate", "诊断证明", "拍清楚公章", "fast_lane"),
    Paper("income_proof", "收入证明", "没有的可以不交", "never"),
)
REASONS: Final = (
    RefusalReason(
        "income_above", "收入超过标准", "您家的收入高于规定的标准。", "收入有变化的，可以再申请。"
    ),
    RefusalReason("other", "其他", "原因见说明。", "不同意的，可以申诉。"),
)


def procedure(kind: str = "recognition", **more: Any) -> Procedure:
    """One without letter and notice, in Wuxi; `more`: what is otherwise."""
    plain = Procedure(
        policy="wuxi-2022-98",
        kind=kind,
        name="医疗救助认定申请",
        fields={one.code: one for one in FIELDS},
        papers={one.code: one for one in PAPERS},
        deadlines={clock: Deadline(days, "三") for clock, days in DAYS.items()},
        refusal_reasons={one.code: one for one in REASONS},
        filing=False,
        notice=None,
        letter=None,
        fast_lane=True,
        brings="identity",
    )
    return replace(plain, **more)
