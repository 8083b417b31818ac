"""POST /api/v1/estimates and its batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
from flask import Response, jsonify

from backend.estimation.case import Case
from backend.estimation.checks import InvalidCase
from miniprogram_api.access import access
from miniprogram_api.estimation.answering import answer_each, estimate_case
from miniprogram_api.estimation.answers import (
    ESTIMATE_ANSWER,
    ESTIMATE_BATCH,
    ESTIMATE_BATCH_ANSWER,
)
from miniprogram_api.estimation.presenter import present_estimate
from miniprogram_api.estimation.schemas import ESTIMATE_REQUEST
from miniprogram_api.openapi import Blueprint
from miniprogram_api.rulebook import rules

estimation = Blueprint("estimation", __name__, title="待遇测算")

_HERE: Final = Path(__file__).parent
EXAMPLE: Final[dict[str, Any]] = {
    name: msgspec.json.decode((_HERE / f"example_{name}.json").read_bytes())
    for name in ("request", "answer")
}
"""The contract's request, and its answer as `shukun estimate --json` gives it."""
SENT: Final = {"summary": "低保对象住院一次", "value": EXAMPLE["request"]}
ANSWERED: Final = {"summary": "低保对象住院一次", "value": EXAMPLE["answer"]}


@estimation.route(
    "/estimates",
    methods=("POST",),
    summary="测算各方支付多少",
    description=(
        "按政策算出每张结算单各方支付多少、自己还要付多少，每一步都说明理由和依据。"
        "不用登录，也不保存。"
    ),
)
@access("public")
@estimation.arguments(ESTIMATE_REQUEST, examples={"inpatient": SENT})
@estimation.response(200, ESTIMATE_ANSWER, description="测算结果", examples={"inpatient": ANSWERED})
@estimation.refuses(InvalidCase)
def estimate(case: Case) -> Response:
    """One person's bills."""
    return jsonify(present_estimate(estimate_case(case, rules())))


@estimation.route(
    "/estimates/batch",
    methods=("POST",),
    summary="一次测算许多人",
    description=(
        "一次最多 1000 项，结算单合计最多 20000 张；每项各有各的答复，有错的一项不影响其他各项。"
    ),
)
@access("public")
@estimation.arguments(ESTIMATE_BATCH, large=True)
@estimation.response(200, ESTIMATE_BATCH_ANSWER, description="逐项的答复，次序与请求相同")
def estimate_batch(requests: list[Any]) -> Response:
    """Many persons, each by itself."""
    return jsonify(answers=answer_each(requests, rules()))
