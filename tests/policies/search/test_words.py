"""A text as terms: normal forms, words, pairs, numbers, sounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.policies.search.sounds import sound_of
from backend.policies.search.words import normalise, terms_of


def numbers(text: str) -> list[str]:
    return [term.text for term in terms_of(normalise(text)) if term.kind == "number"]


@given(st.text(max_size=80))
def test_a_normal_form_is_as_long_as_the_text_and_stays_as_it_is(text: str) -> None:
    normal = normalise(text)
    assert len(normal) == len(text)
    assert normalise(normal) == normal


@given(st.text(max_size=80))
def test_every_term_stands_where_it_says(text: str) -> None:
    normal = normalise(text)
    for term in terms_of(normal):
        assert 0 <= term.start < term.end <= len(normal)
        if term.kind != "number":
            assert normal[term.start : term.end] == term.text


def test_traditional_full_width_and_capital_letters_are_folded() -> None:
    assert normalise("簽家庭醫生，ＣＴ！") == "签家庭医生,ct!"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("三十万", "#300000"),
        ("30万元", "#300000"),
        ("300,000.00", "#300000"),
        ("1.5万", "#15000"),
        ("一万两千", "#12000"),
        ("三万五", "#35000"),
        ("一千五", "#1500"),
        ("一百零五块", "#105"),
        ("百分之八十", "80%"),
        ("八成", "80%"),
        ("80%", "80%"),
        ("七个工作日", "#7"),
        ("7个工作日", "#7"),
        ("六十五岁", "#65"),
    ],
)
def test_a_number_is_the_same_in_digits_and_in_characters(written: str, value: str) -> None:
    assert numbers(written) == [value]


@pytest.mark.parametrize("text", ["一类人群", "三重制度", "几十万", "一站式", "万一"])
def test_numerals_that_count_nothing_are_no_numbers(text: str) -> None:
    assert numbers(text) == []


def test_what_a_wrong_cut_hides_the_pairs_still_hold() -> None:
    terms = {term.text for term in terms_of("要不要交压金")}
    assert "压金" in terms


@pytest.mark.parametrize(
    ("typed", "meant"), [("压金", "押金"), ("护助", "互助"), ("就助", "救助"), ("申情", "申请")]
)
def test_slips_sound_like_what_was_meant(typed: str, meant: str) -> None:
    assert sound_of(typed) == sound_of(meant) is not None


@pytest.mark.parametrize("character", ["女", "旅", "略", "啊", "座", "安", "昂"])
def test_common_characters_have_a_sound(character: str) -> None:
    assert sound_of(character)


@pytest.mark.parametrize("word", ["齄", "a", "1", "押a", "😀"])
def test_rare_characters_and_signs_have_none(word: str) -> None:
    assert sound_of(word) is None
