"""运行页 (runs' pages): the runs of matching, and one of them with its chart, for staff."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Final

from flask import Blueprint, render_template, request
from markupsafe import Markup

from backend.kernel import areas
from backend.kernel.clock import CHINA, today
from backend.matching.overview import (
    STATES,
    EntrySum,
    RunsAsked,
    RunShown,
    areas_with_runs,
    list_runs,
    overview,
)
from backend.matching.run_chart import draw_run
from backend.matching.runs import UnknownRun
from backend.policies.book import UnknownArea
from miniprogram_api.access import access, acting_transaction
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.matching.presenter import entitlement_name
from miniprogram_api.matching.routes import ONE, WHO_DECIDES
from miniprogram_api.matching.schemas import ENTRY_KINDS, WORK_KINDS
from miniprogram_api.pages.sheet import Sheet
from miniprogram_api.rulebook import rules

runs_page = Blueprint("runs_page", __name__)

A_PAGE: Final = 20
YEAR: Final = "请写四位数的年份，比如 2024。"


@runs_page.get("/runs")
@access("staff", roles=WHO_DECIDES)
def show_list() -> tuple[str, int]:
    """The newest first, of a place and year if asked."""
    sheet = Sheet(request.args)
    asked = RunsAsked(sheet.text("area") or None, _year(sheet), _before(sheet), A_PAGE + 1)
    with acting_transaction() as session:
        found = list_runs(session, asked) if not sheet.faults else []
        places = [(code, areas.area_name(code) or code) for code in areas_with_runs(session)]
    text = render_template(
        "runs.html", sheet=sheet, runs=found[:A_PAGE], places=places, more=len(found) > A_PAGE
    )
    return text, 422 if sheet.faults else 200


@runs_page.get(ONE)
@access("staff", roles=WHO_DECIDES)
def show(run: int) -> str:
    """One run."""
    with acting_transaction() as session:
        found = overview(session, run, today())
    book = rules().book
    # The picture is made from elements and text, which its writer escapes.
    picture = Markup(draw_run(found, book.vocabulary.layers))
    kinds = [(one, entitlement_name(book, one.policy, one.entitlement)) for one in found.in_kind]
    return render_template(
        "run.html", found=found, run=found.run, picture=picture, in_kind=kinds,
        entries=_by_layer(found.entries), layers=book.vocabulary.layers,
        kinds=ENTRY_KINDS, work=WORK_KINDS, policies=book.policies,
    )  # fmt: skip


@runs_page.errorhandler(UnknownRun)
@runs_page.errorhandler(UnknownArea)
def missing(_error: Exception) -> tuple[str, int]:
    """Where to go on."""
    return render_template("run_missing.html"), 404


@runs_page.context_processor
def _words() -> dict[str, object]:
    return {"run_title": title_of, "run_states": STATES, "moment": moment_of}


def title_of(run: RunShown) -> str:
    """`江苏省无锡市江阴市，2024 年`."""
    return f"{areas.area_name(run.area) or run.area}，{run.year} 年"


def moment_of(moment: datetime | None) -> str:
    """In China: `2024-03-09 08:05`."""
    return "" if moment is None else f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"


def _by_layer(entries: tuple[EntrySum, ...]) -> list[tuple[str, list[EntrySum]]]:
    return [(layer, list(own)) for layer, own in groupby(entries, lambda one: one.layer)]


def _year(sheet: Sheet) -> int | None:
    text = sheet.text("year")
    if not text:
        return None
    if text.isascii() and text.isdigit() and 2000 <= int(text) <= 2100:
        return int(text)
    sheet.fault("year", YEAR)
    return None


def _before(sheet: Sheet) -> int | None:
    text = sheet.text("before")
    known = text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_ID
    return int(text) if known else None
