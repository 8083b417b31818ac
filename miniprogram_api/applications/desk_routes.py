"""/api/v1/cases: what staff do with applications at their desks."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from backend.accounts.staff_tables import DECIDERS
from backend.applications import desk
from backend.applications.amounts import GrantWrong
from backend.applications.cases import UnknownCase
from backend.applications.checks import checks_of
from backend.applications.deciding import Decision, UnknownReason, decide, file_many
from backend.applications.desk import Asked, CaseTaken, NotTaken, SuccessorUnfit
from backend.applications.owing import PapersOwed
from backend.applications.reading import open_case
from backend.applications.steps import (
    AnotherGoing,
    AnotherPersonNeeded,
    CaseMoved,
    DeedImpossible,
    NotYourDesk,
    ReasonMissing,
    Step,
)
from backend.kernel import keys
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.applications.answering import (
    office,
    proof_for,
    shown,
    shown_filed,
    shown_whole,
)
from miniprogram_api.applications.check_schemas import CHECKS_ANSWER, shown_checks
from miniprogram_api.applications.schemas import (
    CASE,
    DECISION,
    DESK,
    DESK_QUERY,
    FILED,
    FILINGS,
    HAND_OVER,
    OPENED,
    decision_of,
)
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.openapi import Blueprint

cases = Blueprint("cases", __name__, title="申请的审核（工作人员）")

ONE: Final = f"/cases/<int(max={LARGEST_ID}):case>"
PATH: Final = {"case": "申请的编号"}
STAFF: Final = access("staff", roles=DECIDERS)
REFUSALS: Final = (
    UnknownCase, CaseMoved, DeedImpossible, NotYourDesk, AnotherPersonNeeded, AnotherGoing,
    ReasonMissing, UnknownReason, PapersOwed, GrantWrong,
)  # fmt: skip


@cases.route(
    "/cases",
    summary="我的岗位上待办的申请",
    description="急的在前，然后先到期的在前；不写是谁。",
)
@STAFF
@cases.arguments(DESK_QUERY, location="query")
@cases.response(200, DESK, description="待办的申请")
def show_desk(asked: dict[str, Any]) -> Response:
    """The desk of who asks."""
    with acting_transaction() as session:
        found = desk.desk_list(session, actor(), Asked(**asked))
        waiting = desk.desk_count(session, actor())
    return jsonify(DESK.dump({"cases": found, "waiting": waiting}))


@cases.route(
    ONE,
    summary="一件申请：填写的内容、办理经过、期限",
    description="查看会记入审计，本人看得到谁看过。",
    path=PATH,
)
@STAFF
@cases.response(200, OPENED, description="申请")
@cases.refuses(UnknownCase)
def show_case(case: int) -> Response:
    """Everything in it."""
    with acting_transaction() as session:
        found = open_case(session, keys.keyring(), actor(), case)
        proof = proof_for(session, found.case)
    return jsonify(OPENED.dump(shown_whole(found, proof)))


@cases.route(
    f"{ONE}/checks",
    summary="系统自动核查的结果",
    description="申请人怎么说、系统里怎样、差在哪里。只供参考：同意不同意由人决定。查看会记入审计。",
    path=PATH,
)
@STAFF
@cases.response(200, CHECKS_ANSWER, description="核查结果")
@cases.refuses(UnknownCase)
def show_checks(case: int) -> Response:
    """What the system can say of it by itself."""
    with acting_transaction() as session:
        found = checks_of(session, office(), case)
    return jsonify(CHECKS_ANSWER.dump(shown_checks(found)))


@cases.route(
    f"{ONE}/steps",
    methods=("POST",),
    summary="办理一步：受理、要求补正、初审、批准、不予批准……",
    description="填写看到的 seq：别人先办了的，不会重复办。初审和批准须是两个人，"
    "有亲属关系的须回避。",
    path=PATH,
)
@STAFF
@cases.arguments(DECISION)
@cases.response(200, CASE, description="已办理")
@cases.refuses(*REFUSALS)
def take(sent: dict[str, Any], case: int) -> Response:
    """One step, once."""
    with acting_transaction() as session:
        done = decide(session, office(), decision_of(case, sent))
    return jsonify(CASE.dump(shown(done)))


@cases.route(
    "/cases/filings",
    methods=("POST",),
    summary="批量备案",
    description="逐件办理：办不了的不动，逐件说明原因。",
)
@STAFF
@cases.arguments(FILINGS)
@cases.response(200, FILED, description="逐件的结果")
def file_cases(sent: dict[str, Any]) -> Response:
    """Of the filing kind alone."""
    wanted = [Decision(one["id"], one["seq"], Step("file")) for one in sent["cases"]]
    with acting_transaction() as session:
        filed = file_many(session, office(), wanted)
    return jsonify(FILED.dump({"cases": [shown_filed(one) for one in filed]}))


@cases.route(f"{ONE}/claim", methods=("POST",), summary="领办", path=PATH)
@STAFF
@cases.response(204, description="已领办：同事不会同时办")
@cases.refuses(UnknownCase, CaseTaken, NotYourDesk)
def claim(case: int) -> tuple[str, int]:
    """By one person at a time."""
    with acting_transaction() as session:
        desk.claim_case(session, actor(), case)
    return "", 204


@cases.route(f"{ONE}/claim", methods=("DELETE",), summary="退回清单", path=PATH)
@STAFF
@cases.response(204, description="已退回：同事可以领办")
@cases.refuses(UnknownCase, NotTaken)
def release(case: int) -> tuple[str, int]:
    """For somebody else."""
    with acting_transaction() as session:
        desk.release_case(session, actor(), case)
    return "", 204


@cases.route(f"{ONE}/handover", methods=("POST",), summary="转交给同岗位的同事", path=PATH)
@STAFF
@cases.arguments(HAND_OVER)
@cases.response(204, description="已转交")
@cases.refuses(UnknownCase, NotTaken, SuccessorUnfit)
def hand_over(sent: dict[str, Any], case: int) -> tuple[str, int]:
    """To a colleague."""
    with acting_transaction() as session:
        desk.hand_over(session, actor(), case, sent["staff_no"])
    return "", 204


@cases.route(
    f"{ONE}/recusal",
    methods=("POST",),
    summary="回避：我与申请人有亲属或利害关系",
    path=PATH,
)
@STAFF
@cases.response(204, description="已回避：您不再办理这件申请")
@cases.refuses(UnknownCase)
def recuse(case: int) -> tuple[str, int]:
    """One decides nothing in it any more."""
    with acting_transaction() as session:
        desk.recuse(session, actor(), case)
    return "", 204
