from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.assistant.hearing import LONGEST, Hearing
from backend.policies.search.words import normalise

HEAR = Hearing(["救助", "救助金", "救助款", "报销", "申请", "起付线", "住院"])


def test_slips_typed_by_sound_are_put_right() -> None:
    assert HEAR("就助款到了没有") == "救助款到了没有"
    assert HEAR("旧住金打了没有") == "救助金打了没有"


def test_what_is_written_correctly_stays() -> None:
    for said in ("就住院了", "起付线是多少", "享受是啥意思", "他就住在隔壁"):
        assert HEAR(said) == said


def test_a_word_that_merely_sounds_alike_throughout_is_not_replaced() -> None:
    assert Hearing(["想死"])("免申即享是啥意思") == "免申即享是啥意思"


@given(st.text(max_size=400))
def test_no_text_breaks_the_hearing_or_changes_its_length(text: str) -> None:
    assert len(HEAR(text)) == len(normalise(text[:LONGEST]))
