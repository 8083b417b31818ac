"""工作人员 (staff): until they have accounts, whoever holds the token of the deployment.

Programs send the token with every request. A browser is given a cookie for it, which pages alone
take: no form of another site can call the API with it.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Final, TypeVar

from flask import Flask, current_app, redirect, request, url_for
from werkzeug import Response

from miniprogram_api.problems import refuse

COOKIE: Final = "shukun_staff"
LIFE_SECONDS: Final = 12 * 3600
"""A browser is asked again after a working day."""
REALM: Final = 'Bearer realm="shukun"'
UNSET: Final = (
    "还没有设置工作人员口令：请把环境变量 SHUKUN_STAFF_TOKEN 设为至少 32 个字符，再重新启动。"
)
MISSING: Final = "请在 Authorization 头中带上工作人员口令：Bearer 口令。"
WRONG: Final = "口令不对，请核对后再试。"
_NAME: Final = "staff_token"
R = TypeVar("R", bound=Response)


def install(app: Flask, token: str | None) -> None:
    """Give the application its token; None: nobody gets in."""
    app.extensions[_NAME] = token


def is_set() -> bool:
    """Whether there is a token at all."""
    return _token() is not None


def admit() -> Response | None:
    """Nothing for who may pass; a browser is led to the door. Raises `Refused` (401) for programs.

    Which of both is asked follows from the address alone.
    """
    if request.path.startswith("/api/"):
        _check_bearer()
        return None
    return None if signed_in() else redirect(url_for("staff_page.ask"), 303)


def is_token(sent: str) -> bool:
    """Whether it is the token; the time it takes tells nothing."""
    token = _token()
    return token is not None and hmac.compare_digest(_digest(sent), _digest(token))


def sign_in(answer: R) -> R:
    """Give the browser what pages take for the token. It holds no part of the token."""
    until = str(int(time.time()) + LIFE_SECONDS)
    value = f"{until}.{_seal(until)}"
    answer.set_cookie(COOKIE, value, secure=request.is_secure, httponly=True, samesite="Strict")
    return answer


def sign_out(answer: R) -> R:
    """Take it away again."""
    answer.delete_cookie(COOKIE, secure=request.is_secure, httponly=True, samesite="Strict")
    return answer


def signed_in() -> bool:
    """Whether the browser holds one that is still good."""
    until, _, seal = request.cookies.get(COOKIE, "").partition(".")
    if _token() is None or not (until.isascii() and until.isdigit() and len(until) < 12):
        return False
    genuine = hmac.compare_digest(seal.encode(), _seal(until).encode())
    return genuine and int(until) > time.time()


def _check_bearer() -> None:
    if not is_set():
        raise refuse(401, UNSET, (("WWW-Authenticate", REALM),))
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise refuse(401, MISSING, (("WWW-Authenticate", REALM),))
    if not is_token(sent.token):
        raise refuse(401, WRONG, (("WWW-Authenticate", f'{REALM}, error="invalid_token"'),))


def _token() -> str | None:
    token: str | None = current_app.extensions[_NAME]
    return token


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _seal(until: str) -> str:
    key = (_token() or "").encode()
    return hmac.new(key, f"staff page until {until}".encode(), hashlib.sha256).hexdigest()
