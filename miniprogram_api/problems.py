"""问题 (problems): every refusal as RFC 9457 problem+json, or as a page for people with a browser.

Two tables turn what happened into status and words: `DOMAIN` by the code of a `DomainError`,
`FRAMEWORK` by HTTP status. Every detail says what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from flask import Response, g, has_request_context, render_template, request
from marshmallow import ValidationError

from backend.kernel.errors import DomainError, Fault
from miniprogram_api.problem_table import DOMAIN, Problem, by_code
from miniprogram_api.schemas import MOST_FAULTS, faults_of

MEDIA_TYPE: Final = "application/problem+json"
MACHINE_PATHS: Final = ("/api/", "/openapi.json", "/healthz", "/readyz", "/metrics", "/wechat/")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A problem as it happened once."""

    problem: Problem
    detail: str | None = None
    faults: tuple[Fault, ...] = ()


class Refused(Exception):
    """The API itself refuses the request. `headers`: what the answer carries besides."""

    def __init__(self, occurrence: Occurrence, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(occurrence.problem.code)
        self.occurrence, self.headers = occurrence, tuple(headers)


INVALID_BODY: Final = Problem(
    "invalid-body", 422, "填写的内容有误", "请按下面逐项的说明改正，再重新提交。"
)
INVALID_PARAMETERS: Final = Problem(
    "invalid-parameters", 422, "网址中的参数有误", "请按下面逐项的说明改正，再重新查询。"
)

FRAMEWORK: Final = {
    problem.status: problem
    for problem in (
        Problem(
            "malformed-request",
            400,
            "请求无法读懂",
            "请检查请求：正文须是 UTF-8 编码的 JSON，数字不能是 NaN 或无穷大。",
        ),
        Problem("not-signed-in", 401, "尚未登录", "请先登录，再重新操作。"),
        Problem("not-allowed", 403, "没有权限", "您没有办理此事的权限，请联系管理员。"),
        Problem("not-found", 404, "没有找到", "请检查网址或编号是否写对；内容也可能已不存在。"),
        Problem(
            "method-not-allowed", 405, "此处不支持这种请求方法", "请改用 Allow 头中列出的方法。"
        ),
        Problem("not-acceptable", 406, "无法按要求的格式答复", "请接受 application/json 格式。"),
        Problem("timed-out", 408, "请求超时", "网络可能不稳定，请稍后重新提交。"),
        Problem("conflict", 409, "状态已有变化", "请刷新后按最新情况再操作。"),
        Problem("gone", 410, "内容已撤下", "此内容不再提供，请查看最新内容。"),
        Problem("length-required", 411, "缺少长度", "请在请求中带上 Content-Length。"),
        Problem("outdated", 412, "内容已被他人修改", "请重新读取最新内容，再提交修改。"),
        Problem("too-large", 413, "提交的内容过大", "请减少内容或分批提交。"),
        Problem("address-too-long", 414, "网址过长", "请缩短查询内容后重试。"),
        Problem(
            "wrong-content-type",
            415,
            "正文的格式不受支持",
            "请以 UTF-8 编码的 JSON 提交，并设 Content-Type: application/json；不要压缩。",
        ),
        Problem("range-not-satisfiable", 416, "要求的范围不存在", "请去掉 Range 头后重试。"),
        Problem("expectation-failed", 417, "无法满足 Expect 头", "请去掉 Expect 头后重试。"),
        Problem("unprocessable", 422, "内容有误", "请检查填写的内容，改正后重新提交。"),
        Problem("locked", 423, "正在办理中", "此项暂时锁定，请稍后再试。"),
        Problem(
            "version-required", 428, "缺少版本", "请先读取最新内容，并在 If-Match 头中带上 ETag。"
        ),
        Problem("too-many-requests", 429, "请求过于频繁", "请稍候再试。"),
        Problem("headers-too-large", 431, "请求头过大", "请减少 Cookie 等请求头后重试。"),
        Problem(
            "internal-error",
            500,
            "系统出现错误",
            "不是您的操作有误。请稍后再试；若仍不行，请把编号（instance）告诉管理员。",
        ),
        Problem("not-implemented", 501, "尚不支持", "请改用文档中列出的功能。"),
        Problem("bad-gateway", 502, "上游服务异常", "请稍后再试。"),
        Problem("unavailable", 503, "服务暂时不可用", "请稍后再试。"),
        Problem("gateway-timeout", 504, "上游服务超时", "请稍后再试。"),
    )
}


def every_problem() -> Mapping[str, Problem]:
    """All problems by code."""
    return {**by_code(INVALID_BODY, INVALID_PARAMETERS, *FRAMEWORK.values()), **DOMAIN}


def for_status(status: int) -> Problem:
    """The problem of an HTTP status; an unlisted one as its class: 400 or 500."""
    return FRAMEWORK.get(status) or FRAMEWORK[400 if status < 500 else 500]


def occurrence_of(error: DomainError | ValidationError) -> Occurrence:
    """What a domain error or a schema's refusal of a body is to the caller."""
    if isinstance(error, DomainError):
        return Occurrence(DOMAIN[error.code], faults=error.faults)
    return Occurrence(INVALID_BODY, faults=faults_of(error.messages))


def refuse(
    status: int, detail: str | None = None, headers: Iterable[tuple[str, str]] = ()
) -> Refused:
    """The refusal with this status, to be raised."""
    return Refused(Occurrence(for_status(status), detail), headers)


def body_of(occurrence: Occurrence) -> dict[str, Any]:
    """The members of RFC 9457; `instance` is the request id, as in the log."""
    problem = occurrence.problem
    body: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": occurrence.detail or problem.advice,
    }
    if has_request_context() and "request_id" in g:
        body["instance"] = g.request_id
    if occurrence.faults:
        body["errors"] = [_plain(fault) for fault in occurrence.faults[:MOST_FAULTS]]
    return body


def respond(occurrence: Occurrence, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """The answer: problem+json; a page outside of what is for machines, unless JSON is wanted."""
    body = body_of(occurrence)
    if _wants_page():
        answer = Response(render_template("problem.html", body=body), body["status"])
    else:
        answer = Response(msgspec.json.encode(body), body["status"], mimetype=MEDIA_TYPE)
    for name, value in headers:
        answer.headers[name] = value
    return answer


def _plain(fault: Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "detail": fault.detail}


def _wants_page() -> bool:
    if request.path.startswith(MACHINE_PATHS):
        return False
    kinds = ("text/html", MEDIA_TYPE, "application/json")
    return request.accept_mimetypes.best_match(kinds, "text/html") == "text/html"
