"""小程序页面 (pages): which page of the mini-program a card opens. A path names nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

CLAUSE: Final = "pages/policy/clause"
ESTIMATE: Final = "pages/estimate/index"
PROGRESS: Final = "pages/progress/index"
MESSAGES: Final = "pages/messages/index"
SETTINGS: Final = "pages/messages/settings"
REAL_NAME: Final = "pages/account/real-name"
_LONGEST_TITLE: Final = 40


@dataclass(frozen=True, slots=True)
class Page:
    """A card: its title, and the page with its query."""

    title: str
    path: str


def page(title: str, path: str, **query: str | None) -> Page:
    """A card that opens a page; parts of the query that are None are left out."""
    named = {name: value for name, value in query.items() if value is not None}
    return Page(title[:_LONGEST_TITLE], f"{path}?{urlencode(named)}" if named else path)
