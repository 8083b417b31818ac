"""/api/v1/staff/session: members of staff sign in and out, and choose in which duty they act."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from backend.accounts.duties import duties_of
from backend.accounts.passwords import WeakPassword
from backend.accounts.sessions import end_own_session
from backend.accounts.staff_login import (
    NoDuty,
    PasswordMustChange,
    SignIn,
    SignInRefused,
    switch_duty,
)
from backend.kernel.clock import today
from miniprogram_api.access import access, acting_transaction, actor, not_signed_in
from miniprogram_api.accounts.signing_in import enter
from miniprogram_api.accounts.staff_schemas import DUTY_CHOICE, SIGN_IN, SIGNED_IN, WHO
from miniprogram_api.openapi import Blueprint

staff_sessions = Blueprint("staff_sessions", __name__, title="工作人员登录")

SESSION: Final = "/staff/session"
TOO_MANY: Final = 429


@staff_sessions.route(
    SESSION,
    methods=("POST",),
    summary="登录：工号、口令和动态码",
    description="连续 5 次不对，锁定 15 分钟。15 分钟不用即失效，最长 12 小时；"
    "同时最多 5 处登录。第一次登录要一起提交新口令。",
)
@access("public")
@staff_sessions.arguments(SIGN_IN)
@staff_sessions.response(201, SIGNED_IN, description="已登录")
@staff_sessions.refuses(SignInRefused, PasswordMustChange, NoDuty, WeakPassword, TOO_MANY)
def sign_in(typed: SignIn) -> tuple[Response, int]:
    """A session, where everything is right."""
    return jsonify(SIGNED_IN.dump(enter(typed))), 201


@staff_sessions.route(SESSION, summary="我是谁：现在的任职，和可以换的任职")
@access("staff")
@staff_sessions.response(200, WHO, description="登录的人")
def show_session() -> Response:
    """Who is signed in, and as what."""
    found, day = actor(), today()
    with acting_transaction() as session:
        duties = duties_of(session, found.staff_id or 0, day)
    now = next((duty for duty in duties if duty.id == found.duty_id), None)
    if now is None:  # it ended since the request came in
        raise not_signed_in()
    who = {"staff_no": found.staff_no, "name": found.name, "duty": now, "duties": duties}
    return jsonify(WHO.dump(who))


@staff_sessions.route(
    f"{SESSION}/duty",
    methods=("POST",),
    summary="换一项任职办事",
    description="原来的口令作废，换成新的口令；登录的最长时间不变。",
)
@access("staff")
@staff_sessions.arguments(DUTY_CHOICE)
@staff_sessions.response(201, SIGNED_IN, description="已换")
@staff_sessions.refuses(NoDuty)
def change_duty(chosen: dict[str, Any]) -> tuple[Response, int]:
    """The same person in another duty."""
    with acting_transaction() as session:
        changed = switch_duty(session, actor(), chosen["duty"], today())
    return jsonify(SIGNED_IN.dump(changed)), 201


@staff_sessions.route(SESSION, methods=("DELETE",), summary="退出")
@access("staff")
@staff_sessions.response(204, description="已退出，口令作废")
def sign_out() -> tuple[str, int]:
    """The session ends, everywhere at once."""
    with acting_transaction() as session:
        end_own_session(session)
    return "", 204
