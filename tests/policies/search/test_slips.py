"""Putting right what was typed by sound."""

from __future__ import annotations

from backend.policies.search.slips import Slips

SLIPS = Slips(["住院不用交押金，医疗互助优先", "公式"], ["押金", "互助", "公示", "年度限额"])


def test_a_word_that_only_sounds_right_is_put_right() -> None:
    assert SLIPS.corrected("要交压金，村里护助") == "要交押金，村里互助"


def test_a_longer_word_with_one_wrong_character_is_put_right() -> None:
    assert SLIPS.corrected("年度现额多少") == "年度限额多少"


def test_what_stands_in_a_clause_is_left_alone() -> None:
    assert SLIPS.corrected("公式") == "公式"


def test_two_wrong_characters_are_no_slip() -> None:
    assert SLIPS.corrected("亚斤") == "亚斤"
