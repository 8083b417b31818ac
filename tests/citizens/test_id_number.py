"""公民身份号码: what is refused, each for its own reason, and who is taken."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.citizens.exchange.cells_of_people import person_number
from backend.citizens.id_number import Sex, born_on, check_character, normalise, sex, why_not
from tests.support.delivered import id_number

TODAY = date(2026, 11, 21)


def test_the_example_of_the_standard_is_in_order() -> None:
    assert why_not("11010519491231002X", TODAY) is None
    assert why_not("440524188001010014", TODAY) is None


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("", "是空的"),
        ("110105194912310021", "校验码不对"),
        ("110105194913310020", "出生日期不存在"),
        (id_number("20230229"), "出生日期不存在"),
        (id_number("20261122"), "还没有到"),
        (id_number("18791231"), "早于 1880 年"),
        ("9" * 18, "每一位都一样"),
        ("0" * 18, "每一位都一样"),
        ("110105491231002", "15 位"),
        ("1.10105E+17", "Excel"),
        ("110105194912310000", "Excel"),
        ("11010519491231002", "应当是 18 位"),
        ("11010519491231002XX", "应当是 18 位"),
        ("11010519491231X02X", "不该有的字符"),
        ("张11010519491231002", "不该有的字符"),
        (id_number(region="999999"), "不是省级代码"),
        (id_number(region="900100"), "不是省级代码"),
        (id_number(region="770000"), "不是省级代码"),
        (id_number(region="000000"), "不是省级代码"),
        (id_number(region="160101"), "不是省级代码"),
    ],
)
def test_a_number_at_fault_is_refused_for_its_own_reason(number: str, says: str) -> None:
    reason = why_not(number, TODAY)
    assert reason is not None
    assert says in reason
    assert len(number) < 15 or number not in reason


@pytest.mark.parametrize("region", ["810000", "820000", "830000", "911840"])
def test_residence_permits_are_numbers_like_all_others(region: str) -> None:
    assert why_not(id_number(region=region), TODAY) is None


def test_a_region_that_was_abolished_refuses_nobody() -> None:
    assert why_not(id_number(region="110103"), TODAY) is None


def test_full_width_figures_blanks_and_a_small_x_are_made_plain() -> None:
    assert normalise("　１１０１０５１９４９１２３１００２ｘ ") == "11010519491231002X"


def test_the_number_tells_the_day_of_birth_and_the_sex() -> None:
    assert born_on("11010519491231002X") == date(1949, 12, 31)
    assert sex("11010519491231002X") is Sex.FEMALE
    assert sex(id_number(sequence="123")) is Sex.MALE


digits = st.text("0123456789", min_size=17, max_size=17)
days = st.dates(date(1850, 1, 1), date(2030, 1, 1)).map(lambda day: day.strftime("%Y%m%d"))
regions = st.text("0123456789", min_size=6, max_size=6)
near = st.builds(id_number, days, st.text("0123456789", min_size=3, max_size=3), regions)


@given(
    st.lists(st.one_of(digits.map(lambda d: d + check_character(d)), near, st.text(max_size=20)))
)
def test_a_whole_column_is_judged_as_each_number_by_itself(numbers: list[str]) -> None:
    cells = pl.Series([normalise(number) for number in numbers], dtype=pl.String)
    refused = person_number(TODAY)(cells).bad.to_list()
    alone = [why_not(number, TODAY) is not None for number in cells]
    # Beside a number that Excel mangled, one that ends in 000 is not believed.
    assert [a for a, n in zip(refused, cells, strict=True) if not n.endswith("000")] == [
        a for a, n in zip(alone, cells, strict=True) if not n.endswith("000")
    ]


@given(near, st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_figure_never_goes_unseen(number: str, at: int, off: int) -> None:
    if why_not(number, TODAY) is None and number[at] != "X":
        changed = number[:at] + str((int(number[at]) + off) % 10) + number[at + 1 :]
        assert why_not(changed, TODAY) is not None


def test_a_number_ending_in_zeros_is_not_believed_beside_a_mangled_one() -> None:
    honest = next(
        number
        for sequence in range(100, 1000, 100)
        if (number := id_number("19560312", str(sequence))).endswith("000")
        or (number := id_number("19560313", str(sequence))).endswith("000")
    )
    mangled = "110105194912310000"
    parse = person_number(TODAY)
    assert parse(pl.Series([honest])).bad.to_list() == [False]
    assert parse(pl.Series([honest, mangled])).bad.to_list() == [True, True]
