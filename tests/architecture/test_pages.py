"""The pages of the mini-program: one table, and nothing opens a page that is not in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.kernel.settings import PROJECT
from backend.wechat.pages import CLAUSE, MESSAGES, PAGES, SETTINGS, path_of

TABLE = PROJECT / "backend" / "wechat" / "pages.py"
SIMULATOR = PROJECT / "backend" / "wechat" / "simulator"
A_PAGE = re.compile(r"""["'`](pages/(?!templates"|static")[\w/-]+)""")
"""But the folders of the website's own pages."""
ROW = re.compile(r"^\| `(pages/[\w/-]+)` \| (.+?) \|(.*)\|$", re.MULTILINE)


def written(folder: Path) -> Iterator[tuple[str, str]]:
    """File and page of every page that a source names itself."""
    for path in folder.rglob("*"):
        if path.suffix in {".py", ".yaml"} and path != TABLE and SIMULATOR not in path.parents:
            for page in A_PAGE.findall(path.read_text(encoding="utf-8")):
                yield str(path.relative_to(PROJECT)), page


def test_pages_are_named_in_the_table_alone() -> None:
    named = [one for name in ("backend", "miniprogram_api") for one in written(PROJECT / name)]
    assert named == []


def test_a_page_that_a_source_names_itself_is_seen() -> None:
    """The control."""
    assert A_PAGE.findall(f'open("{MESSAGES.path}?message=1")') == [MESSAGES.path]


def test_pages_are_written_as_wechat_takes_them() -> None:
    for path, page in PAGES.items():
        assert path == page.path
        assert re.fullmatch(r"pages(/[a-z-]+){2}", path)


def test_a_query_holds_what_is_declared_and_nothing_else() -> None:
    assert path_of(CLAUSE, policy="a-1", anchor="第三条") == (
        "pages/policy/clause?policy=a-1&anchor=%E7%AC%AC%E4%B8%89%E6%9D%A1"
    )
    assert path_of(CLAUSE, policy=None) == CLAUSE.path
    with pytest.raises(KeyError, match="person"):
        path_of(SETTINGS, person="1")


def test_the_document_for_who_builds_the_mini_program_says_the_same() -> None:
    document = (PROJECT / "docs" / "mini-program-pages.md").read_text(encoding="utf-8")
    rows = {path: (shows, query.strip()) for path, shows, query in ROW.findall(document)}
    assert rows == {
        page.path: (page.shows, "；".join(f"`{name}` {what}" for name, what in page.query.items()))
        for page in PAGES.values()
    }
