from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from backend.policies.book import PolicyBook, UnknownArea
from backend.policies.catalogue import HOME, load_catalogue
from backend.policies.standing import decide, places, span_in_words, standing_of

YUEQING, WUXI, ZHANGJIAGANG, TINGHU = "330382", "320200", "320582", "320902"
JIANGYIN, YANCHENG, BEIJING = "320281", "320900", "110101"
ADOPTED = """
adoptions:
  - {area: "320900", policy: plan-2026, from: 2026-03-01, to: 2026-09-30}
  - {area: "330382", policy: plan-2026, from: 2025-01-01, to: 2026-12-31}
serious_illness_bases: []
"""


@pytest.mark.parametrize(
    ("policy", "day", "state"),
    [
        ("yueqing-2022-41", date(2021, 12, 31), "not_yet"),
        ("yueqing-2022-41", date(2022, 1, 1), "in_force"),
        ("yueqing-2022-41", date(2022, 9, 15), "in_force"),
        ("yueqing-2022-41", date(2024, 6, 1), "in_force"),
        ("yueqing-2022-41", date(2025, 12, 31), "in_force"),
        ("yueqing-2022-41", date(2026, 1, 1), "expired"),
        ("wuxi-2022-98", date(2022, 12, 31), "not_yet"),
        ("wuxi-2022-98", date(2023, 1, 1), "in_force"),
        ("wuxi-2022-98", date(2099, 1, 1), "in_force"),
        ("zhangjiagang-2024", date(2023, 12, 31), "not_yet"),
        ("zhangjiagang-2024", date(2024, 1, 1), "in_force"),
        ("tinghu-trial", date(2022, 1, 1), "unconfirmed"),
        ("tinghu-trial", date(2030, 1, 1), "unconfirmed"),
        ("plan-2026", date(2025, 12, 31), "not_yet"),
        ("plan-2026", date(2026, 12, 31), "in_force"),
        ("plan-2026", date(2027, 1, 1), "expired"),
    ],
)
def test_a_policy_stands_as_its_document_says(
    book: PolicyBook, policy: str, day: date, state: str
) -> None:
    assert standing_of(book.policy(policy), day).state == state


def test_an_expired_policy_names_its_last_day_and_what_it_still_decides(book: PolicyBook) -> None:
    sentence = standing_of(book.policy("yueqing-2022-41"), date(2026, 1, 1)).sentence
    assert "已经失效：最后一天是 2025-12-31" in sentence
    assert "2025-12-31 及以前出院（就诊）的费用仍按它办" in sentence


def test_a_policy_not_yet_in_force_names_the_day_from_which_it_applies(book: PolicyBook) -> None:
    sentence = standing_of(book.policy("yueqing-2022-41"), date(2021, 12, 31)).sentence
    assert "还没有开始适用" in sentence
    assert "2022-09-16 起施行，2022-01-01 起的费用参照执行，至 2025-12-31 止" in sentence


def test_an_end_that_is_not_stated_is_said_to_be_not_stated(book: PolicyBook) -> None:
    assert span_in_words(book.policy("wuxi-2022-98")) == "自 2023-01-01 起施行，没有写到哪天为止"


def test_days_that_nobody_stated_are_neither_in_force_nor_expired(book: PolicyBook) -> None:
    sentence = standing_of(book.policy("tinghu-trial"), date(2024, 1, 1)).sentence
    assert "当地也还没有确认" in sentence
    assert "请先向当地主管部门确认" in sentence


def test_confirmed_days_hold_and_then_lapse(book: PolicyBook) -> None:
    days = {"tinghu-trial": (date(2022, 3, 1), date(2024, 2, 29))}
    confirmed = book.with_confirmed(days)
    before, last, after = (
        decide(confirmed, TINGHU, day)
        for day in (date(2022, 2, 28), date(2024, 2, 29), date(2024, 3, 1))
    )
    assert (before.state, last.state, after.state) == ("not_yet", "in_force", "expired")
    assert last.decides is not None
    assert last.decides.id == "tinghu-trial"
    assert "当地确认自 2022-03-01 起施行，至 2024-02-29 止" in last.concerning[0].sentence


def test_a_template_says_that_it_holds_only_where_it_is_adopted(book: PolicyBook) -> None:
    sentence = standing_of(book.policy("plan-2026"), date(2026, 6, 1)).sentence
    assert "只在采用它的地方适用" in sentence


@pytest.mark.parametrize(
    ("area", "day", "policy", "state"),
    [
        (JIANGYIN, date(2024, 1, 1), "wuxi-2022-98", "in_force"),
        (WUXI, date(2024, 1, 1), "wuxi-2022-98", "in_force"),
        ("320281100001", date(2024, 1, 1), "wuxi-2022-98", "in_force"),
        (ZHANGJIAGANG, date(2024, 1, 1), "zhangjiagang-2024", "in_force"),
        (ZHANGJIAGANG, date(2023, 6, 1), None, "not_yet"),
        (YUEQING, date(2022, 2, 1), "yueqing-2022-41", "in_force"),
        (YUEQING, date(2024, 6, 1), "yueqing-2022-41", "in_force"),
        (YUEQING, date(2026, 1, 1), None, "expired"),
        (TINGHU, date(2024, 6, 1), None, "unconfirmed"),
        (YANCHENG, date(2024, 6, 1), None, "none"),
        (BEIJING, date(2024, 6, 1), None, "none"),
    ],
)
def test_the_countys_own_policy_decides_else_its_citys_else_none(
    book: PolicyBook, area: str, day: date, policy: str | None, state: str
) -> None:
    decision = decide(book, area, day)
    assert (decision.decides and decision.decides.id, decision.state) == (policy, state)


def test_a_county_under_its_citys_policy_is_told_so(book: PolicyBook) -> None:
    decision = decide(book, JIANGYIN, date(2024, 1, 1))
    assert decision.name == "江苏省无锡市江阴市"
    assert (
        "按无锡市的《无锡市重特大疾病医疗救助实施意见》（锡政办发〔2022〕98号）办"
        in decision.sentence
    )


def test_where_no_policy_decides_every_policy_of_the_place_says_why(book: PolicyBook) -> None:
    decision = decide(book, YUEQING, date(2026, 1, 1))
    assert "没有可以确定有效的政策" in decision.sentence
    assert "《乐清医保纾困方案》这一天已经失效：最后一天是 2025-12-31" in decision.sentence


def test_a_place_without_any_policy_is_sent_to_its_department(book: PolicyBook) -> None:
    decision = decide(book, BEIJING, date(2024, 1, 1))
    assert decision.sentence == "还没有收录北京市东城区的政策。请向当地医保部门询问。"


def test_an_area_that_does_not_exist_is_refused(book: PolicyBook) -> None:
    with pytest.raises(UnknownArea) as caught:
        decide(book, "999999", date(2024, 1, 1))
    assert [fault.pointer for fault in caught.value.faults] == ["/area"]


@pytest.mark.parametrize(
    ("day", "policy", "state"),
    [
        (date(2026, 2, 28), None, "unconfirmed"),
        (date(2026, 3, 1), "plan-2026", "in_force"),
        (date(2026, 9, 30), "plan-2026", "in_force"),
        (date(2026, 10, 1), None, "unconfirmed"),
    ],
)
def test_an_adopted_template_decides_for_the_days_of_its_adoption(
    with_localities: Callable[[str], PolicyBook], day: date, policy: str | None, state: str
) -> None:
    decision = decide(with_localities(ADOPTED), TINGHU, day)
    assert (decision.decides and decision.decides.id, decision.state) == (policy, state)
    assert [one.policy.id for one in decision.concerning] == ["tinghu-trial", "plan-2026"]


def test_an_adopted_template_stands_as_its_adoption_says(
    with_localities: Callable[[str], PolicyBook],
) -> None:
    book = with_localities(ADOPTED)
    days = date(2026, 2, 1), date(2026, 5, 1), date(2026, 11, 1)
    standings = [decide(book, YANCHENG, day).concerning[0] for day in days]
    assert [one.state for one in standings] == ["not_yet", "in_force", "expired"]
    assert all("盐城市自 2026-03-01 起采用，至 2026-09-30 止" in one.sentence for one in standings)


def test_a_places_own_policy_goes_before_an_adopted_template(
    with_localities: Callable[[str], PolicyBook],
) -> None:
    book = with_localities(ADOPTED)
    decided = [decide(book, YUEQING, day).decides for day in (date(2025, 12, 31), date(2026, 1, 1))]
    assert [one and one.id for one in decided] == ["yueqing-2022-41", "plan-2026"]


def test_the_places_with_policies_are_listed_with_what_they_adopted(
    book: PolicyBook, with_localities: Callable[[str], PolicyBook]
) -> None:
    assert [one.code for one in places(book)] == [WUXI, ZHANGJIAGANG, TINGHU, YUEQING]
    adopting = {one.code: one for one in places(with_localities(ADOPTED))}
    assert adopting[YANCHENG].name == "江苏省盐城市"
    assert [one.id for one in adopting[YUEQING].policies] == ["plan-2026", "yueqing-2022-41"]


def test_of_two_policies_of_one_area_the_newer_decides(tmp_path: Path) -> None:
    for name, start in (("wuxi-a", "2025-01-01"), ("wuxi-z", "2024-01-01")):
        shutil.copytree(HOME / "wuxi-2022-98", tmp_path / name)
        document = tmp_path / name / "document.yaml"
        text = document.read_text(encoding="utf-8")
        text = text.replace("id: wuxi-2022-98", f"id: {name}").replace("2023-01-01", start)
        document.write_text(text, encoding="utf-8")
    book = load_catalogue([tmp_path])
    found = [book.of_area(WUXI, date(year, 6, 1)) for year in (2023, 2024, 2025)]
    assert [policy.id for policy in found if policy] == ["wuxi-2022-98", "wuxi-z", "wuxi-a"]
