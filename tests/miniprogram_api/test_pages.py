from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

PAGES = ["/docs", "/problems/too-large"]
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), "no scripts"
            assert name != "style", "the policy forbids inline styles"
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "action"):
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_needs_nothing_from_elsewhere(client: FlaskClient, path: str) -> None:
    text = client.get(path).text
    page = Page(text)
    assert page.open == []
    assert "script" not in page.tags
    assert all(link.startswith(("/", "#", "data:,")) for link in page.links)
    assert '<html lang="zh-CN">' in text
    assert 'name="viewport"' in text
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_docs_show_every_operation_with_its_fields_and_examples(client: FlaskClient) -> None:
    text = client.get("/docs").text
    for words in (
        "/api/v1/trial/orders", "items[].total", "必填", "示例：一项", "关键词", "试用",
        "不大于 50", "填写的内容有误", "项目已不在",
    ):  # fmt: skip
        assert words in text, words


def test_what_the_document_holds_is_shown_as_text(client: FlaskClient) -> None:
    text = client.get("/no%22%3E%3Cscript%3E", headers={"Accept": "text/html"}).text
    assert "<script" not in text


def test_the_style_sheet_fits_small_screens_and_loads_nothing(client: FlaskClient) -> None:
    with client.get("/static/style.css") as answer:
        sheet = answer.text
    assert "max-width: 34rem" in sheet
    assert ":focus-visible" in sheet
    assert not re.search(r"url\(|@import|https?:", sheet)
