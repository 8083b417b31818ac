"""搜索页 (search page): a question in people's own words, and the clauses that answer it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flask import Blueprint, render_template, request

from backend.policies.search.excerpts import Excerpt
from backend.policies.search.find import LONGEST, Search, find_clauses
from backend.policies.standing import STATES
from miniprogram_api.access import access
from miniprogram_api.pages.day_asked import day_asked, status_of
from miniprogram_api.pages.home import places_shown
from miniprogram_api.pages.missing import say_what_is_missing
from miniprogram_api.rulebook import rules

search_page = Blueprint("search_page", __name__)
say_what_is_missing(search_page)

CLEAR: Final = 3
"""Answers shown at once; the others are behind a word."""


@search_page.get("/search")
@access("public")
def show() -> tuple[str, int]:
    """What was asked, the best clauses first."""
    day, sheet = day_asked()
    book, area = rules().book, request.args.get("area") or None
    asked = request.args.get("q", "").strip()[:LONGEST]
    found = find_clauses(book, Search(asked, day, area=area)) if asked else None
    text = render_template(
        "search.html", found=found, asked_words=asked, asked_area=area, day=day, clear=CLEAR,
        places=places_shown(book), marked=marked, states=STATES,
    )  # fmt: skip
    return text, status_of(sheet)


def marked(excerpt: Excerpt) -> Iterator[tuple[str, bool]]:
    """The excerpt in pieces, each with whether it matched."""
    at = 0
    for start, end in excerpt.marks:
        yield excerpt.text[at:start], False
        yield excerpt.text[start:end], True
        at = end
    yield excerpt.text[at:], False
