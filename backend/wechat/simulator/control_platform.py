"""平台的状态 (control platform): apps, templates, clock, faults, push, journal."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import msgspec

from backend.wechat.simulator import seeding
from backend.wechat.simulator.control_shapes import (
    Advance,
    Asked,
    Limit,
    NewApp,
    NewPush,
    NewTemplate,
    Opened,
    Refused,
    Result,
    Words,
)
from backend.wechat.simulator.faults import Rule
from backend.wechat.simulator.journal import Entry
from backend.wechat.simulator.push_engine import Delivery
from backend.wechat.simulator.state import App, Data, PushTarget, Quirks, Template

_AES_KEY: Final = re.compile(r"[0-9A-Za-z]{43}")


def put_app(asked: Asked) -> App:
    """POST /apps: a new app, or new facts of one."""
    return seeding.put_app(asked.world, asked.shaped(NewApp))


def put_template(asked: Asked) -> Template:
    """POST /templates: a new template, or new facts of one."""
    return seeding.put_template(asked.world, asked.shaped(NewTemplate))


def seed(asked: Asked) -> Result:
    """POST /seed: the app of the demonstration, with its templates and people."""
    return seeding.seed(asked.world)


def reset(asked: Asked) -> Result:
    """POST /reset: as after the start."""
    return _begun(asked, Data())


def snapshot(asked: Asked) -> Data:
    """GET /snapshot: the whole state."""
    return asked.world.data


def restore(asked: Asked) -> Result:
    """POST /snapshot: a state taken before."""
    return _begun(asked, asked.shaped(Data))


def clock(asked: Asked) -> Result:
    """GET /clock."""
    return {"now": asked.world.now()}


def advance(asked: Asked) -> Result:
    """POST /clock/advance."""
    with asked.world.lock:
        asked.world.data.advanced += asked.shaped(Advance).seconds
    return clock(asked)


def add_fault(asked: Asked) -> Result:
    """POST /faults: one more rule."""
    with asked.world.lock:
        asked.world.faults.add(asked.shaped(Rule))
    return {}


def clear_faults(asked: Asked) -> Result:
    """DELETE /faults."""
    with asked.world.lock:
        asked.world.faults.clear()
    return {}


def list_faults(asked: Asked) -> list[Result]:
    """GET /faults: the rules, and how often each happened."""
    with asked.world.lock:
        found = asked.world.faults.happened()
    return [{"rule": msgspec.to_builtins(rule), "happened": count} for rule, count in found]


def set_limit(asked: Asked) -> Result:
    """POST /limits: other calls a minute and a day."""
    body = asked.shaped(Limit)
    with asked.world.lock:
        asked.world.data.limits[body.path] = (body.minute, body.day)
    return {}


def set_words(asked: Asked) -> Result:
    """POST /words: what content security finds."""
    body = asked.shaped(Words)
    with asked.world.lock:
        asked.world.data.risky_words, asked.world.data.review_words = body.risky, body.review
    return {}


def set_quirks(asked: Asked) -> Quirks:
    """POST /quirks: which of the disagreeing documents is followed."""
    with asked.world.lock:
        asked.world.data.quirks = asked.shaped(Quirks)
        return asked.world.data.quirks


def put_push(asked: Asked) -> Result:
    """PUT /push: where to push; the URL is checked as the console does, and refused if wrong."""
    body = asked.shaped(NewPush)
    if _AES_KEY.fullmatch(body.aes_key) is None:
        raise Refused("aes_key is 43 letters and digits")
    if not _is_here(body.url):
        raise Refused("pushes go to this machine alone: http://127.0.0.1:…")
    target = PushTarget(
        body.url, body.token, body.aes_key, body.mode, body.format, body.limit, body.attempts,
        body.pause,
    )  # fmt: skip
    fault = asked.engine.check(target) if body.check else None
    if fault is not None:
        raise Refused(f"the check of the URL failed: {fault}")
    with asked.world.lock:
        asked.world.app(body.appid).push = target
    return {}


def deliveries(asked: Asked) -> list[Delivery]:
    """GET /push/deliveries: every push with its attempts."""
    with asked.world.lock:
        return list(asked.engine.deliveries)


def journal(asked: Asked) -> list[Entry]:
    """GET /journal[?path=…][&unexpected=1]: the requests to the API port."""
    query = asked.request.query
    with asked.world.lock:
        return asked.world.journal.found(query.get("path"), bool(query.get("unexpected")))


def open_link(asked: Asked) -> Result:
    """POST /links/open: where a link or scheme leads. Raises `Refused` when it has ended."""
    link = asked.shaped(Opened).link
    found = asked.world.data.links.get(link)
    ends = found["expires_at"] if found is not None else 0
    if found is None or (ends is not None and ends <= asked.world.now()):
        raise Refused("the link leads nowhere")
    return found


def _begun(asked: Asked, data: Data) -> Result:
    with asked.world.lock:
        asked.world.begin_anew(data)
        asked.engine.deliveries.clear()
    return {}


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    try:
        return parts.scheme == "http" and ip_address(host).is_loopback
    except ValueError:
        return False


ROUTES: Final = (
    ("POST", "/apps", put_app),
    ("POST", "/templates", put_template),
    ("POST", "/seed", seed),
    ("POST", "/reset", reset),
    ("GET", "/snapshot", snapshot),
    ("POST", "/snapshot", restore),
    ("GET", "/clock", clock),
    ("POST", "/clock/advance", advance),
    ("POST", "/faults", add_fault),
    ("DELETE", "/faults", clear_faults),
    ("GET", "/faults", list_faults),
    ("POST", "/limits", set_limit),
    ("POST", "/words", set_words),
    ("POST", "/quirks", set_quirks),
    ("PUT", "/push", put_push),
    ("GET", "/push/deliveries", deliveries),
    ("GET", "/journal", journal),
    ("POST", "/links/open", open_link),
)
