"""小程序页面 (pages): the pages of the mini-program that messages and cards open.

The one table that the program and the mini-program share; what a page is for is said to who builds
it (`docs/mini-program-pages.md`). A query names nobody: what it says is read by WeChat too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Page:
    """A page. `query`: what may stand in its query → what that is, for people; none is required."""

    path: str
    shows: str
    query: Mapping[str, str]


CLAUSE: Final = Page(
    "pages/policy/clause",
    "一条政策条款：原文、白话和出处",
    {"policy": "政策编号", "anchor": "条款在文件中的位置"},
)
ESTIMATE: Final = Page("pages/estimate/index", "待遇测算：自己填，自己算", {"area": "六位地区代码"})
PROGRESS: Final = Page("pages/progress/index", "本人和家人的办理进度", {})
MESSAGES: Final = Page(
    "pages/messages/index",
    "消息列表：给本人和家人的通知",
    {"message": "消息编号：打开就看这一条；不是本人能看的，只显示列表"},
)
SETTINGS: Final = Page("pages/messages/settings", "消息设置：收哪些、怎么收、长辈版", {})
REAL_NAME: Final = Page("pages/account/real-name", "实名登记：姓名和身份证号", {})
PAGES: Final = {
    page.path: page for page in (CLAUSE, ESTIMATE, PROGRESS, MESSAGES, SETTINGS, REAL_NAME)
}


def path_of(page: Page, **query: str | None) -> str:
    """Path and query; parts that are None are left out. Raises `KeyError` for one not declared."""
    unknown = query.keys() - page.query.keys()
    if unknown:
        raise KeyError(f"{page.path} has no {', '.join(sorted(unknown))}")
    named = {name: value for name, value in query.items() if value is not None}
    return f"{page.path}?{urlencode(named)}" if named else page.path
