from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import quote, urlsplit

import pytest
from flask.testing import FlaskClient

from tests.support.html import Element, label_of, query, read

BAD = {"total": "很多", "category": "none"}
PAGES = [
    "/",
    "/elsewhere",
    "/estimate?area=320200",
    "/estimate?area=320902",
    "/estimate?area=330382",
    "/estimate?area=110101",
    "/estimate?policy=tinghu-trial",
    "/estimate?policy=plan-2026",
    "/estimate?policy=zhangjiagang-2024",
    "/policies",
    "/policies?area=330382&on=2024-1-1",
    "/policies?on=昨天",
    "/policies/wuxi-2022-98",
    "/policies/plan-2026?on=20230101",
    "/policies/plan-2026/二",
    "/policies/yueqing-2022-41/11",
    "/policies/nothing",
    "/compare",
    "/compare?left=wuxi-2022-98&right=plan-2026&on=2026-1-1",
    "/search",
    "/search?q=低保户住院能报多少",
    "/search?q=押金&area=320200",
    "/search?q=zzzz",
    "/docs",
    "/problems/too-large",
]


@pytest.fixture(params=[*PAGES, "POST faults", "POST answer"])
def page(request: pytest.FixtureRequest, client: FlaskClient) -> Element:
    """Every page there is, the answers to a form among them."""
    if request.param == "POST faults":
        return read(client.post("/estimate?area=320200", data=BAD).text)
    if request.param == "POST answer":
        data = {"category": "subsistence_allowance", "setting": "inpatient", "total": "5000",
                "discharged-on": "20240309"}  # fmt: skip
        return read(client.post("/estimate?area=320200", data=data).text)
    return read(client.get(request.param, headers={"Accept": "text/html"}).text)


def test_it_is_a_chinese_page_with_one_heading_and_a_title(page: Element) -> None:
    assert page.one("html")["lang"] == "zh-CN"
    assert "width=device-width" in page.one("meta", name="viewport")["content"]
    assert len(page.all("h1")) == 1
    assert page.one("head").one("title").text.endswith("· 纾困")


def test_it_needs_no_script_and_nothing_from_elsewhere(page: Element) -> None:
    for element in page.all():
        assert element.tag not in ("script", "style", "iframe", "object", "embed", "base")
        assert not [name for name in element.attrs if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction", "xlink:href"):
            link = element.get(name)
            assert link == "" or link.startswith(("/", "#", "data:,")), link
            assert not link.startswith("//")


def test_every_input_has_a_label_of_its_own(page: Element) -> None:
    for control in page.all():
        if control.tag in ("input", "select", "textarea") and control.get("type") != "hidden":
            assert label_of(page, control), control.attrs
    for button in page.all("button"):
        assert button.text


def test_what_names_another_part_of_the_page_finds_it(page: Element) -> None:
    ids = [element["id"] for element in page.all() if "id" in element.attrs]
    assert len(ids) == len(set(ids))
    for element in page.all():
        for name in ("for", "aria-describedby", "aria-labelledby", "form"):
            for target in element.get(name).split():
                assert target in ids, (element.tag, name, target)
        if element.get("href").startswith("#"):
            assert element["href"][1:] in ids


def test_headings_go_down_one_step_at_a_time(page: Element) -> None:
    levels = [int(one.tag[1]) for one in page.all() if re.fullmatch(r"h[1-6]", one.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_no_form_sends_a_persons_figures_in_an_address(page: Element) -> None:
    personal = {"category", "total", "in-scope", "setting", "discharged-on", "held-from", "income"}
    for form in page.all("form"):
        names = {one.get("name") for one in form.all() if one.tag in ("input", "select")}
        if form.get("method") != "post":
            assert not names & personal
        assert set(query(form["action"])) <= {"area", "policy", "big"}


def test_every_link_leads_somewhere(client: FlaskClient) -> None:
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        link = waiting.pop()
        path = link.split("#")[0]
        if not path or path in seen or path.startswith("data:"):
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code in (200, 303), path
        if answer.mimetype == "text/html" and not path.startswith("/docs"):
            page = read(answer.text)
            ids = {one.get("id") for one in page.all()}
            assert "#" not in link or link.split("#")[1] in ids, link
            waiting += [one["href"] for one in page.all("a")]
        answer.close()
    assert any(path.startswith("/policies/tinghu-trial/") for path in seen)
    assert len(seen) > 100


def test_larger_print_is_kept_by_every_link_and_form_and_can_be_left(client: FlaskClient) -> None:
    for path in (
        "/",
        "/policies/wuxi-2022-98?on=2024-1-1",
        "/search?q=押金",
        "/estimate?area=320200",
    ):
        page = read(client.get(path).text)
        bigger = next(one["href"] for one in page.all("a") if one.text == "更大字")
        assert page.one("html").get("class") == ""
        page = read(client.get(bigger).text)
        assert page.one("html")["class"] == "big"
        inside = [one["href"] for one in page.all("a") if one["href"].startswith("/")]
        smaller = next(one["href"] for one in page.all("a") if one.text == "普通字")
        assert {query(link).get("big") for link in inside if link != smaller} == {"1"}
        assert query(smaller) == query(path)
        assert urlsplit(smaller).path == quote(urlsplit(path).path)
        for form in page.all("form"):
            hidden = [one["value"] for one in form.all("input", name="big")]
            assert query(form["action"]).get("big") == "1" or hidden == ["1"]


@pytest.mark.parametrize(
    "path",
    ["/?_external=1&_scheme=javascript", "/?_anchor=x&next=//evil.example", "/search?q=a&x=b"],
)
def test_an_address_cannot_put_its_own_words_into_links(client: FlaskClient, path: str) -> None:
    for one in read(client.get(path).text).all("a"):
        assert "evil" not in one["href"]
        assert "javascript" not in one["href"]
        assert one["href"].startswith(("/", "#"))


def test_what_is_asked_is_shown_as_text(client: FlaskClient) -> None:
    words = '"><script>alert(1)</script>'
    for text in (
        client.get("/search", query_string={"q": words}).text,
        client.get("/policies", query_string={"on": words}).text,
        client.post("/estimate?area=320200", data={"total": words}).text,
        client.post("/estimate?area=320200", data={"total": words, "edit": "1"}).text,
    ):
        assert "<script" not in text
        assert "alert(1)" in text


def test_words_stand_out_from_their_ground_seven_times(client: FlaskClient) -> None:
    with client.get("/static/style.css") as answer:
        blocks = re.findall(r":root \{([^}]*)\}", answer.text)
    light, dark = (dict(re.findall(r"--(\w+): (#[0-9a-f]+)", block)) for block in blocks)
    for colours in (light, {**light, **dark}):
        for words in ("ink", "quiet", "accent", "link", "warn"):
            for ground in ("paper", "tint"):
                assert contrast(colours[words], colours[ground]) >= 7, (words, ground)
        assert contrast(colours["ink"], colours["mark"]) >= 7
        assert contrast("#ffffff", colours["brand"]) >= 7


def contrast(one: str, other: str) -> float:
    """By WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def channels(colour: str) -> Iterator[float]:
    plain = colour.lstrip("#")
    plain = plain if len(plain) == 6 else "".join(one * 2 for one in plain)
    for place in (0, 2, 4):
        value = int(plain[place : place + 2], 16) / 255
        yield value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
