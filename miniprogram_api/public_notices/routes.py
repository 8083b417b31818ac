"""/api/v1/public-notices, /api/v1/notice-objections: lists that are up; objections."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from flask import Response, jsonify

from backend.applications.steps import AnotherPersonNeeded, CaseMoved, NotYourDesk
from backend.applications.upkeep import Rounds
from backend.kernel import keys
from backend.kernel.clock import today
from backend.kernel.database import transaction
from backend.public_notices.objections import (
    Objecting,
    ObjectionDecided,
    ObjectionKeyUsed,
    Standing,
    UnknownObjection,
    Verdict,
    decide_objection,
    make_objection,
    objection_by_code,
    objections_waiting,
)
from backend.public_notices.reading import (
    NoticeDown,
    NoticesAsked,
    Shown,
    notice_shown,
    notices_up,
)
from miniprogram_api import limiting
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.limiting import Limit
from miniprogram_api.openapi import Blueprint
from miniprogram_api.public_notices.schemas import (
    MADE,
    NOTICE,
    NOTICES,
    NOTICES_QUERY,
    OBJECTION,
    STANDING,
    VERDICT,
    WAITING,
)
from miniprogram_api.rulebook import rules

public_notices = Blueprint("public_notices", __name__, title="公示")

ONE: Final = f"/public-notices/<int(max={LARGEST_ID}):notice>"
PATH: Final = {"notice": "公示的编号"}
OBJECTIONS: Final = Limit("objections", 30, 3600)
"""From one address: a village behind one connection may object, a machine may not flood."""
WRONG_CODES: Final = Limit("objection_code", 20, 600)
DECIDE: Final = access("staff", roles=("county_officer", "city_officer"))


@public_notices.route(
    "/public-notices",
    summary="公示期内的名单",
    description="不必登录。公示期满的不再列出。一页列不完的，用答复里的 next 再要下一页。",
)
@access("public")
@public_notices.arguments(NOTICES_QUERY, location="query")
@public_notices.response(200, NOTICES, description="名单")
def show_notices(asked: NoticesAsked) -> Response:
    """A page of those that are up."""
    with transaction() as session:
        found, following = notices_up(session, asked)
    return jsonify(NOTICES.dump({"notices": found, "next": following}))


@public_notices.route(
    ONE,
    summary="一份公示的名单",
    description="不必登录。姓名只显示第一个字，身份证号只显示最后两位。公示期满的，答复 404。",
    path=PATH,
)
@access("public")
@public_notices.response(200, NOTICE, description="名单")
@public_notices.refuses(NoticeDown)
def show_notice(notice: int) -> Response:
    """One that is up."""
    return jsonify(NOTICE.dump(flat(shown_up(notice))))


@public_notices.route(
    f"{ONE}/objections",
    methods=("POST",),
    summary="对公示的一条提出异议",
    description="不必登录，不必留姓名。没有收到答复的，用同一个 key 再发，只算一次。",
    path=PATH,
)
@access("public")
@public_notices.arguments(OBJECTION)
@public_notices.response(200, MADE, description="已收到")
@public_notices.refuses(NoticeDown, ObjectionKeyUsed, 429)
def object_to_entry(sent: dict[str, Any], notice: int) -> Response:
    """Of anybody."""
    one = Objecting(notice, sent["entry"], sent["key"], sent["words"], sent["contact"])
    return jsonify(MADE.dump({"code": objected(one)}))


@public_notices.route(
    "/notice-objections/<code>",
    summary="凭查询码看异议的处理结果，不用登录",
    path={"code": "查询码：提异议时给的，10 位"},
)
@access("public")
@public_notices.response(200, STANDING, description="处理结果")
@public_notices.refuses(UnknownObjection, 429)
def show_objection(code: str) -> Response:
    """To whoever has the code."""
    return jsonify(STANDING.dump(standing_of(code)))


@public_notices.route(
    "/notice-objections",
    summary="待处理的异议（县级）",
    description="案件在哪个岗位，异议就在哪个岗位的清单上。查看会记入审计。",
)
@DECIDE
@public_notices.response(200, WAITING, description="异议")
def show_objections() -> Response:
    """At the desk of who asks."""
    with acting_transaction() as session:
        found = objections_waiting(session, keys.keyring(), actor())
    return jsonify(WAITING.dump({"objections": found}))


@public_notices.route(
    f"/notice-objections/<int(max={LARGEST_ID}):objection>/decision",
    methods=("POST",),
    summary="处理一条异议：成立或不成立",
    description="成立的，案件退回重新审批；不成立的，公示期满后由系统批准。只能处理一次。",
    path={"objection": "异议的编号"},
)
@DECIDE
@public_notices.arguments(VERDICT)
@public_notices.response(204, description="已处理")
@public_notices.refuses(
    UnknownObjection, ObjectionDecided, NotYourDesk, AnotherPersonNeeded, CaseMoved
)
def decide_on_objection(sent: dict[str, Any], objection: int) -> Response:
    """Once."""
    verdict = Verdict(objection, sent["upheld"], sent["answer"])
    with acting_transaction() as session:
        rounds = Rounds(rules().book, keys.keyring(), today())
        decide_objection(session, actor(), verdict, rounds)
    return Response(status=204)


def shown_up(notice: int) -> Shown:
    """A list that is up. Raises `NoticeDown`."""
    with transaction() as session:
        return notice_shown(session, notice)


def objected(one: Objecting) -> str:
    """The code of an objection. Raises `NoticeDown`, `ObjectionKeyUsed`, and `Refused` (429) where
    an address leaves too many.
    """
    limiting.by_address(OBJECTIONS)
    with transaction() as session:
        return make_objection(session, keys.keyring(), one)


def standing_of(code: str) -> Standing:
    """What became of an objection. Raises `UnknownObjection`, and `Refused` (429) where too many
    of an address were wrong.
    """
    with limiting.failures(WRONG_CODES, UnknownObjection), transaction() as session:
        return objection_by_code(session, keys.keyring(), code)


def flat(found: Shown) -> dict[str, Any]:
    """As it is answered."""
    return asdict(found.notice) | {"entries": found.entries}
