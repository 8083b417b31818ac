"""凭据 (credentials): how a session's token travels, and where a request comes from.

Programs send the token with every request; the API never looks at cookies, so that no page of
another site can make a browser call it. A browser carries it in a cookie, which pages alone take.
"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final, TypeVar

from flask import current_app, request
from werkzeug import Response

from backend.accounts.sessions import is_token

COOKIE: Final = "shukun_session"
REALM: Final = 'Bearer realm="shukun"'
_V4_KEPT: Final = 24
_V6_KEPT: Final = 48
R = TypeVar("R", bound=Response)


def of_program() -> bool:
    """Whether the request is one of a program: the address alone tells."""
    return request.path.startswith("/api/")


def sent_token() -> str | None:
    """What the request shows as its token: programs in a header, browsers in the cookie.

    None: nothing, or what could not be a token.
    """
    token = _bearer() if of_program() else request.cookies.get(COOKIE, "")
    return token if is_token(token) else None


def give_cookie(answer: R, token: str) -> R:
    """Let the browser carry the token; it forgets it when it is closed."""
    answer.set_cookie(COOKIE, token, secure=request.is_secure, httponly=True, samesite="Strict")
    return answer


def take_cookie(answer: R) -> R:
    """Let the browser forget it."""
    answer.delete_cookie(COOKIE, secure=request.is_secure, httponly=True, samesite="Strict")
    return answer


def address() -> str:
    """Where the request comes from: the connection's other end, or what our own proxies say.

    Of `X-Forwarded-For` only what `Settings.proxies` added is believed, never what came to them.
    """
    proxies: int = current_app.config["PROXIES"]
    told = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
    if proxies and len(told) >= proxies and told[-proxies]:
        return told[-proxies]
    return request.remote_addr or ""


def address_masked() -> str:
    """The network of it, to be kept: `192.0.2.0`, `2001:db8:1::`."""
    try:
        found = ip_address(address())
    except ValueError:
        return ""
    kept = _V4_KEPT if isinstance(found, IPv4Address) else _V6_KEPT
    return str(ip_network((found, kept), strict=False).network_address)


def _bearer() -> str:
    sent = request.authorization
    return (sent.token or "") if sent is not None and sent.type == "bearer" else ""
