from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.payments.accounts import luhn, masked, normalise, why_not
from tests.support.ledger import card

CARD = card(77)


@pytest.mark.parametrize(
    "account", [CARD, "6228480402564890018", "320501236789001", "1" * 11 + "2"]
)
def test_a_good_account_is_taken(account: str) -> None:
    assert why_not(account) is None


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ("", "没有填写"),
        ("6.22848E+18", "Excel"),
        ("62284804025648900.0", "Excel"),
        ("6228480402564890019", "校验位"),
        ("12345678901", "12 至 30"),
        ("1" * 30 + "2", "12 至 30"),
        ("88888888888888", "各位都相同"),
        ("62284804025648900I8", "只能由数字"),
        ("６２２８", "只能由数字"),
    ],
)
def test_a_bad_account_is_refused_with_its_own_reason(account: str, reason: str) -> None:
    said = why_not(account)
    assert said is not None
    assert reason in said
    assert len(account) < 4 or account not in said


def test_blanks_and_hyphens_between_digits_do_not_count() -> None:
    assert normalise("6228 4804-0256 4890 018") == "6228480402564890018"


def test_only_the_last_four_digits_are_shown() -> None:
    assert masked(CARD) == f"****{CARD[-4:]}"


@given(st.integers(0, 10**11 - 1), st.integers(0, 18), st.integers(1, 9))
def test_any_single_wrong_digit_of_a_card_is_seen(serial: int, at: int, by: int) -> None:
    good = card(serial)
    assert luhn(good)
    wrong = good[:at] + str((int(good[at]) + by) % 10) + good[at + 1 :]
    assert not luhn(wrong)
