"""Automatic checks as answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from backend.applications.check_results import CHECKS, RESULTS, Check
from miniprogram_api.fields import Code
from miniprogram_api.policies.parts import many, words
from miniprogram_api.schemas import AnswerSchema


class CheckSchema(AnswerSchema):
    code = Code("核查的内容", CHECKS, required=True)
    name = words("名称")
    result = Code("结果", RESULTS, required=True)
    result_text = words("结果，用话说")
    promised = words("申请人怎么说；没有的为空")
    found = words("系统里的情况；没有的为空")
    sentence = words("说明")


class ChecksSchema(AnswerSchema):
    checks = many("核查结果：只供参考，同意不同意由人决定", CheckSchema())


CHECKS_ANSWER: Final = ChecksSchema()


def shown_check(one: Check) -> dict[str, Any]:
    """A check with its names."""
    return {
        "code": one.code, "name": CHECKS[one.code], "result": one.result,
        "result_text": RESULTS[one.result], "promised": one.promised, "found": one.found,
        "sentence": one.sentence,
    }  # fmt: skip


def shown_checks(checks: Sequence[Check]) -> dict[str, Any]:
    """All of a case."""
    return {"checks": [shown_check(one) for one in checks]}
