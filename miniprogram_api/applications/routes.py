"""/api/v1/applications: what residents, and those who help them, do with applications."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, current_app, jsonify

from backend.accounts.residents import UnknownPerson
from backend.accounts.staff_tables import VISITORS
from backend.applications import applying, submitting
from backend.applications.advances import AdvanceWrong, assign, draw_up_assignment
from backend.applications.advances import Wanted as AdvanceWanted
from backend.applications.answers import AnswerWrong, UnknownField
from backend.applications.bills import bills_to_name
from backend.applications.cases import UnknownCase, case_of
from backend.applications.commitment import NoLetter, Wanted, draw_up
from backend.applications.drafts import (
    AnswerChanged,
    Beginning,
    FastLaneUnknown,
    KeyUsed,
    NotToApply,
    begin_application,
    change_answer,
    choose_fast_lane,
)
from backend.applications.for_papers import cases_for_papers
from backend.applications.prefill import fill_in, procedure_for
from backend.applications.reading import open_case, own_cases
from backend.applications.revoking import PromiseBarred
from backend.applications.steps import (
    AlreadyApplied,
    BillClaimed,
    CaseMoved,
    DeedImpossible,
    NotYourDesk,
    ReasonMissing,
)
from backend.applications.submitting import LetterNotSigned, NotComplete
from backend.kernel import keys
from backend.kernel.clock import today
from backend.letters.letters import LetterDeedImpossible, LetterMoved
from backend.letters.presenting import drawn_up, present_letter
from backend.letters.reading import show_letter
from backend.letters.rendering import LetterUnprintable
from backend.policies.procedures import UnknownKind
from miniprogram_api.access import access, acting_for, acting_transaction, actor
from miniprogram_api.applications.answering import circumstances, shown, shown_own
from miniprogram_api.applications.money_schemas import ADVANCE_WANTED
from miniprogram_api.applications.schemas import (
    ANSWER_GIVEN,
    ANSWERED,
    APPEAL,
    BEGINNING,
    BILLS_TO_NAME,
    CASE,
    CASES,
    FAST_LANE,
    LETTER_SIZE,
    OPENED,
    SUBMITTED,
    answer_of,
)
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.letters.schemas import LETTER
from miniprogram_api.letters.schemas import shown as letter_shown
from miniprogram_api.openapi import Blueprint
from miniprogram_api.rulebook import rules

applications = Blueprint("applications", __name__, title="在线申请")

ONE: Final = f"/applications/<int(max={LARGEST_ID}):application>"
PATH: Final = {"application": "申请的编号"}
APPLICANTS: Final = access("either", roles=VISITORS, level=2)
"""Residents known by name, and staff who visit, for those who delegated it to them."""


@applications.route(
    "/applications",
    summary="我的申请，和我代办的",
    description="只受托代交材料的，申请列在 for_papers 里：能交材料，看不到里面的内容。",
)
@APPLICANTS
@applications.response(200, CASES, description="申请")
def show_applications() -> Response:
    """Those whom the session applies for."""
    with acting_transaction() as session:
        found = own_cases(session, actor())
        papers = cases_for_papers(session, actor())
    return jsonify(
        CASES.dump({"applications": [shown(one) for one in found], "for_papers": papers})
    )


@applications.route(
    "/applications",
    methods=("POST",),
    summary="开始一件申请",
    description="系统已有的内容自动填好，并写明来源。没有收到答复的，用同一个 key 再发，"
    "还是原来那一件。",
)
@APPLICANTS
@applications.arguments(BEGINNING)
@applications.response(201, CASE, description="草稿")
@applications.refuses(UnknownPerson, NotToApply, UnknownKind, KeyUsed)
def begin_applying(beginning: Beginning) -> tuple[Response, int]:
    """A draft, filled in with what is known."""
    acting_for(beginning.person_id)
    with acting_transaction() as session:
        procedure = procedure_for(session, rules().book, beginning, today())
        case, new = begin_application(session, actor(), beginning, procedure)
        if new:
            fill_in(session, keys.keyring(), case, procedure, today())
    return jsonify(CASE.dump(shown(case))), 201


@applications.route(ONE, summary="一件申请：填写的内容、办理经过、期限", path=PATH)
@APPLICANTS
@applications.response(200, OPENED, description="申请")
@applications.refuses(UnknownCase)
def show_application(application: int) -> Response:
    """Everything in it."""
    with acting_transaction() as session:
        found = open_case(session, keys.keyring(), actor(), application)
        told = shown_own(session, found)
    return jsonify(OPENED.dump(told))


@applications.route(
    f"{ONE}/bills",
    summary="可以申请救助的费用单：选中的编号填在申请里",
    path=PATH,
)
@APPLICANTS
@applications.response(200, BILLS_TO_NAME, description="费用单")
@applications.refuses(UnknownCase)
def show_bills(application: int) -> Response:
    """Those of whom it is for."""
    with acting_transaction() as session:
        found = bills_to_name(session, actor(), application)
    return jsonify(BILLS_TO_NAME.dump({"bills": found}))


@applications.route(
    f"{ONE}/answers/<string(maxlength=40):field>",
    methods=("PUT",),
    summary="保存一项填写的内容",
    description="一项一项保存，随时可以换手机接着填。别处刚改过的，不会被盖掉。",
    path={**PATH, "field": "哪一项：代码从 /api/v1/procedures 中选"},
)
@APPLICANTS
@applications.arguments(ANSWER_GIVEN)
@applications.response(200, ANSWERED, description="已保存")
@applications.refuses(UnknownCase, UnknownField, AnswerWrong, AnswerChanged, DeedImpossible)
def save_answer(sent: dict[str, Any], application: int, field: str) -> Response:
    """One field."""
    with acting_transaction() as session:
        given = circumstances(session, application)
        case = case_of(session, application)
        saved = change_answer(session, case, answer_of(field, sent), given)
    return jsonify(ANSWERED.dump(saved))


@applications.route(
    f"{ONE}/fast-lane", methods=("PUT",), summary="急重病：先凭诊断证明救助", path=PATH
)
@APPLICANTS
@applications.arguments(FAST_LANE)
@applications.response(204, description="已记下")
@applications.refuses(UnknownCase, FastLaneUnknown, DeedImpossible)
def mark_urgent(sent: dict[str, Any], application: int) -> tuple[str, int]:
    """Or not."""
    with acting_transaction() as session:
        given = circumstances(session, application)
        case = case_of(session, application)
        choose_fast_lane(session, actor(), case, given.procedure, sent["fast_lane"])
    return "", 204


@applications.route(
    f"{ONE}/letter",
    methods=("POST",),
    summary="出承诺书：按现在填写的内容和材料",
    description="内容没有变的，还是原来那一份。内容改过的，要重新出、重新签。",
    path=PATH,
)
@APPLICANTS
@applications.arguments(LETTER_SIZE)
@applications.response(201, LETTER, description="承诺书")
@applications.refuses(
    UnknownCase, NoLetter, NotComplete, DeedImpossible, LetterMoved, LetterDeedImpossible,
    LetterUnprintable, PromiseBarred, AnswerWrong,
)  # fmt: skip
def make_letter(sent: dict[str, Any], application: int) -> tuple[Response, int]:
    """Drawn between two transactions: it takes a while."""
    with acting_transaction() as session:
        given = circumstances(session, application)
        wanted = Wanted(application, current_app.config["SITE"], sent["size"], rules())
        asked = draw_up(session, wanted, given)
    drawn = drawn_up(asked)
    with acting_transaction() as session:
        made = present_letter(session, keys.keyring(), actor(), asked, drawn)
        shown_letter = show_letter(session, keys.keyring(), actor(), made.id)
    return jsonify(letter_shown(shown_letter)), 201


@applications.route(
    f"{ONE}/advance-letter",
    methods=("POST",),
    summary="出权益转让书：医院先垫付，救助金在最高金额以内付给医院",
    description="提交以后、发放以前，本人签了、盖了章，县里才登记垫付。",
    path=PATH,
)
@APPLICANTS
@applications.arguments(ADVANCE_WANTED)
@applications.response(201, LETTER, description="权益转让书")
@applications.refuses(
    UnknownCase, AdvanceWrong, LetterMoved, LetterDeedImpossible, LetterUnprintable
)
def make_advance_letter(sent: dict[str, Any], application: int) -> tuple[Response, int]:
    """Drawn between two transactions: it takes a while."""
    site = current_app.config["SITE"]
    wanted = AdvanceWanted(application, sent["bill"], sent["cap"], site, sent["size"])
    with acting_transaction() as session:
        given = circumstances(session, application)
        asked, terms = draw_up_assignment(session, wanted, given)
    drawn = drawn_up(asked)
    with acting_transaction() as session:
        made = present_letter(session, keys.keyring(), actor(), asked, drawn)
        assign(session, terms, made.id, given.today)
        shown_letter = show_letter(session, keys.keyring(), actor(), made.id)
    return jsonify(letter_shown(shown_letter)), 201


@applications.route(
    f"{ONE}/submission",
    methods=("POST",),
    summary="提交",
    description="重复提交还是同一件。填写、材料不齐的，逐项列出。",
    path=PATH,
)
@APPLICANTS
@applications.response(200, SUBMITTED, description="已提交，和查询码")
@applications.refuses(
    UnknownCase, NotComplete, LetterNotSigned, AlreadyApplied, BillClaimed, DeedImpossible,
    CaseMoved, NotYourDesk,
)  # fmt: skip
def submit(application: int) -> Response:
    """Once."""
    with acting_transaction() as session:
        done = submitting.submit(session, application, circumstances(session, application))
    return jsonify(SUBMITTED.dump({**shown(done.case), "code": done.code}))


@applications.route(
    f"{ONE}/withdrawal", methods=("POST",), summary="撤回申请，或删除草稿", path=PATH
)
@APPLICANTS
@applications.response(200, CASE, description="已撤回")
@applications.refuses(UnknownCase, DeedImpossible, CaseMoved, NotYourDesk)
def withdraw(application: int) -> Response:
    """Before it is decided."""
    with acting_transaction() as session:
        case = applying.withdraw(session, application, circumstances(session, application))
    return jsonify(CASE.dump(shown(case)))


@applications.route(f"{ONE}/supplement", methods=("POST",), summary="补正好了，再交一次", path=PATH)
@APPLICANTS
@applications.response(200, CASE, description="已收到补正")
@applications.refuses(
    UnknownCase, NotComplete, LetterNotSigned, BillClaimed, AnswerWrong, DeedImpossible, CaseMoved,
    NotYourDesk,
)  # fmt: skip
def supply(application: int) -> Response:
    """What was asked for is there."""
    with acting_transaction() as session:
        case = applying.supply(session, application, circumstances(session, application))
    return jsonify(CASE.dump(shown(case)))


@applications.route(f"{ONE}/appeal", methods=("POST",), summary="对不予批准提出申诉", path=PATH)
@APPLICANTS
@applications.arguments(APPEAL)
@applications.response(200, CASE, description="已收到申诉，由没有办过这件申请的人复查")
@applications.refuses(
    UnknownCase, ReasonMissing, AlreadyApplied, BillClaimed, DeedImpossible, CaseMoved, NotYourDesk
)
def appeal(sent: dict[str, Any], application: int) -> Response:
    """Within its period."""
    with acting_transaction() as session:
        given = circumstances(session, application)
        case = applying.appeal(session, application, sent["why"], given)
    return jsonify(CASE.dump(shown(case)))
