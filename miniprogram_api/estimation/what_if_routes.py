"""POST /api/v1/estimates/what-if, as numbers and as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from flask import Response, jsonify

from backend.estimation.chart import draw_cost_curve
from backend.estimation.checks import InvalidCase
from backend.estimation.circumstances import changed_circumstances
from backend.estimation.what_if import InvalidWhatIf, WhatIf, cost_curve
from backend.kernel.errors import Fault
from backend.policies.book import UnknownArea, UnknownPolicy
from miniprogram_api.access import access
from miniprogram_api.estimation.routes import EXAMPLE
from miniprogram_api.estimation.what_if_presenter import present_what_if
from miniprogram_api.estimation.what_if_schemas import WHAT_IF_ANSWER, WHAT_IF_REQUEST
from miniprogram_api.openapi import Blueprint
from miniprogram_api.rulebook import rules

what_if = Blueprint("what_if", __name__, title="如果……会怎样")

SVG: Final = "image/svg+xml"
TEXT: Final = {"type": "string"}
ASKED: Final[dict[str, Any]] = {
    "estimate": EXAMPLE["request"],
    "bill": "b1",
    "cost": {"from": "0.00", "to": "300000.00", "points": 61},
}
SENT: Final = {"summary": "低保对象住院一次，费用从 0 元到 30 万元", "value": ASKED}


@what_if.route(
    "/estimates/what-if",
    methods=("POST",),
    summary="如果费用或者情况不同，自己付多少",
    description=(
        "一张结算单的总费用在一个范围内变化时，各方支付多少、自己付多少；"
        "再逐个改变一个条件（是否转诊、换一个救助身份等），说明结果差多少。"
        "其他结算单不变；不用登录，也不保存。"
    ),
)
@access("public")
@what_if.arguments(WHAT_IF_REQUEST, examples={"inpatient": SENT})
@what_if.response(200, WHAT_IF_ANSWER, description="费用变化的曲线和改变条件的结果")
@what_if.refuses(InvalidCase, InvalidWhatIf)
def answer_what_if(question: WhatIf) -> Response:
    """In numbers and sentences."""
    used = rules()
    with _faults_of_the_estimate():
        curve = cost_curve(question.case, used, question.bill_id, question.costs)
        found = changed_circumstances(question.case, used, question.bill_id)
    return jsonify(present_what_if(curve, found))


@what_if.route(
    "/estimates/what-if.svg",
    methods=("POST",),
    summary="如果费用不同，自己付多少（图）",
    description="正文与 /estimates/what-if 相同，答复是一张适合手机看的图，宽 360 像素。",
)
@access("public")
@what_if.arguments(WHAT_IF_REQUEST, examples={"inpatient": SENT})
@what_if.response(200, TEXT, content_type=SVG, description="SVG 图")
@what_if.refuses(InvalidCase, InvalidWhatIf)
def draw_what_if(question: WhatIf) -> Response:
    """As a picture."""
    used = rules()
    with _faults_of_the_estimate():
        curve = cost_curve(question.case, used, question.bill_id, question.costs)
    return Response(draw_cost_curve(curve, used.book.vocabulary), mimetype=SVG)


@contextmanager
def _faults_of_the_estimate() -> Iterator[None]:
    """Faults of the case point into the part of the body where the case stands."""
    try:
        yield
    except (InvalidCase, UnknownPolicy, UnknownArea) as error:
        faults = (Fault(f"/estimate{fault.pointer}", fault.detail) for fault in error.faults)
        raise InvalidCase(*faults) from error
