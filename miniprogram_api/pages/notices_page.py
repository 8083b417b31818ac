"""公示页 (notices page): /notices, /notices/{id}: what is up, to read and print for the village;
objections to it, and what became of them.

Nothing of it is kept by browsers or on the way. The forms need no token against forged requests:
there is no session, and whoever could forge one could object themselves.
"""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, Response, make_response, render_template, request

from backend.kernel.database import transaction
from backend.kernel.row_ids import LARGEST_ID
from backend.public_notices.objections import STATES, ObjectionKeyUsed, UnknownObjection
from backend.public_notices.reading import MOST, NoticeDown, NoticesAsked, Shown, notices_up
from miniprogram_api.access import access
from miniprogram_api.pages.objection_form import LABELS, MOST_CONTACT, MOST_WORDS, ObjectionSheet
from miniprogram_api.problems import Refused
from miniprogram_api.public_notices.routes import objected, shown_up, standing_of

notices_page = Blueprint("notices_page", __name__)

ONE: Final = f"/notices/<int(max={LARGEST_ID}):notice>"
LONGEST_CODE: Final = 40
"""Of what is typed: more cannot be a code."""
A_PAGE: Final = MOST
"""Lists on a page."""
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII).fullmatch
_AREA: Final = re.compile(r"(?:[0-9]{6}|[0-9]{9}|[0-9]{12})", re.ASCII).fullmatch
_UNKNOWN: Final = "没有查到：请核对查询码，再试一次。码有 10 位，提异议时给的。"


@notices_page.get("/notices")
@access("public")
def show_list() -> str:
    """A page of those that are up, of a place where one is asked for."""
    area, before = request.args.get("area", ""), request.args.get("before", "")
    asked = NoticesAsked(
        area if _AREA(area) else "", A_PAGE, int(before) if _NUMBER(before) else None
    )
    with transaction() as session:
        found, following = notices_up(session, asked)
    return render_template("notices.html", notices=found, area=asked.area, following=following)


@notices_page.get(ONE)
@access("public")
def show(notice: int) -> Response:
    """One, as it hangs on the board; below it the form for an objection."""
    return _page(shown_up(notice), ObjectionSheet())


@notices_page.post(ONE)
@access("public")
def make_objection(notice: int) -> Response:
    """The code to ask with; or the form again, with what is wrong and all that was typed."""
    found, sheet = shown_up(notice), ObjectionSheet(request.form)
    one = sheet.objecting(notice, {entry.id for entry in found.entries})
    if one is None:
        return _page(found, sheet, 422)
    try:
        code = objected(one)
    except ObjectionKeyUsed as error:
        sheet.fault("entry", error.faults[0].detail)
        return _page(found, sheet, 409)
    except Refused as refused:
        return _refused(refused, _page(found, sheet, refused=_words_of(refused)))
    return make_response(render_template("objection_made.html", code=code, notice=notice))


@notices_page.get("/objections")
@access("public")
def ask() -> str:
    """Asks for the code."""
    return render_template("objection.html", found=None, wrong="")


@notices_page.post("/objections")
@access("public")
def show_objection() -> str | tuple[str, int] | Response:
    """What became of an objection; the code stands in no address."""
    typed = request.form.get("code", "").strip()[:LONGEST_CODE]
    try:
        found = standing_of(typed)
    except UnknownObjection:
        return render_template("objection.html", found=None, wrong=_UNKNOWN), 404
    except Refused as refused:
        text = render_template("objection.html", found=None, wrong=_words_of(refused))
        return _refused(refused, make_response(text))
    return render_template("objection.html", found=found, states=STATES, wrong="")


@notices_page.errorhandler(NoticeDown)
def gone(_error: Exception) -> tuple[str, int]:
    """In words, where to ask."""
    return render_template("notice.html", found=None), 404


def _page(found: Shown, sheet: ObjectionSheet, status: int = 200, refused: str = "") -> Response:
    text = render_template(
        "notice.html", found=found, sheet=sheet, labels=LABELS, refused=refused,
        most={"words": MOST_WORDS, "contact": MOST_CONTACT},
    )  # fmt: skip
    return make_response(text, status)


def _words_of(refused: Refused) -> str:
    return refused.occurrence.detail or refused.occurrence.problem.advice


def _refused(refused: Refused, answer: Response) -> Response:
    answer.status_code = refused.occurrence.problem.status
    answer.headers.extend(refused.headers)
    return answer
