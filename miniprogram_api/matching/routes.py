"""GET /api/v1/runs: what automatic matching did. Releasing a run is done by command."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from backend.kernel.clock import today
from backend.matching.overview import RunsAsked, list_runs, overview
from backend.matching.run_chart import draw_run
from backend.matching.runs import UnknownRun
from backend.policies.book import UnknownArea
from miniprogram_api.access import access, acting_transaction
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.matching.presenter import present_overview, present_runs
from miniprogram_api.matching.schemas import OVERVIEW, RUNS, RUNS_QUERY
from miniprogram_api.openapi import Blueprint
from miniprogram_api.rulebook import rules

runs = Blueprint("runs", __name__, title="匹配运行（工作人员）")

WHO_DECIDES: Final = ("county_officer", "city_officer")
"""A run is a whole county's or city's; they see those of their area."""
ONE: Final = f"/runs/<int(max={LARGEST_ID}):run>"
PATH: Final = {"run": "运行的编号"}
SVG: Final = "image/svg+xml"
TEXT: Final[dict[str, Any]] = {"type": "string"}


@runs.route(
    "/runs",
    summary="匹配运行，新的在前",
    description="自动匹配（免申即享）按地区和年度运行；算完以后由两个人放行，才通知本人、安排付款。",
)
@access("staff", roles=WHO_DECIDES)
@runs.arguments(RUNS_QUERY, location="query")
@runs.response(200, RUNS, description="运行")
@runs.refuses(UnknownArea)
def show_runs(asked: RunsAsked) -> Response:
    """A page of them."""
    with acting_transaction() as session:
        found = list_runs(session, asked)
    return jsonify(RUNS.dump(present_runs(found, asked.most)))


@runs.route(
    ONE,
    summary="一次运行：数目、金额、变化和待办",
    description="只有数目和金额，没有任何人的情况。正在计算的，为已算完的部分。",
    path=PATH,
)
@access("staff", roles=WHO_DECIDES)
@runs.response(200, OVERVIEW, description="运行的总览")
@runs.refuses(UnknownRun)
def show_run(run: int) -> Response:
    """One of them."""
    with acting_transaction() as session:
        found = overview(session, run, today())
    return jsonify(OVERVIEW.dump(present_overview(found, rules().book)))


@runs.route(
    f"{ONE}/chart.svg",
    summary="一次运行前后的金额（图）",
    description="每个支付方一条：原有、这次新增、这次应退。宽 360 像素。",
    path=PATH,
)
@access("staff", roles=WHO_DECIDES)
@runs.response(200, TEXT, content_type=SVG, description="SVG 图")
@runs.refuses(UnknownRun)
def draw_run_chart(run: int) -> Response:
    """As a picture."""
    with acting_transaction() as session:
        found = overview(session, run, today())
    return Response(draw_run(found, rules().book.vocabulary.layers), mimetype=SVG)
