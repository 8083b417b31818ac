from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.wechat.simulator.qr import LONGEST, matrix
from tests.wechat.simulator.qr_reader import read


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=35))
def test_every_text_is_read_back(text: str) -> None:
    assert read(matrix(text)) == text


@pytest.mark.parametrize(
    ("length", "side"),
    [(17, 21), (18, 25), (32, 25), (33, 29), (53, 29), (54, 33), (78, 33), (79, 37), (LONGEST, 37)],
)
def test_the_smallest_size_that_holds_it_is_taken(length: int, side: int) -> None:
    modules = matrix("x" * length)
    assert len(modules) == side
    assert read(modules) == "x" * length


def test_one_changed_square_is_noticed() -> None:
    modules = matrix("t=1")
    modules[12][12] = not modules[12][12]
    with pytest.raises(AssertionError):
        read(modules)


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        matrix("x" * (LONGEST + 1))
