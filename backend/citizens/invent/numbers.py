"""公民身份号码 (numbers): GB 11643 numbers with their check digit, no two alike."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from backend.citizens.invent.arrays import Days

_WEIGHTS: Final = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECKS: Final = np.frombuffer(b"10X98765432", np.uint8)
_EPOCH: Final = 719_163
_BIRTHS_A_DAY: Final = 499
"""Numbers that one county has for one day and one sex."""


def identity_numbers(
    county: npt.NDArray[np.int64], born: Days, male: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bytes_]:
    """One number a person, 18 characters. `county`: the six digits that the number opens with.

    Numbers of one call differ; those of two calls do where their counties do. Raises `ValueError`
    where more than 499 share county, day and sex.
    """
    rank = _rank((county * 4_000_000 + born) * 2 + male)
    if len(rank) and rank.max() >= _BIRTHS_A_DAY:
        raise ValueError("identity numbers of one county and day have run out")
    digits = np.empty((len(born), 18), np.uint8)
    _write(digits[:, 0:6], county)
    _write(digits[:, 6:14], _day_number(born))
    _write(digits[:, 14:17], rank * 2 + np.where(male, 1, 2))
    digits[:, 17] = _CHECKS[(digits[:, :17] - 48) @ _WEIGHTS % 11]
    numbers: npt.NDArray[np.bytes_] = digits.view("S18").ravel()
    return numbers


def _rank(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many of the same key come before each place."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    opens = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    rank = np.empty(len(keys), np.int64)
    lengths = np.diff(np.append(opens, len(keys)))
    rank[order] = np.arange(len(keys)) - np.repeat(opens, lengths)
    return rank


def _day_number(born: Days) -> npt.NDArray[np.int64]:
    days = (born.astype(np.int64) - _EPOCH).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    month = months.astype(np.int64)
    day = (days - months).astype(np.int64) + 1
    number: npt.NDArray[np.int64] = (month // 12 + 1970) * 10_000 + (month % 12 + 1) * 100 + day
    return number


def _write(digits: npt.NDArray[np.uint8], numbers: npt.NDArray[np.int64]) -> None:
    rest = numbers
    for place in reversed(range(digits.shape[1])):
        rest, digit = np.divmod(rest, 10)
        digits[:, place] = digit + 48
