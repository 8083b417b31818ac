"""工作人员入口 (staff's door): the token is typed once, and the browser keeps a cookie for it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug import Response as Redirect

from miniprogram_api import staff
from miniprogram_api.access import access
from miniprogram_api.pages.sheet import Sheet

staff_page = Blueprint("staff_page", __name__)

LONGEST: Final = 200
EMPTY: Final = "请填写工作人员口令。"


@staff_page.get("/staff")
@access("public")
def ask() -> Response:
    """The form; who is in already sees what there is."""
    return make_response(_form(Sheet()))


@staff_page.post("/staff")
@access("public")
def enter() -> Response | Redirect:
    """In with the right token; else the form again. What was typed never comes back."""
    typed = request.form.get("token", "").strip()[:LONGEST]
    if staff.is_token(typed):
        return staff.sign_in(_to("runs_page.show_list"))
    sheet = Sheet()
    sheet.fault("token", staff.WRONG if typed else EMPTY)
    return make_response(_form(sheet), 422)


@staff_page.post("/staff/leave")
@access("public")
def leave() -> Redirect:
    """The browser forgets it."""
    return staff.sign_out(_to("staff_page.ask"))


def _form(sheet: Sheet) -> str:
    unset = None if staff.is_set() else staff.UNSET
    return render_template("staff.html", sheet=sheet, unset=unset, inside=staff.signed_in())


def _to(endpoint: str) -> Redirect:
    return redirect(url_for(endpoint), 303)
