"""/api/v1/sessions, /api/v1/me: residents log in, become known, and see what is known of them."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from backend.accounts.closing import close_account
from backend.accounts.codes import show_code
from backend.accounts.login import LoginBlocked, LoginCodeUnusable, log_in, who_shows
from backend.accounts.me import account_of, choose_ui_mode
from backend.accounts.own_file import own_file, viewers
from backend.accounts.phone import (
    PhoneCodeUnusable,
    PhoneUnusable,
    bind_phone,
    forget_phone,
    openid_of,
    phone_behind,
)
from backend.accounts.real_name import (
    AlreadyNamed,
    Claim,
    IdentityMalformed,
    NameNotMatched,
    TooManyTries,
    prove_name,
)
from backend.accounts.residents import UnknownPerson, own_account
from backend.accounts.sessions import end_own_session
from backend.kernel import keys
from backend.kernel.audit_seen import SeenAsked
from backend.kernel.clock import today
from backend.kernel.database import transaction
from backend.kernel.errors import DomainError
from backend.wechat import connection
from backend.wechat.errors import WeChatBusy, WeChatNotConfigured, WeChatUnavailable
from miniprogram_api import credentials, limiting
from miniprogram_api.access import access, acting_for, acting_transaction, actor
from miniprogram_api.accounts.presenter import present_file, present_viewers
from miniprogram_api.accounts.resident_schemas import (
    ACCOUNT,
    ACCOUNT_CHANGE,
    CLAIM,
    LOG_IN,
    LOGGED_IN,
    NAMED,
    OWN_FILE,
    PHONE,
    PHONE_CODE,
    SHOWN_CODE,
    VIEWERS,
    VIEWERS_QUERY,
    WHOSE,
)
from miniprogram_api.limiting import Limit
from miniprogram_api.openapi import Blueprint
from miniprogram_api.rulebook import rules

residents = Blueprint("residents", __name__, title="居民账号")

TOO_MANY: Final = 429
LOG_IN_FAILED: Final = Limit("log_in", 600, 600)
"""Codes that WeChat did not take, from one address: nobody can guess one."""
PHONES: Final = Limit("phone", 10, 86_400)
"""WeChat is paid for each number it tells."""
CODES: Final = Limit("account_code", 20, 3_600)
WECHAT: Final = (WeChatBusy, WeChatUnavailable, WeChatNotConfigured)


@residents.route(
    "/sessions",
    methods=("POST",),
    summary="登录：用 wx.login 的 code",
    description="第一次来的，随即有了账号。口令最长 30 天；同时最多 5 处登录。",
)
@access("public")
@residents.arguments(LOG_IN)
@residents.response(201, LOGGED_IN, description="已登录")
@residents.refuses(LoginCodeUnusable, LoginBlocked, *WECHAT, TOO_MANY)
def log_in_resident(sent: dict[str, Any]) -> tuple[Response, int]:
    """A session for the WeChat user."""
    with limiting.failures(LOG_IN_FAILED, LoginCodeUnusable):
        openid = who_shows(connection.mini_program(), sent["code"])
    with transaction() as session:
        entered = log_in(session, keys.keyring(), openid, credentials.address_masked())
    return jsonify(LOGGED_IN.dump(entered)), 201


@residents.route("/sessions/current", methods=("DELETE",), summary="退出登录")
@access("resident")
@residents.response(204, description="已退出，口令作废")
def log_out_resident() -> tuple[str, int]:
    """The session ends, everywhere at once."""
    with acting_transaction() as session:
        end_own_session(session)
    return "", 204


@residents.route("/me", summary="我的账号")
@access("resident")
@residents.response(200, ACCOUNT, description="账号")
def show_me() -> Response:
    """How it stands."""
    with acting_transaction() as session:
        found = account_of(session, keys.keyring(), actor())
    return jsonify(ACCOUNT.dump(found))


@residents.route("/me", methods=("PATCH",), summary="换界面：标准或长辈版")
@access("resident")
@residents.arguments(ACCOUNT_CHANGE)
@residents.response(200, ACCOUNT, description="改后的账号")
def change_me(sent: dict[str, Any]) -> Response:
    """From now on, on every phone."""
    with acting_transaction() as session:
        choose_ui_mode(session, actor(), sent["ui_mode"])
        found = account_of(session, keys.keyring(), actor())
    return jsonify(ACCOUNT.dump(found))


@residents.route(
    "/me",
    methods=("DELETE",),
    summary="注销账号",
    description="随即退出各处登录，删除手机号和微信标识，撤回在小程序里给出的同意和委托。"
    "应得的救助不受影响。",
)
@access("resident")
@residents.response(204, description="已注销")
def close_me() -> tuple[str, int]:
    """The account ends, with what hangs on it."""
    found = actor()
    with acting_transaction() as session:
        close_account(session, own_account(found), found, "left")
    return "", 204


@residents.route(
    "/me/phone",
    methods=("POST",),
    summary="绑定手机号：用手机号按钮的 code",
    description="再绑一次即更换。只收中国内地的号码。",
)
@access("resident")
@residents.arguments(PHONE_CODE)
@residents.response(200, PHONE, description="已绑定")
@residents.refuses(PhoneCodeUnusable, PhoneUnusable, *WECHAT)
def bind_my_phone(sent: dict[str, Any]) -> Response:
    """WeChat is asked between two transactions."""
    limiting.by_account(actor(), PHONES)
    with acting_transaction() as session:
        openid = openid_of(session, keys.keyring(), actor())
    given = phone_behind(connection.mini_program(), sent["code"], openid)
    with acting_transaction() as session:
        masked = bind_phone(session, keys.keyring(), actor(), given)
    return jsonify(PHONE.dump({"phone": masked}))


@residents.route("/me/phone", methods=("DELETE",), summary="删除手机号")
@access("resident")
@residents.response(204, description="已删除")
def forget_my_phone() -> tuple[str, int]:
    """It is kept no more."""
    found = actor()
    with acting_transaction() as session:
        forget_phone(session, own_account(found), found)
    return "", 204


@residents.route(
    "/me/identity",
    methods=("POST",),
    summary="实名：填写姓名和身份证号",
    description="与登记核对；6 小时内最多试 5 次。一个人只能有一个账号。"
    "核对不上的，可以出示身份码到柜台办理。",
)
@access("resident", level=1)
@residents.arguments(CLAIM)
@residents.response(200, NAMED, description="已实名")
@residents.refuses(IdentityMalformed, NameNotMatched, TooManyTries, AlreadyNamed)
def prove_my_name(claim: Claim) -> Response:
    """A refusal that counts as a try is raised when it is written down."""
    with acting_transaction() as session:
        proven = prove_name(session, keys.keyring(), actor(), claim, today())
    if isinstance(proven, DomainError):
        raise proven
    return jsonify(NAMED.dump({"person_id": proven}))


@residents.route(
    "/me/code",
    methods=("POST",),
    summary="打开身份码",
    description="八位数字，十分钟内有效，只能用一次：告诉柜台人员，用来实名或登记家人；"
    "告诉委托您的人，用来委托。",
)
@access("resident")
@residents.response(201, SHOWN_CODE, description="身份码")
def show_my_code() -> tuple[Response, int]:
    """A new one; the one before is good no more."""
    limiting.by_account(actor(), CODES)
    with acting_transaction() as session:
        shown = show_code(session, actor())
    return jsonify(SHOWN_CODE.dump(shown)), 201


@residents.route(
    "/me/file",
    summary="登记里知道我（或家人、委托人）什么",
    description="每看一次都记下来。",
)
@access("resident", level=2)
@residents.arguments(WHOSE, location="query")
@residents.response(200, OWN_FILE, description="档案")
@residents.refuses(UnknownPerson)
def show_file(asked: dict[str, Any]) -> Response:
    """What the register knows."""
    with acting_transaction() as session:
        whose = acting_for(asked["person"])
        found = own_file(session, keys.keyring(), actor(), whose, today())
    return jsonify(OWN_FILE.dump(present_file(found, rules().book.vocabulary)))


@residents.route(
    "/me/viewers",
    summary="谁看过我（或监护的孩子）的档案，为什么",
    description="工作人员写所在的地方、职责和工号，家人和受托人写姓名。系统自动计算不算查看。",
)
@access("resident", level=2)
@residents.arguments(VIEWERS_QUERY, location="query")
@residents.response(200, VIEWERS, description="查看记录")
@residents.refuses(UnknownPerson)
def show_viewers(asked: dict[str, Any]) -> Response:
    """Who looked, in plain words."""
    page = SeenAsked(asked["most"], asked["before"], asked["own"])
    with acting_transaction() as session:
        found = viewers(session, keys.keyring(), actor(), acting_for(asked["person"]), page)
    return jsonify(VIEWERS.dump(present_viewers(found, page.most)))
