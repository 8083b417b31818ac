"""没有找到 (missing): what a page says where there is no such policy, clause or place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, render_template

from backend.kernel.errors import DomainError
from backend.policies.book import UnknownArea, UnknownPolicy
from backend.policies.description import UnknownClause

_WORDS: Final[tuple[tuple[type[DomainError], str], ...]] = (
    (UnknownPolicy, "没有这份政策"),
    (UnknownClause, "没有这一条"),
    (UnknownArea, "没有这个地方"),
)


def say_what_is_missing(pages: Blueprint) -> None:
    """Let the pages answer with where to go on, not with names of fields."""
    for error, words in _WORDS:
        pages.register_error_handler(error, _page(words))


def _page(words: str) -> Callable[[DomainError], tuple[str, int]]:
    def answer(error: DomainError) -> tuple[str, int]:
        return render_template("missing.html", words=words), 404

    return answer
