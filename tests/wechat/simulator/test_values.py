from __future__ import annotations

import pytest

from backend.wechat.simulator.state import Template
from backend.wechat.simulator.values import fits, keys_of

TAKEN = [
    ("thing1", "一" * 20),
    ("thing01", "Ａ1（混合）"),
    ("number2", "12345678901234567890123456789012"),
    ("number2", "12.50"),
    ("letter3", "abcXYZ"),
    ("symbol4", "！？、。；"),
    ("character_string5", "CASE-2026/001"),
    ("time6", "08:30"),
    ("time6", "2026年11月21日 08:30:00"),
    ("time6", "08:30~17:00"),
    ("date7", "2026年11月21日"),
    ("date7", "2026年11月"),
    ("date7", "11月21日"),
    ("date7", "2026-11-21"),
    ("date7", "2026/11/21 09:05"),
    ("date7", "2026.11.21~2026.11.30"),
    ("amount8", "¥1234567890.50"),
    ("amount8", "88元"),
    ("phone_number9", "+86-0512-12345678"),
    ("car_number10", "苏A12345挂"),
    ("name11", "一二三四五六七八九十"),
    ("name11", "Abcdefghij Klmnopqrs"),
    ("phrase12", "已经办好了"),
    ("enum13", "通过"),
]
REFUSED = [
    ("thing1", "一" * 21),
    ("thing1", ""),
    ("thing1", "  "),
    ("thing1", "两\n行"),
    ("thing1", "有\u0007声"),
    ("thing1", "分\u2028行"),
    ("number2", "123456789012345678901234567890123"),
    ("number2", "十二"),
    ("letter3", "a1"),
    ("letter3", "a" * 33),
    ("symbol4", "！？、。；："),
    ("symbol4", "a"),
    ("character_string5", "编号1"),
    ("character_string5", "x" * 33),
    ("time6", "24:00"),
    ("time6", "8点"),
    ("time6", "08:00~09:00~10:00"),
    ("date7", "2026年13月1日"),
    ("date7", "2026-11-32"),
    ("date7", "2026-11/21"),
    ("date7", "明天"),
    ("amount8", "12345678901"),
    ("amount8", "¥¥1"),
    ("amount8", "一百元"),
    ("phone_number9", "1" * 18),
    ("phone_number9", "电话12345"),
    ("car_number10", "苏A12345678"),
    ("name11", "一二三四五六七八九十一"),
    ("name11", "a" * 21),
    ("name11", "王a" + "b" * 9),
    ("phrase12", "办理中1"),
    ("phrase12", "一二三四五六"),
    ("enum13", "别的"),
    ("other1", "好"),
    ("thing", "好"),
]
KEYED = Template("T", "wx", "题", "", enums={"enum13": ["通过", "退回"]})


@pytest.mark.parametrize(("key", "value"), TAKEN)
def test_a_value_that_keeps_to_the_rule_is_taken(key: str, value: str) -> None:
    assert fits(KEYED, key, value)


@pytest.mark.parametrize(("key", "value"), REFUSED)
def test_a_value_that_breaks_the_rule_is_refused(key: str, value: str) -> None:
    assert not fits(KEYED, key, value)


def test_the_keys_stand_in_the_content() -> None:
    template = Template("T", "wx", "题", "事项:{{thing1.DATA}}\n日期:{{date12.DATA}}")
    assert keys_of(template) == ["thing1", "date12"]
