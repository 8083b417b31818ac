from __future__ import annotations

import re
from datetime import date
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from miniprogram_api.fields import ApiField, Bool, Code, Day, Int, Money, Rate, Sum, Text
from miniprogram_api.matching.schemas import Moment
from miniprogram_api.schemas import StrictSchema, faults_of
from miniprogram_api.structures import Many, Map, Nested

SIMPLE = [
    Text("文字", longest=5),
    Text("编号", pattern=r"^[a-z]*$"),
    Money("金额"),
    Rate("比例"),
    Day("日期"),
    Code("代码", ["a", "b"]),
    Bool("是否"),
    Int("次数", least=-3, most=10),
    Map("各层", {"basic": "基本医保"}, Money("金额")),
]
NEAR_MISSES = [
    "", " ", "a", "b", "ab", "a\n", "\x00", "１", "0.00", "0.00\n", "00.00", "1.5", "-1.00", "+1.00",
    "100000000.00", "100000000.01", "99999999.99", "999999999.00", "1,000.00", " 1.00", "١.00",
    "0", "1", "1.0", "1.0000", "1.00000", "0.12345", "0.5", "1.5", ".5", "0.",
    "2024-02-29", "2023-02-29", "1900-01-01", "1899-12-31", "2100-12-31", "2101-01-01",
    "2024-1-1", "20240101", "2024-02-29T00:00:00", "２024-02-29", "2024-02-29\n",
    True, False, None, 0, 1, -3, -4, 10, 11, 3.0, 3.5, 1e300, -0.0,
    [], {}, {"basic": "1.00"}, {"basic": 1}, {"other": "1.00"}, {"basic": None},
]  # fmt: skip

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


def taken(field: ApiField, value: Any) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return False
    return True


def described(field: ApiField, value: Any) -> bool:
    validator = jsonschema.Draft202012Validator(
        field.json_schema(), format_checker=jsonschema.FormatChecker(["date"])
    )
    # ECMA's $ is the very end of the text; Python's also matches before a last line break.
    return validator.is_valid(value) and not (isinstance(value, str) and value.endswith("\n"))


@pytest.mark.parametrize("field", SIMPLE, ids=lambda field: type(field).__name__)
def test_the_schema_describes_exactly_the_values_taken(field: ApiField) -> None:
    for value in NEAR_MISSES:
        assert taken(field, value) == described(field, value), value


@pytest.mark.parametrize("field", SIMPLE, ids=lambda field: type(field).__name__)
def test_no_value_whatever_breaks_a_field(field: ApiField) -> None:
    @given(JSON_VALUES)
    def check(value: Any) -> None:
        assert taken(field, value) == described(field, value)

    check()


@given(st.from_regex(Money.PATTERN, fullmatch=True))
def test_money_comes_back_as_it_was_sent(text: str) -> None:
    money = Money("金额")
    fen = money.deserialize(text)
    assert isinstance(fen, int)
    assert money._serialize(fen, None, None) == text


@given(st.integers(-(10**14), 10**14))
def test_every_sum_in_an_answer_keeps_to_its_pattern(fen: int) -> None:
    assert re.fullmatch(Sum.PATTERN, Sum("合计")._serialize(fen, None, None) or "")


@pytest.mark.parametrize(
    ("field", "value", "meant"),
    [
        (Rate("比例"), "0.85", 8500),
        (Day("日期"), "2024-02-29", date(2024, 2, 29)),
        (Int("次数", least=0, most=9), 3.0, 3),
        (Map("各层", ["basic"], Money("金额")), {"basic": "1.00"}, {"basic": 100}),
    ],
)
def test_a_value_is_loaded_as_the_domain_wants_it(field: ApiField, value: Any, meant: Any) -> None:
    assert field.deserialize(value) == meant


def test_an_answer_is_written_as_the_contract_says() -> None:
    assert Rate("比例")._serialize(8500, None, None) == "0.8500"
    assert Day("日期")._serialize(date(2024, 2, 9), None, None) == "2024-02-09"
    assert Map("各层", ["basic"], Money("金额"))._serialize({"basic": 5}, None, None) == {
        "basic": "0.05"
    }


class InnerSchema(StrictSchema):
    total = Money("金额", required=True)
    on = Day("日期")


class OuterSchema(StrictSchema):
    person = Nested("人", InnerSchema())
    bills = Many("账单", Nested("账单", InnerSchema()), most=2)
    paid = Map("各层", ["basic"], Money("金额"))


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        ({"x/y~z": 1}, ["/x~1y~0z"]),
        ({"person": 3}, ["/person"]),
        ({"person": None}, ["/person"]),
        ({"bills": {}}, ["/bills"]),
        ({"bills": [{}] * 3}, ["/bills"]),
        (
            {"bills": [{"total": "1"}, {"total": "1.00", "on": "2023-02-29", "z": 1}]},
            ["/bills/0/total", "/bills/1/on", "/bills/1/z"],
        ),
        ({"paid": {"basic": 1, "other": "1.00"}}, ["/paid/basic", "/paid/other"]),
        ([], [""]),
        ("text", [""]),
        (None, [""]),
    ],
)
def test_every_fault_has_a_pointer_and_a_chinese_sentence(sent: Any, pointers: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        OuterSchema().load(sent)
    faults = faults_of(caught.value.messages)
    assert [fault.pointer for fault in faults] == pointers
    assert all(chinese(fault.detail) for fault in faults), faults


def test_a_body_with_thousands_of_faults_is_answered_shortly() -> None:
    sent = {"k" * 500 + str(number): 1 for number in range(5000)}
    with pytest.raises(ValidationError) as caught:
        OuterSchema().load(sent)
    faults = faults_of(caught.value.messages)
    assert len(faults) == 100
    assert max(len(fault.pointer) for fault in faults) == 200


def field_classes(kind: type[Any] = ApiField) -> set[type[Any]]:
    return {kind, *(one for sub in kind.__subclasses__() for one in field_classes(sub))}


def test_no_field_or_schema_of_ours_has_an_english_message() -> None:
    messages = [
        *(field.error_messages for field in SIMPLE),
        OuterSchema().fields["bills"].error_messages,
        OuterSchema().fields["person"].error_messages,
        StrictSchema.error_messages,
    ]
    assert {type(field) for field in SIMPLE} | {ApiField, Sum, Moment} == field_classes()
    for message in (text for table in messages for text in table.values()):
        assert chinese(str(message)), message


def chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


@pytest.mark.parametrize(
    ("sent", "told", "untold"),
    [("2000", "小数点后写满两位", "引号"), (2000, "加引号", "写满")],
)
def test_an_amount_is_told_of_the_quotes_only_where_they_are_missing(
    sent: Any, told: str, untold: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        Money("金额").deserialize(sent)
    assert told in str(refusal.value)
    assert untold not in str(refusal.value)
