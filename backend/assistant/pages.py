"""卡片 (cards): what the chat shows to open a page of the mini-program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backend.wechat import pages

_LONGEST_TITLE: Final = 40


@dataclass(frozen=True, slots=True)
class Page:
    """A card: its title, and the page with its query."""

    title: str
    path: str


def page(title: str, to: pages.Page, **query: str | None) -> Page:
    """A card that opens a page; parts of the query that are None are left out."""
    return Page(title[:_LONGEST_TITLE], pages.path_of(to, **query))
