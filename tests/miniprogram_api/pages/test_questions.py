from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from backend.estimation.questions import FLAGS, questions_of
from backend.kernel.settings import PROJECT, Settings
from backend.policies.book import PolicyBook
from miniprogram_api.app import create_app
from miniprogram_api.pages.estimate_form import Asked
from miniprogram_api.pages.subject import subject_of
from miniprogram_api.rulebook import rules
from tests.support.html import read

SIXTH = PROJECT / "tests" / "cases" / "sixth-policy"
DAY = date(2026, 6, 15)


@pytest.fixture(scope="module")
def book(app: Flask) -> PolicyBook:
    with app.app_context():
        return rules().book


def test_every_flag_of_a_bill_has_a_question(book: PolicyBook) -> None:
    assert set(FLAGS) == set(book.vocabulary.flags)


@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        ("wuxi-2022-98", {"referred", "in_province", "designated"}),
        ("zhangjiagang-2024", {"base"}),
        ("yueqing-2022-41", {"referred", "followed_guidance", "base"}),
        ("tinghu-trial", {"disease_groups", "declined", "retroactive"}),
        ("plan-2026", {"rare_drug", "income"}),
    ],
)
def test_only_what_decides_the_money_is_asked(
    book: PolicyBook, policy: str, asked: set[str]
) -> None:
    found = questions_of(book.policy(policy), book.vocabulary, DAY)
    parts = ("disease_groups", "declined", "retroactive", "base", "rare_drug", "income")
    assert {flag.code for flag in found.flags} | {
        one for one in parts if getattr(found, one)
    } == asked


def test_everyone_whom_a_policy_covers_or_names_is_among_the_categories(book: PolicyBook) -> None:
    for policy in book.policies.values():
        found = questions_of(policy, book.vocabulary, DAY)
        codes = [one.code for one in found.every_category]
        named = {code for notice in policy.document.notices for code in notice.categories}
        assert set(codes) == {*policy.document.beneficiaries, *named}
        assert len(codes) == len(set(codes))


def test_children_are_asked_apart(book: PolicyBook) -> None:
    found = questions_of(book.policy("wuxi-2022-98"), book.vocabulary, DAY)
    assert {one.code for one in found.children} == {
        code for code, one in book.vocabulary.categories.items() if one.child
    }


def test_categories_bear_the_name_of_the_day(book: PolicyBook) -> None:
    policy = book.policy("tinghu-trial")
    for day, name in ((DAY, "刚性支出困难家庭成员"), (date(2024, 1, 1), "支出型困难家庭成员")):
        found = questions_of(policy, book.vocabulary, day)
        assert name in [one.name for one in found.categories]


def test_days_that_the_locality_confirms_end_the_trial(book: PolicyBook) -> None:
    asked = Asked(area="320902")
    assert subject_of(asked, book, DAY).trial
    confirmed = book.with_confirmed({"tinghu-trial": (date(2026, 1, 1), date(2027, 12, 31))})
    subject = subject_of(asked, confirmed, DAY)
    assert (subject.in_force, subject.trial) == (True, False)
    assert "按《亭湖区健康救助实施方案（试行）》办" in subject.sentence


def test_a_sixth_policy_has_its_pages_by_data_alone() -> None:
    client = create_app(Settings(catalogue=(Path(SIXTH),))).test_client()
    policy = next(path.name for path in SIXTH.iterdir() if path.is_dir())
    assert f"/policies/{policy}" in client.get("/").text
    page = read(client.get(f"/estimate?policy={policy}").text)
    assert page.one("form").all("input", name="total")
    assert read(client.get(f"/policies/{policy}").text).one("h1")
