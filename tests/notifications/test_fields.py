"""Values fit the fields of WeChat's templates, as the simulator (written apart) has the rules."""

from __future__ import annotations

import string
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.notifications.fields import FieldUnfit, day_text, fitted
from backend.wechat.simulator.state import Template
from backend.wechat.simulator.values import RULES, fits

KINDS = (*RULES, "enum")
TEMPLATE = Template("T", "wx", "题", "", enums={"enum1": ["通过", "退回"]})

TAKEN = [
    ("thing1", "医疗救助", "医疗救助"),
    ("thing1", "一二三四五六七八九十一二三四五六七八九十", "一二三四五六七八九十一二三四五六七八九十"),
    ("thing1", "一二三四五六七八九十一二三四五六七八九十一", "一二三四五六七八九十一二三四五六七八九…"),
    ("thing1", " 有\n两行\t字 ", "有 两行 字"),
    ("thing1", "看\u200b不见", "看不见"),
    ("number2", "-12.5", "-12.5"),
    ("letter3", "Ab", "Ab"),
    ("symbol4", "+-", "+-"),
    ("character_string5", "A-1 b", "A-1 b"),
    ("time6", "15:01", "15:01"),
    ("time6", "2026年11月22日 15:01", "2026年11月22日 15:01"),
    ("time6", "8:00~21:00:00", "8:00~21:00:00"),
    ("date7", "2026年11月22日", "2026年11月22日"),
    ("date7", "2026-11-22~2026-11-30", "2026-11-22~2026-11-30"),
    ("date7", "11.22", "11.22"),
    ("amount8", "¥100.01元", "¥100.01元"),
    ("phone_number9", "+86-0510-12345", "+86-0510-12345"),
    ("car_number10", "苏B12345", "苏B12345"),
    ("name11", "测试甲", "测试甲"),
    ("name11", "一二三四五六七八九十一", "一二三四五六七八九…"),
    ("name11", "Nobody Invented", "Nobody Invented"),
    ("name11", "abcdefghijklmnopqrstu", "abcdefghijklmnopqrs…"),
    ("phrase12", "已办结", "已办结"),
    ("phrase12", "已经全部办结", "已经全部办"),
    ("enum1", "通过", "通过"),
]  # fmt: skip
REFUSED = [
    ("thing1", ""),
    ("thing1", " \n\t\u200b"),
    ("number2", "12,5"),
    ("number2", "1" * 33),
    ("number2", "十二"),
    ("letter3", "a1"),
    ("letter3", "a" * 33),
    ("symbol4", "++++++"),
    ("symbol4", "a"),
    ("character_string5", "编号1"),
    ("character_string5", "1" * 33),
    ("time6", "25:00"),
    ("time6", "8点"),
    ("time6", "8:00~9:00~10:00"),
    ("date7", "2026年13月1日"),
    ("date7", "2026-11/22"),
    ("date7", "明天"),
    ("amount8", "12345678901"),
    ("amount8", "一百元"),
    ("phone_number9", "1" * 18),
    ("phone_number9", "电话"),
    ("car_number10", "苏B1234567"),
    ("name11", "测试9"),
    ("phrase12", "OK"),
    ("phrase12", "已办结1"),
    ("enum1", "不知道"),
    ("thing", "没有号码"),
    ("unknown1", "没有这一种"),
    ("THING1", "大写"),
]


@pytest.mark.parametrize(("key", "text", "found"), TAKEN)
def test_a_value_is_taken_or_cut_and_wechat_takes_it(key: str, text: str, found: str) -> None:
    value = fitted(key, text, TEMPLATE.enums["enum1"])
    assert value == found
    assert fits(TEMPLATE, key, value)


@pytest.mark.parametrize(("key", "text"), REFUSED)
def test_a_value_that_means_nothing_when_cut_is_refused_and_not_repeated(
    key: str, text: str
) -> None:
    with pytest.raises(FieldUnfit) as refused:
        fitted(key, text, TEMPLATE.enums["enum1"])
    assert refused.value.key == key
    assert len(text) < 3 or text not in str(refused.value)


@given(
    st.sampled_from(KINDS),
    st.text(max_size=40) | st.text(string.digits + "年月日-/.:~¥元+ ", max_size=24),
)
def test_whatever_is_taken_is_taken_by_wechat(kind: str, text: str) -> None:
    try:
        value = fitted(f"{kind}1", text, TEMPLATE.enums["enum1"])
    except FieldUnfit:
        return
    assert fits(TEMPLATE, f"{kind}1", value)


@given(st.integers(0, 40_000))
def test_every_day_is_written_as_a_date_field_takes_it(ordinal: int) -> None:
    text = day_text(date(2000, 1, 1) + timedelta(ordinal))
    assert fitted("date1", text) == text
