"""GET /api/v1/work: what lies in one's own list. Items are closed by command."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from backend.accounts.own_work import own_item, own_work
from backend.kernel import keys
from backend.worklist.items import UnknownItem
from backend.worklist.tables import LEVELS
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.openapi import Blueprint
from miniprogram_api.worklist.schemas import ONE_WORK, WORK_QUERY, WORKS

work = Blueprint("work", __name__, title="待办（工作人员）")

WHO_WORKS: Final = tuple(LEVELS)
ONE: Final = f"/work/<int(max={LARGEST_ID}):item>"


@work.route("/work", summary="我的待办，先到期的在前", description="只列自己清单里的，不写是谁。")
@access("staff", roles=WHO_WORKS)
@work.arguments(WORK_QUERY, location="query")
@work.response(200, WORKS, description="待办")
def show_work(asked: dict[str, Any]) -> Response:
    """Those of the caller's list."""
    with acting_transaction() as session:
        found = own_work(session, actor(), asked["most"])
    return jsonify(WORKS.dump({"items": found}))


@work.route(
    ONE,
    summary="一件待办，和它关于谁",
    description="查看会记入审计，本人看得到谁看过。",
    path={"item": "待办的编号"},
)
@access("staff", roles=WHO_WORKS)
@work.response(200, ONE_WORK, description="待办")
@work.refuses(UnknownItem)
def show_item(item: int) -> Response:
    """One of them."""
    with acting_transaction() as session:
        found, whom = own_item(session, keys.keyring(), actor(), item)
    return jsonify(ONE_WORK.dump({"item": found, "person": whom}))
