"""人脸核身 (face): verification of a name and number; the user's face is the tester's word."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final, Literal

import msgspec

from backend.wechat.simulator.routes import Route
from backend.wechat.simulator.state import User, Verification, World
from backend.wechat.simulator.wire import OK, Call, Errcode

LIFE: Final = 3600
PASSED: Final = 10000


class Certificate(msgspec.Struct, forbid_unknown_fields=True):
    cert_type: Literal["IDENTITY_CARD"]
    cert_name: str
    cert_no: str


class Begin(msgspec.Struct, forbid_unknown_fields=True):
    out_seq_no: str
    cert_info: Certificate
    openid: str


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    verify_id: str
    out_seq_no: str
    cert_hash: str
    openid: str


def begin(world: World, call: Call) -> dict[str, Any]:
    """POST …/getverifyid: a verify_id for an hour."""
    body = call.shaped(Begin)
    if not 5 <= len(body.out_seq_no) <= 32:
        raise Errcode(40097)
    user = world.user_of(call.caller.appid, body.openid)
    if user is None:
        raise Errcode(40003)
    name, until = world.made("verify", 64), world.now() + LIFE
    world.data.verifications[name] = Verification(
        user.appid, user.openid, body.out_seq_no, cert_hash(body.cert_info), until
    )
    return {**OK, "verify_id": name, "expires_in": LIFE}


def ask(world: World, call: Call) -> dict[str, Any]:
    """POST …/queryverifyinfo: passed only with errcode 0 and verify_ret 10000."""
    body = call.shaped(Ask)
    found = world.data.verifications.get(body.verify_id)
    said = (call.caller.appid, body.openid, body.out_seq_no)
    if found is None or (found.appid, found.openid, found.out_seq_no) != said:
        raise Errcode(84010)
    if found.cert_hash != body.cert_hash:
        raise Errcode(84014)
    if found.expires_at <= world.now():
        raise Errcode(84010)
    if found.outcome is None:
        raise Errcode(84015)
    return {**OK, "verify_ret": found.outcome[1]}


def show(world: World, user: User, passed: bool, code: int) -> int:
    """The user is at the camera: all that wait for it are decided; how many."""
    waiting = [
        one
        for one in world.data.verifications.values()
        if one.openid == user.openid and one.outcome is None and one.expires_at > world.now()
    ]
    for one in waiting:
        one.outcome = (passed, PASSED if passed else code)
    return len(waiting)


def cert_hash(certificate: Certificate) -> str:
    """SHA-256 of the fields, each in Base64."""
    fields = ("cert_type", "cert_name", "cert_no")
    values = (base64.b64encode(getattr(certificate, one).encode()).decode() for one in fields)
    text = "&".join(f"{name}={value}" for name, value in zip(fields, values, strict=True))
    return hashlib.sha256(text.encode()).hexdigest()


_PLACE: Final = "/cityservice/face/identify"
ROUTES: Final = (
    Route("POST", f"{_PLACE}/getverifyid", begin),
    Route("POST", f"{_PLACE}/queryverifyinfo", ask),
)
