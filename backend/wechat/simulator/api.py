"""接口端口 (api): one request to the API port: route, token, fault, deed, journal."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final

import msgspec

from backend.wechat.simulator import (
    account,
    codes_links,
    customer,
    face,
    login,
    media,
    quotas,
    security,
    subscribe,
    tokens,
)
from backend.wechat.simulator.faults import Met, Rule
from backend.wechat.simulator.journal import Entry, masked
from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import World
from backend.wechat.simulator.wire import Answer, Call, Errcode, Request, as_json, refusal

ROUTES: Final[dict[str, Route]] = {
    route.path: route
    for module in (
        tokens, login, subscribe, customer, media, security, codes_links, face, account,
    )
    for route in module.ROUTES
}  # fmt: skip
_SPOILS: Final = {
    "expire_token": "expired",
    "supersede_token": "superseded",
    "garbage": "garbage",
}
_HTML: Final = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_SEND: Final = "/cgi-bin/message/subscribe/send"


@dataclass(frozen=True)
class Reply:
    """What goes back, and the fault that the way back suffers. No answer: nothing goes back."""

    answer: Answer | None
    rule: Rule | None


class Api:
    """The API port's side of a world. `stopping` cuts waits short."""

    def __init__(self, world: World, stopping: threading.Event) -> None:
        self.world: Final = world
        self.stopping: Final = stopping

    def answer(self, request: Request) -> Reply:
        """Answer a request; every one leaves an entry in the journal."""
        with self.world.lock:
            entry = self.world.journal.begin(self.world.now(), request.method, request.path)
            met = _met(self.world, request, entry)
            rule = self.world.faults.meet(met)
            entry.fault = rule.action if rule else None
            crowded = self._enter(met)
        try:
            if rule is not None and rule.action == "slow":
                self.stopping.wait(rule.ms / 1000)
            with self.world.lock:
                return Reply(self._answered(Call(request, entry), rule, crowded), rule)
        finally:
            self._leave(met)

    def _enter(self, met: Met) -> bool:
        """Whether another message is being sent to the same user at this moment."""
        if met.path != _SEND or met.openid is None:
            return False
        self.world.sending[met.openid] += 1
        return self.world.sending[met.openid] > 1

    def _leave(self, met: Met) -> None:
        if met.path == _SEND and met.openid is not None:
            with self.world.lock:
                self.world.sending[met.openid] -= 1

    def _answered(self, call: Call, rule: Rule | None, crowded: bool) -> Answer | None:
        if rule is not None and rule.action in ("hang", "reset"):
            return None
        try:
            if rule is not None and (page := _page(rule)) is not None:
                call.entry.status = page.status
                return page
            said = self._said(call, rule, crowded)
        except Errcode as error:
            said = refusal(self.world, error)
        if isinstance(said, Answer):
            call.entry.status, call.entry.errcode = said.status, 0
            return said
        call.entry.status, call.entry.errcode = 200, said.get("errcode", 0)
        return as_json(said)

    def _said(self, call: Call, rule: Rule | None, crowded: bool) -> dict[str, Any] | Answer:
        route = ROUTES.get(call.request.path)
        if route is None:
            call.unexpected("unknown path")
            return Answer(_HTML.format("404 Not Found").encode(), 404, "text/html")
        _strange(call, route)
        if rule is not None:
            _strike(self.world, call, rule)
        if route.token:
            call.app = tokens.app_of(self.world, call.request.query.get("access_token"))
            if route.counted:
                quotas.count_call(self.world, call.app.appid, route.path)
        if crowded:
            raise Errcode(43108)
        return route.deed(self.world, call)


def spoilt(answer: Answer, rule: Rule | None, now: float) -> Answer:
    """The answer as a fault of wording leaves it."""
    if rule is None:
        return answer
    if rule.action == "bad_json":
        return Answer(answer.body[:-1], answer.status, answer.content_type)
    if rule.action == "clock_skew":
        answer.headers["Date"] = formatdate(now + rule.seconds, usegmt=True)
    if rule.action in ("string_errcode", "no_errmsg"):
        said = msgspec.json.decode(answer.body)
        said.pop("errmsg", None) if rule.action == "no_errmsg" else None
        if rule.action == "string_errcode":
            said["errcode"] = str(said.get("errcode", 0))
        return as_json(said, answer.status)
    return answer


def _met(world: World, request: Request, entry: Entry) -> Met:
    """What faults and the journal know a request by."""
    body: Any = None
    if request.body and "multipart" not in request.headers.get("content-type", ""):
        try:
            body = msgspec.json.decode(request.body)
        except msgspec.DecodeError:
            body = f"{len(request.body)} bytes that are no JSON"
    entry.query, entry.body = masked(request.query), masked(body)
    said: dict[str, Any] = {**request.query, **(body if isinstance(body, dict) else {})}
    token = world.data.tokens.get(request.query.get("access_token", ""))
    entry.openid = _text(said.get("touser", said.get("openid")))
    entry.template = _text(said.get("template_id"))
    appid = token.appid if token else _text(said.get("appid"))
    return Met(request.path, appid, entry.openid, entry.template)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _strange(call: Call, route: Route) -> None:
    """Refuse a wrong method; note parameters that the documents do not name."""
    if call.request.method != route.method:
        call.unexpected(f"method {call.request.method}")
        raise Errcode(43002 if route.method == "POST" else 43001)
    known = {*route.query, "access_token"} if route.token else {*route.query}
    for name in call.request.query.keys() - known:
        call.unexpected(f"query has {name}")


def _page(rule: Rule) -> Answer | None:
    """The HTML page that comes instead of an answer."""
    if rule.action == "http":
        return Answer(_HTML.format(f"{rule.status} Error").encode(), rule.status, "text/html")
    if rule.action == "html200":
        return Answer(_HTML.format("Please log in to the network").encode(), 200, "text/html")
    return None


def _strike(world: World, call: Call, rule: Rule) -> None:
    if rule.action in _SPOILS:
        tokens.spoil(world, call.request.query.get("access_token"), _SPOILS[rule.action])
    if rule.action == "always_40001":
        raise Errcode(40001)
    if rule.action == "errcode":
        raise Errcode(rule.code)
