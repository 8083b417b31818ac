"""测算页 (the estimate's pages): three questions, and the answer with its steps.

The form is a POST so that nothing about a person's health stands in an address or a log. It needs
no token against forged requests: there is no session, and nothing is kept or changed.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug import Response as Redirect

from backend.estimation.case import Case
from backend.estimation.checks import InvalidCase
from backend.estimation.questions import Choice, questions_of
from backend.kernel.clock import today
from backend.policies.policy import Policy
from miniprogram_api.access import access
from miniprogram_api.pages.answer import Answer, answer_case
from miniprogram_api.pages.estimate_form import Asked, assumed, note_faults, read_case
from miniprogram_api.pages.home import templates_of
from miniprogram_api.pages.missing import say_what_is_missing
from miniprogram_api.pages.sheet import Sheet
from miniprogram_api.pages.subject import Subject, subject_of
from miniprogram_api.rulebook import rules

estimate_page = Blueprint("estimate_page", __name__)
say_what_is_missing(estimate_page)

_HELD: Final = ("held-from", "held-to", "applied-on")
_SHOWN: Final = ("paid-basic", "paid-serious_illness", "total", "in-scope")


@estimate_page.get("/estimate")
@access("public")
def ask() -> Response | Redirect:
    """The questions, for a place or a policy; without either the place is asked first."""
    subject = _subject()
    if subject is None:
        return redirect(url_for("home.show", _anchor="place"), 303)
    return _form(subject, Sheet())


@estimate_page.post("/estimate")
@access("public")
def answer() -> Response | Redirect:
    """The answer; or the questions again, to change something or with what is wrong."""
    subject, sheet = _subject(), Sheet(request.form)
    if subject is None or subject.policy is None:
        return ask()
    case = None if sheet.has("edit") else _case(subject.policy, subject, sheet)
    found = None if case is None else _answer(case, sheet)
    if case is None or found is None:
        return _form(subject, sheet)
    notes = assumed(sheet, case)
    return make_response(
        render_template(
            "answer.html", subject=subject, sheet=sheet, answer=found, assumed=notes,
            nobody=not case.person.identities,
        )
    )  # fmt: skip


def _case(policy: Policy, subject: Subject, sheet: Sheet) -> Case | None:
    """None where the sheet is at fault; what is wrong is then on it."""
    questions = questions_of(policy, rules().book.vocabulary, today())
    return read_case(sheet, questions, subject.asked)


def _answer(case: Case, sheet: Sheet) -> Answer | None:
    """None where the domain finds the case at fault; the faults are then on the sheet."""
    try:
        return answer_case(case, rules())
    except InvalidCase as error:
        note_faults(sheet, error.faults)
        return None


def _subject() -> Subject | None:
    policy, area = request.args.get("policy") or None, request.args.get("area") or None
    if policy is None and area is None:
        return None
    return subject_of(Asked(policy, area), rules().book, today())


def _form(subject: Subject, sheet: Sheet) -> Response:
    book, policy = rules().book, subject.policy
    questions = None if policy is None else questions_of(policy, book.vocabulary, today())
    text = render_template(
        "estimate.html",
        subject=subject,
        sheet=sheet,
        questions=questions,
        opened=_opened(sheet, questions.children if questions else ()),
        templates=templates_of(book),
    )
    return make_response(text, 422 if sheet.faults else 200)


def _opened(sheet: Sheet, children: tuple[Choice, ...]) -> dict[str, bool]:
    """Which details stand open: those in which something was typed or is wrong."""
    child = any(sheet.has("category", choice.code) for choice in children)
    names = {name for name, text in sheet.every() if text} | set(sheet.faults)
    more = any(
        name.startswith(("paid-", "base-")) or name in ("income", "admitted-on")
        for name in names - set(_SHOWN)
    )
    return {"held": not names.isdisjoint(_HELD), "more": more, "children": child}
