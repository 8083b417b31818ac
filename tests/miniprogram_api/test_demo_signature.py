"""The signature that a demo draws is one that the site takes."""

from __future__ import annotations

from backend.letters.handwriting import check_drawing
from miniprogram_api.demo_signature import signature
from miniprogram_api.letters.schemas import SIGNATURE


def test_it_is_taken_and_signs_the_letter_that_was_shown() -> None:
    letter = {"sha256": "ab" * 32, "nonce": "cd" * 32}
    taken = SIGNATURE.load(dict(signature(letter)))
    check_drawing(taken.drawing)
    assert (taken.shown_sha256, taken.nonce) == (letter["sha256"], letter["nonce"])
