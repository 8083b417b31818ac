"""/api/v1/cases, /api/v1/handed-on: amounts that an officer decides, their payment by the
department, and what became of cases that a charity went on with."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from backend.applications.advances import AdvanceWrong, record_advance
from backend.applications.amounts import GrantWrong, Paid, note_paid, record_amount
from backend.applications.cases import UnknownCase, case_of
from backend.applications.handing_on import DESKS, NotHandedOn, handed_on, report_result
from backend.applications.steps import AnotherPersonNeeded, NotYourDesk
from backend.kernel.clock import today
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.applications.desk_routes import ONE, PATH
from miniprogram_api.applications.money_schemas import (
    ADVANCE,
    AMOUNT,
    ASSIGNED,
    GRANTED,
    HANDED_ON,
    PAID,
    RESULT,
)
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.openapi import Blueprint

case_money = Blueprint("case_money", __name__, title="申请的钱和转办（工作人员）")

OFFICERS: Final = access("staff", roles=DESKS)


@case_money.route(
    f"{ONE}/amount",
    methods=("PUT",),
    summary="定临时救助的金额",
    description="初审以后、发放以前；批准以后不能改。帮忙申请过的人、申请人的亲属不能定。",
    path=PATH,
)
@OFFICERS
@case_money.arguments(AMOUNT)
@case_money.response(200, GRANTED, description="已定的金额")
@case_money.refuses(UnknownCase, GrantWrong, NotYourDesk, AnotherPersonNeeded)
def decide_amount(sent: dict[str, Any], case: int) -> Response:
    """How much."""
    with acting_transaction() as session:
        found = record_amount(session, actor(), case_of(session, case), sent["amount"], today())
    return jsonify(GRANTED.dump(found))


@case_money.route(
    f"{ONE}/amount/payment",
    methods=("POST",),
    summary="登记临时救助已经发放",
    description="由民政部门自己的渠道发放，这里记日期和凭证号，须由定金额以外的人登记。再登记一次，不会改变。",
    path=PATH,
)
@OFFICERS
@case_money.arguments(PAID)
@case_money.response(200, GRANTED, description="已登记")
@case_money.refuses(UnknownCase, GrantWrong, NotYourDesk, AnotherPersonNeeded)
def note_payment(paid: Paid, case: int) -> Response:
    """By the department's own channel."""
    with acting_transaction() as session:
        found = note_paid(session, actor(), case_of(session, case), paid, today())
    return jsonify(GRANTED.dump(found))


@case_money.route(
    f"{ONE}/advance",
    methods=("POST",),
    summary="登记医院已经垫付",
    description="本人先签权益转让书。登记以后不能改，救助金在垫付的数以内付给医院，其余付给本人。",
    path=PATH,
)
@OFFICERS
@case_money.arguments(ADVANCE)
@case_money.response(200, ASSIGNED, description="已登记")
@case_money.refuses(UnknownCase, AdvanceWrong, NotYourDesk, AnotherPersonNeeded)
def note_advance(sent: dict[str, Any], case: int) -> Response:
    """Against the letter."""
    advanced = (sent["amount"], sent["cap"])
    with acting_transaction() as session:
        found = record_advance(session, actor(), case_of(session, case), advanced, today())
    return jsonify(ASSIGNED.dump(found))


@case_money.route(
    "/handed-on",
    summary="转给慈善组织、还没有结果的申请",
    description="不写是谁；要看的，打开那件申请。",
)
@OFFICERS
@case_money.response(200, HANDED_ON, description="转办的申请")
def show_handed_on() -> Response:
    """Of the place of who asks."""
    who = actor()
    with acting_transaction() as session:
        found = handed_on(session, who.area_from or 0, who.area_to or 0)
    return jsonify(HANDED_ON.dump({"cases": found}))


@case_money.route(
    f"/handed-on/<int(max={LARGEST_ID}):case>/result",
    methods=("POST",),
    summary="登记转办的结果",
    description="登记以后不再列在清单里。",
    path=PATH,
)
@OFFICERS
@case_money.arguments(RESULT)
@case_money.response(204, description="已登记")
@case_money.refuses(UnknownCase, NotHandedOn, NotYourDesk)
def note_result(sent: dict[str, Any], case: int) -> tuple[str, int]:
    """What the charity said."""
    with acting_transaction() as session:
        report_result(session, actor(), case_of(session, case), sent["result"], today())
    return "", 204
