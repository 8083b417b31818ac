"""The sentences shown of a summary, and the marks in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.policies.search.excerpts import LONGEST, Excerpt, excerpt
from backend.policies.search.words import normalise, terms_of

SENTENCES = st.lists(st.sampled_from(["住院不用交押金。", "医保费由政府出；", "请问村里", "！"]))


def shown(text: str, *words: str) -> Excerpt:
    return excerpt(text, list(terms_of(normalise(text))), dict.fromkeys(words, 1.0))


def test_the_best_sentence_is_shown_with_its_neighbours() -> None:
    text = "甲" * 95 + "。住院不用交押金。出院再付。" + "乙" * 95 + "。"
    assert shown(text, "押金").text == "住院不用交押金。出院再付。"


def test_a_short_summary_is_shown_whole() -> None:
    assert shown("住院不用交押金。出院再付。", "出院").text == "住院不用交押金。出院再付。"


def test_marks_that_touch_are_one() -> None:
    assert shown("住院押金", "住院", "押金").marks == ((0, 4),)


def test_single_characters_are_not_marked() -> None:
    assert shown("住院押金", "押").marks == ()


@given(SENTENCES)
def test_an_excerpt_is_a_piece_of_the_text_and_its_marks_lie_apart(parts: list[str]) -> None:
    text = "".join(parts)
    found = shown(text, "押金", "政府", "医保")
    assert found.text in text
    assert len(found.text) <= LONGEST
    ends = [place for mark in found.marks for place in mark]
    assert ends == sorted(set(ends))
    assert all(end <= len(found.text) for end in ends)
