"""Routes of a capability that does not exist, with every kind of field and of refusal."""

from __future__ import annotations

from typing import Any, BinaryIO, Final, NoReturn

import pytest
from flask import Flask, Response, jsonify

from backend.kernel.errors import DomainError, Fault
from backend.kernel.settings import Settings
from miniprogram_api import app as composition
from miniprogram_api import openapi, problems
from miniprogram_api.access import access
from miniprogram_api.fields import Bool, Code, Day, Int, Money, Rate, Text
from miniprogram_api.openapi import Blueprint
from miniprogram_api.problem_table import Problem
from miniprogram_api.schemas import AnswerSchema, StrictSchema
from miniprogram_api.structures import Many, Map, Nested

LAYERS: Final = {"basic": "基本医保", "serious_illness": "大病保险"}


class ItemSchema(StrictSchema):
    id = Text("编号", required=True, longest=20, pattern=r"^[A-Za-z0-9_-]*$")
    total = Money("总费用", required=True)
    paid = Map("已付", LAYERS, Money("金额"), load_default=dict)
    on = Day("日期", required=True)
    setting = Code("就医方式", {"inpatient": "住院", "outpatient": "门诊"}, required=True)
    referred = Bool("是否转诊", load_default=False)
    rate = Rate("比例", load_default=None)
    count = Int("次数", least=0, most=9, load_default=1)


class OrderSchema(StrictSchema):
    note = Text("备注", load_default=None, shortest=0, longest=30)
    items = Many("项目", Nested("项目", ItemSchema()), least=1, most=3, required=True)


class SearchSchema(StrictSchema):
    words = Text("关键词", required=True, longest=20)
    on = Day("日期", load_default=None)
    exact = Bool("精确", load_default=False)
    most = Int("至多几条", least=1, most=50, load_default=10)


class CountSchema(AnswerSchema):
    count = Int("项数", least=0, most=10, required=True)


class ItemLost(DomainError):
    """What a domain refuses."""

    code = "item-lost"


PROBLEM: Final = Problem("item-lost", 409, "项目已不在", "请刷新后重试。")

ORDER, SEARCH, COUNT = OrderSchema(), SearchSchema(), CountSchema()


def blueprint() -> Blueprint:
    """The routes, under /api/v1/trial."""
    trial = Blueprint("trial", __name__, title="试用", prefix="/api/v1/trial")

    @trial.route("/orders", summary="提交", methods=("POST",))
    @access("public")
    @trial.arguments(ORDER, examples={"one": {"summary": "一项", "value": EXAMPLE}})
    @trial.response(200, COUNT, description="项数")
    def place_order(order: dict[str, Any]) -> dict[str, Any]:
        return {"count": len(order["items"])}

    @trial.route("/large-orders", summary="提交许多", methods=("POST",))
    @access("public")
    @trial.arguments(ORDER, large=True)
    @trial.response(200, COUNT, description="项数")
    def place_large_order(order: dict[str, Any]) -> dict[str, Any]:
        return {"count": len(order["items"])}

    @trial.route("/search", summary="查找")
    @access("public")
    @trial.arguments(SEARCH, location="query")
    @trial.response(200, COUNT, description="项数")
    def search(sought: dict[str, Any]) -> Response:
        return jsonify({"count": min(len(sought["words"]), 10)})

    @trial.route("/items/<item>", summary="查看", path={"item": "项目编号"})
    @access("public")
    @trial.response(200, COUNT, description="项数")
    @trial.refuses(ItemLost, 404)
    def show_trial_item(item: str) -> NoReturn:
        raise ItemLost(Fault("/item", f"没有这一项：{len(item)} 个字。"))

    return trial


def application(patch: pytest.MonkeyPatch, log_stream: BinaryIO | None = None) -> Flask:
    """The whole application with these routes, as long as the patch holds."""
    domain = {**problems.DOMAIN, PROBLEM.code: PROBLEM}
    patch.setattr(problems, "DOMAIN", domain)
    patch.setattr(openapi, "DOMAIN", domain)
    patch.setattr(composition, "API_BLUEPRINTS", (*composition.API_BLUEPRINTS, blueprint()))
    settings = Settings(max_body_bytes=20_000, max_batch_body_bytes=40_000)
    app = composition.create_app(settings, log_stream=log_stream)
    app.add_url_rule("/api/v1/crash", view_func=access("public")(crash))
    return app


def crash() -> NoReturn:
    """A view with a fault of its own, whose message holds a person's data."""
    raise RuntimeError("no bills of 110101199003071233, phone 13800138000")


EXAMPLE: Final = {
    "items": [{"id": "a", "total": "1234.50", "on": "2024-02-29", "setting": "inpatient"}]
}
