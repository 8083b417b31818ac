"""临时素材 (media): files kept for three days."""

from __future__ import annotations

import base64
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, Final

from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import Media, World
from backend.wechat.simulator.wire import Answer, Call, Errcode

KEPT: Final = 3 * 24 * 3600
LARGEST: Final = {"image": 10_000_000, "voice": 2_000_000, "video": 10_000_000, "thumb": 64_000}
"""Bytes of each kind."""


def upload(world: World, call: Call) -> dict[str, Any]:
    """POST /cgi-bin/media/upload."""
    kind = call.said("type", 40004)
    if kind not in LARGEST:
        raise Errcode(40004)
    part = _file(call)
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes) or not content:
        raise Errcode(41005)
    if len(content) > LARGEST[kind]:
        raise Errcode(45001)
    name = keep(world, call.caller.appid, kind, part.get_content_type(), content)
    return {"type": kind, "media_id": name, "created_at": int(world.now())}


def download(world: World, call: Call) -> Answer:
    """GET /cgi-bin/media/get."""
    found = world.data.media.get(call.said("media_id", 40007))
    if found is None or found.appid != call.caller.appid or found.kept_until <= world.now():
        raise Errcode(40007)
    return Answer(base64.b64decode(found.content), content_type=found.content_type)


def keep(world: World, appid: str, kind: str, content_type: str, content: bytes) -> str:
    """Keep a file; its media_id."""
    name = world.made("media", 64)
    text = base64.b64encode(content).decode()
    world.data.media[name] = Media(appid, kind, content_type, text, world.now() + KEPT)
    return name


def _file(call: Call) -> EmailMessage:
    """The one file of a form. Raises `Errcode` 41005."""
    head = f"Content-Type: {call.request.headers.get('content-type', '')}\r\n\r\n".encode()
    form = BytesParser(policy=policy.HTTP).parsebytes(head + call.request.body)
    parts = [one for one in form.iter_parts() if isinstance(one, EmailMessage)]
    named = [one for one in parts if _name(one) == "media" and one.get_filename()]
    if len(named) != 1 or len(parts) != 1:
        call.unexpected("not just one file named media")
        raise Errcode(41005)
    return named[0]


def _name(part: EmailMessage) -> str | None:
    name = part.get_param("name", header="content-disposition")
    return name if isinstance(name, str) else None


ROUTES: Final = (
    Route("POST", "/cgi-bin/media/upload", upload, ("type",)),
    Route("GET", "/cgi-bin/media/get", download, ("media_id",)),
)
