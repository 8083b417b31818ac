"""What can be applied for where: fields, papers, deadlines, as the policy of the place has them."""

from __future__ import annotations

from typing import Any

from flask import Response

from miniprogram_api.access import access
from miniprogram_api.openapi import Blueprint
from miniprogram_api.policies.answering import answers, asked, respond
from miniprogram_api.policies.procedure_schemas import PROCEDURES, PROCEDURES_QUERY, presented

procedures = Blueprint("procedures", __name__, title="能申请什么")


@procedures.route(
    "/procedures",
    summary="一个地方能申请什么、要填什么、要什么材料、多久办完",
    description="按户籍地的政策；当地的政策已经失效的，按它办它那段时间的事；"
    "没有收录政策的，按产品的缺省办法。",
)
@access("public")
@procedures.revalidates
@procedures.arguments(PROCEDURES_QUERY, location="query")
@procedures.response(200, PROCEDURES, description="能申请的种类")
def list_procedures(query: dict[str, Any]) -> Response:
    """The kinds of an area on a day."""
    area, day = query["area"][:6], query["on"]
    kept = answers()

    def make() -> Any:
        return PROCEDURES.dump(presented(area, day, kept.book))

    with asked():
        return respond(kept.keep(("procedures", area, day), make))
