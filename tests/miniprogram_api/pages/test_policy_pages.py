from __future__ import annotations

import re
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.policies.book import PolicyBook
from backend.policies.description import describe_policy
from backend.policies.standing import standing_of
from miniprogram_api.pages.wording import clause, grouped, yuan
from miniprogram_api.rulebook import rules
from tests.support.html import Element, label_of, query, read

POLICIES = ["wuxi-2022-98", "zhangjiagang-2024", "yueqing-2022-41", "tinghu-trial", "plan-2026"]
TODAY = date(2026, 6, 15)


@pytest.fixture
def book(app: Flask) -> PolicyBook:
    with app.app_context():
        return rules().book


def test_policies_are_found_by_place_and_day(client: FlaskClient) -> None:
    page = read(client.get("/policies").text)
    form = page.one("form")
    assert form["method"] == "get"
    assert {label_of(page, one) for one in form.all() if one.get("name") in ("area", "on")} == {
        "哪个地方", "看哪一天的",
    }  # fmt: skip
    places = {one.text: one["value"] for one in form.all("option")}
    found = read(client.get(f"{form['action']}?area={places['乐清市']}&on=2025年12月31日").text)
    assert "按《乐清医保纾困方案》" in found.one(class_="notice").text
    assert [one.text for one in found.all("span", class_="state")] == ["施行中"]
    later = read(client.get(f"{form['action']}?area={places['乐清市']}&on=20260101").text)
    assert "已经失效" in later.text
    assert [one.text for one in later.all("span", class_="state")] == ["已失效"]


def test_the_list_says_of_each_policy_whether_it_is_in_force(
    client: FlaskClient, book: PolicyBook
) -> None:
    page = read(client.get("/policies").text)
    for policy in book.policies.values():
        assert policy.document.title in page.text
        assert standing_of(policy, TODAY).sentence in page.text
    assert {"施行中", "已失效", "施行日期待当地确认"} <= {
        one.text for one in page.all(class_="state")
    }


@pytest.mark.parametrize(
    "path", ["/policies?on=昨天", "/policies/plan-2026?on=2026-2-30", "/compare?on=1"]
)
def test_a_day_that_cannot_be_read_is_said_beside_its_field(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 422
    page = read(response.text)
    field = page.one("input", name="on")
    assert field["value"] == query(path)["on"]
    assert field["aria-invalid"] == "true"
    assert page.one(class_="summary").one("a")["href"] == "#on"


@pytest.mark.parametrize("policy_id", POLICIES)
def test_a_policy_is_told_whole(client: FlaskClient, book: PolicyBook, policy_id: str) -> None:
    policy = book.policy(policy_id)
    found = describe_policy(policy, book.vocabulary, TODAY)
    page = read(client.get(f"/policies/{policy_id}").text)
    text = bare(page.text)
    told = [policy.document.summary, found.standing.sentence, found.in_force]
    told += [one.name for one in found.beneficiaries]
    told += [notice.residents for notice in policy.document.notices]
    told += [one.shape.residents for one in found.clauses]
    told += [
        words for row in found.layers for words in (row.who, row.rate, row.deductible, *row.limits)
    ]
    told += [one.residents for one in found.entitlements]
    told += [rule.deadline for rule in found.services if rule.deadline]
    told += [one.sentence for one in found.inputs]
    told += [figure.text for one in found.parameters for figure in one.history]
    told += [reading.text for reading in found.readings]
    for words in told:
        assert bare(words) in text, words


def test_figures_are_those_of_the_day_with_their_history(client: FlaskClient) -> None:
    for day, rate in (("2026-6-1", "90%"), ("2025-6-1", "85%")):
        page = read(client.get(f"/policies/plan-2026?on={day}").text)
        row = next(one for one in page.all("tr") if one.text.startswith("特困人员救助比例"))
        assert row.all("td")[0].text == rate
        assert "到 2025-12-31：85%" in row.text
    assert "这一天还没有开始，下面是 2026-01-01 的数字" in page.text


def test_every_clause_has_a_page_with_the_words_for_staff(
    client: FlaskClient, book: PolicyBook
) -> None:
    for policy in book.policies.values():
        for anchor, shape in policy.clauses.items():
            page = read(client.get(f"/policies/{policy.id}/{anchor}?on=2026-1-1").text)
            assert page.one("h1").text == f"{shape.heading} {clause(anchor)}"
            assert bare(shape.residents) in bare(page.text)
            assert bare(shape.staff) in bare(page.one("details").text)


@pytest.mark.parametrize(
    "path", ["/policies/nothing", "/policies/wuxi-2022-98/nothing", "/compare?left=a&right=b"]
)
def test_what_does_not_exist_is_said_plainly(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 404
    page = read(response.text)
    assert page.one("h1").text.startswith("没有")
    assert "/api/" not in page.text


def test_two_policies_stand_side_by_side_under_the_names_of_their_places(
    client: FlaskClient,
) -> None:
    page = read(client.get("/compare?left=wuxi-2022-98&right=zhangjiagang-2024&on=2024-1-1").text)
    chosen = [one["value"] for one in page.all("option") if "selected" in one.attrs]
    assert chosen == ["wuxi-2022-98", "zhangjiagang-2024"]
    row = next(one for one in page.all("tr") if one.text.startswith("最低生活保障对象：比例"))
    left, right = row.all("td")
    assert (left["data-label"], right["data-label"]) == ("无锡市", "张家港市")
    assert (left.text, right.text) == ("85% 条款 四(六)", "不低于 85% 第 7 条")
    same = [one for one in page.all("th") if one.all(class_="state")]
    assert same
    assert all(one.one(class_="state").text == "相同" for one in same)


def test_a_search_shows_three_answers_first_with_the_words_marked(client: FlaskClient) -> None:
    page = read(client.get("/search?q=低保户住院能报多少&area=320200").text)
    assert page.one("input", name="q")["value"] == "低保户住院能报多少"
    first, others = page.all("ol", class_="hits")
    assert len(first.all("h3")) == 3
    assert others.within("details") is not None
    assert "低保" in {word.text[:2] for word in first.all("mark")}
    assert all("wuxi-2022-98" in one["href"] for one in page.all("h3") for one in one.all("a"))


def test_a_search_says_of_what_it_found_whether_it_is_in_force(client: FlaskClient) -> None:
    page = read(client.get("/search?q=免费筛查&area=330382").text)
    assert {one.text for one in page.all("span", class_="state")} == {"已失效"}


@pytest.mark.parametrize("path", ["/search?q=zzzz", "/search?q=押金&area=110101"])
def test_a_search_without_answers_says_what_to_do(client: FlaskClient, path: str) -> None:
    page = read(client.get(path).text)
    assert "没有找到" in page.text
    assert page.one(class_="notice").text
    assert any(one["href"] == "/elsewhere" for one in page.all("a"))


def test_a_search_for_nothing_only_asks(client: FlaskClient) -> None:
    page = read(client.get("/search?q=%20").text)
    assert page.all(class_="hits") == []


def test_a_question_of_any_length_and_kind_is_answered(client: FlaskClient) -> None:
    for words in ("押" * 5000, "\u202e\x00<>&\"'", "𠮷" * 300, "%"):
        response = client.get("/search", query_string={"q": words})
        assert response.status_code == 200
        assert_shown(read(response.text))


def test_amounts_are_grouped_and_days_are_not() -> None:
    assert yuan(10_030_000) == "100,300.00 元"
    assert (
        grouped("2024-03-09 的 1234567.80 元，锡政办发〔2022〕98号")
        == "2024-03-09 的 1,234,567.80 元，锡政办发〔2022〕98号"
    )
    assert grouped("1234.5678 和 999.00") == "1234.5678 和 999.00"


def assert_shown(page: Element) -> None:
    assert page.one("input", name="q")
    assert page.one("h1")


def bare(text: str) -> str:
    """Without what the page adds for the eye."""
    return re.sub(r"[\s,]", "", text)
