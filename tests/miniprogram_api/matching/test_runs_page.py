from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests.miniprogram_api.matching.conftest import LOW, Site, matched
from tests.support.html import Element, label_of, read
from tests.support.register import Register


def page(site: Site, path: str) -> Element:
    answer = site.page(path)
    assert answer.status_code == 200, answer.text
    return read(answer.text)


@pytest.fixture(params=["/staff", "/runs", "/runs?year=x", "/runs?year=1999", "/runs/1", "/runs/9"])
def any_page(request: pytest.FixtureRequest, poor: Register, site: Site) -> Element:
    matched()
    return read(site.page(request.param).text)


def test_it_is_a_chinese_page_without_script_where_everything_has_a_label(
    any_page: Element,
) -> None:
    assert any_page.one("html")["lang"] == "zh-CN"
    assert len(any_page.all("h1")) == 1
    for element in any_page.all():
        assert element.tag not in ("script", "style", "iframe", "object", "embed", "base")
        assert not [name for name in element.attrs if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction", "xlink:href"):
            assert element.get(name) == "" or element.get(name).startswith(("/", "#", "data:,"))
        if element.tag in ("input", "select", "progress") and element.get("type") != "hidden":
            assert label_of(any_page, element), element.attrs
    ids = [element["id"] for element in any_page.all() if "id" in element.attrs]
    assert len(ids) == len(set(ids))
    levels = [int(one.tag[1]) for one in any_page.all() if re.fullmatch(r"h[1-6]", one.tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_list_leads_to_each_run_and_can_be_narrowed(poor: Register, site: Site) -> None:
    old, new = matched(year=2023), matched()
    links = [one["href"] for one in page(site, "/runs").all("a")]
    assert [link for link in links if link.startswith("/runs/")] == [f"/runs/{new}", f"/runs/{old}"]
    links = [one["href"] for one in page(site, "/runs?area=320281&year=2023").all("a")]
    assert [link for link in links if link.startswith("/runs/")] == [f"/runs/{old}"]


def test_older_runs_are_a_page_further(poor: Register, site: Site) -> None:
    for _ in range(21):
        matched()
    older = next(one for one in page(site, "/runs").all("a") if one.text == "更早的运行")
    assert "before=2" in older["href"]
    links = [one["href"] for one in page(site, older["href"]).all("a")]
    assert [link for link in links if link.startswith("/runs/")] == ["/runs/1"]


def test_a_year_that_is_none_is_said_beside_the_field(poor: Register, site: Site) -> None:
    answer = site.page("/runs?year=九九")
    assert answer.status_code == 422
    assert "请写四位数的年份" in answer.text


def test_where_there_is_no_run_it_is_said_how_to_make_one(site: Site) -> None:
    assert "shukun match" in page(site, "/runs").text


def test_a_run_tells_what_is_to_be_done_with_it(poor: Register, site: Site) -> None:
    waiting, half = matched(), matched("320281", 2024, "县一")
    done = matched("320281", 2024, "县一", "县二")
    assert f"shukun match --release {waiting}" in page(site, f"/runs/{waiting}").text
    assert "县一 已放行" in page(site, f"/runs/{half}").text
    text = page(site, f"/runs/{done}").text
    assert "已放行" in text
    assert "--release" not in text


def test_a_run_under_way_shows_its_progress(poor: Register, site: Site) -> None:
    bar = page(site, f"/runs/{matched(finish=False)}").one("progress")
    assert (bar["value"], bar["max"]) == ("0", "1")


def test_a_run_shows_money_reasons_benefits_and_work(poor: Register, site: Site) -> None:
    poor.person("乙", insurance="none")
    poor.identity("乙", LOW, "2023-01-01")
    matched()
    poor.bill("甲", "B1", "2024-03-09", "1200.00", paid={"basic": "400.00"})
    found = page(site, f"/runs/{matched()}")
    assert found.one("svg")["role"] == "img"
    for words in ("应补", "170.00 元", "这张结算单有更正或撤回", "先办参保", "运行 1"):
        assert words in found.text, words


def test_no_run_is_a_page_that_leads_on(site: Site) -> None:
    answer = site.page("/runs/77")
    assert answer.status_code == 404
    assert read(answer.text).one("h1").text == "没有这次运行，或者没有这个地方"
    assert site.page("/runs?area=999999").status_code == 404
