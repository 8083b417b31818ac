"""工作人员入口 (staff's door): number, password and code; the browser keeps a cookie for them."""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug import Response as Redirect

from backend.accounts.duties import ROLE_NAMES, Duty, duties_of
from backend.accounts.passwords import LONGEST, WeakPassword
from backend.accounts.scope import Actor
from backend.accounts.sessions import end_own_session
from backend.accounts.staff_login import (
    NoDuty,
    PasswordMustChange,
    SignIn,
    SignInRefused,
    switch_duty,
)
from backend.kernel import areas
from backend.kernel.clock import today
from backend.kernel.errors import DomainError
from miniprogram_api import credentials
from miniprogram_api.access import access, acting_transaction, actor, signed_in
from miniprogram_api.accounts.signing_in import enter as enter_session
from miniprogram_api.matching.routes import WHO_DECIDES
from miniprogram_api.pages.sheet import Sheet
from miniprogram_api.worklist.routes import WHO_WORKS

staff_page = Blueprint("staff_page", __name__)

EMPTY: Final = "请填写工号、口令和六位动态码。"
_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)
REFUSALS: Final = (SignInRefused, PasswordMustChange, NoDuty, WeakPassword)


@staff_page.get("/staff")
@access("public")
def ask() -> Response:
    """The form; who is in sees the duties, and may choose another."""
    return make_response(_form(Sheet()))


@staff_page.post("/staff")
@access("public")
def enter() -> Response | Redirect:
    """In where everything is right; else the form again, without the secrets that were typed."""
    sheet = Sheet(request.form)
    typed = _typed(sheet)
    if typed is None:
        sheet.fault("staff_no", EMPTY)
    else:
        try:
            entered = enter_session(typed)
            inside = url_for("staff_page.ask", refused=entered.refused or None)
            return credentials.give_cookie(redirect(inside, 303), entered.token)
        except REFUSALS as error:
            _tell(sheet, error)
    return make_response(_form(sheet), 422)


@staff_page.post("/staff/duty")
@access("staff")
def change_duty() -> Redirect:
    """On in another duty."""
    chosen = Sheet(request.form).text("duty")
    duty = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 13 else 0
    with acting_transaction() as session:
        changed = switch_duty(session, actor(), duty, today())
    return credentials.give_cookie(_to("staff_page.ask"), changed.token)


@staff_page.post("/staff/leave")
@access("public")
def leave() -> Redirect:
    """The session ends, and the browser forgets it."""
    found = signed_in()
    if found is not None:
        with acting_transaction() as session:
            end_own_session(session)
    return credentials.take_cookie(_to("staff_page.ask"))


@staff_page.app_context_processor
def _words() -> dict[str, object]:
    return {"role_names": ROLE_NAMES, "place_of": place_of, "staff_menu": menu}


def menu() -> list[tuple[str, str]]:
    """Addresses and names of the pages that the role of whoever is in may open."""
    found: Actor | None = g.get("actor")
    role = None if found is None else found.role
    entries = (
        ("work_page.show_list", "我的待办", WHO_WORKS),
        ("runs_page.show_list", "匹配运行", WHO_DECIDES),
    )
    return [(url_for(endpoint), name) for endpoint, name, roles in entries if role in roles]


def place_of(duty: Duty) -> str:
    """The place of a duty: `江苏省无锡市江阴市`, with the code where it is a smaller one."""
    name = areas.area_name(duty.area) or ""
    return name if len(duty.area) == 6 else f"{name} {duty.area}"


def _form(sheet: Sheet) -> str:
    found = signed_in()
    duties: tuple[Duty, ...] = ()
    if found is not None and found.staff_id is not None:
        with acting_transaction() as session:
            duties = duties_of(session, found.staff_id, today())
    refused = request.args.get("refused", 0, int)
    return render_template(
        "staff.html", sheet=sheet, who=_staff(found), duties=duties, refused=refused
    )


def _staff(found: Actor | None) -> Actor | None:
    return found if found is not None and found.kind == "staff" else None


def _typed(sheet: Sheet) -> SignIn | None:
    number, code = sheet.text("staff_no"), sheet.text("code")
    password = request.form.get("password", "")[: LONGEST + 1]
    if not number or not password or _CODE.fullmatch(code) is None:
        return None
    new = request.form.get("new_password", "")[: LONGEST + 1]
    return SignIn(number, password, code, new or None)


def _tell(sheet: Sheet, error: DomainError) -> None:
    for fault in error.faults:
        sheet.fault(fault.pointer.removeprefix("/"), fault.detail)


def _to(endpoint: str) -> Redirect:
    return redirect(url_for(endpoint), 303)
