"""/api/v1/…/progress: where an application stands; by its code, without an account."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec
from flask import Response

from backend.accounts.staff_tables import DECIDERS, VISITORS
from backend.applications.cases import UnknownCase
from backend.kernel import keys
from backend.kernel.clock import today
from backend.kernel.database import transaction
from backend.progress.at_once import look_at
from backend.progress.by_code import Standing, UnknownProgressCode, standing_of
from backend.progress.timeline import Look, progress_of, told_of
from miniprogram_api import limiting
from miniprogram_api.access import access, acting_transaction, enter
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.limiting import Limit
from miniprogram_api.openapi import Blueprint
from miniprogram_api.progress.schemas import CASE_PROGRESS, PROGRESS, STANDING
from miniprogram_api.rulebook import rules

progress = Blueprint("progress", __name__, title="办理进度")

WRONG_CODES: Final = Limit("progress_code", 60, 600)
"""Codes that no application has, from one address."""


@progress.route(
    f"/applications/<int(max={LARGEST_ID}):application>/progress",
    summary="一件申请办到哪里了：经过、在谁那里、最晚哪天、要做什么",
    description="界面选了“长辈版”的，为长辈版的说法。每一步都带告诉过您的那条消息的编号。",
    path={"application": "申请的编号"},
)
@access("either", roles=VISITORS, level=2, within=True)
@progress.response(200, PROGRESS, description="进度")
@progress.refuses(UnknownCase)
def show_progress(application: int) -> Response:
    """To those who apply for the person."""
    return _shown(application)


@progress.route(
    f"/cases/<int(max={LARGEST_ID}):case>/progress",
    summary="一件申请的经过，连同内部的步骤（工作人员）",
    path={"case": "申请的编号"},
)
@access("staff", roles=DECIDERS, within=True)
@progress.response(200, CASE_PROGRESS, description="进度")
@progress.refuses(UnknownCase)
def show_case_progress(case: int) -> Response:
    """To those who decide."""
    return _shown(case)


@progress.route(
    "/progress/<code>",
    summary="凭查询码看申请办到哪里了，不用登录",
    description="只答办到哪里、从哪天起、哪一项期限最晚哪天、要做什么，不说是谁、申请什么。查错太多次的，要等一会儿。",
    path={"code": "查询码：提交时给的，10 位；大小写、空格都可以"},
)
@access("public")
@progress.response(200, STANDING, description="办到哪里了")
@progress.refuses(UnknownProgressCode, 429)
def show_standing(code: str) -> Response:
    """To whoever has the code."""
    return _json(by_code(code))


def by_code(code: str, *, elder: bool = False) -> Standing:
    """Where the application of the code stands. Raises `UnknownProgressCode`, and `Refused` (429)
    where too many of an address were wrong.
    """
    with limiting.failures(WRONG_CODES, UnknownProgressCode), transaction() as session:
        return standing_of(session, keys.keyring(), code, today(), elder=elder)


def _shown(case_id: int) -> Response:
    found = enter(partial(look_at, case_id))
    look = Look(found.actor, keys.keyring(), rules().book, today())
    if found.case is not None:
        return _json(told_of(look, case_id, found.case))
    with acting_transaction() as session:
        return _json(progress_of(session, look, case_id))


def _json(value: msgspec.Struct) -> Response:
    """Written straight: going over fields once more would cost more than the rest."""
    return Response(msgspec.json.encode(value), mimetype="application/json")
