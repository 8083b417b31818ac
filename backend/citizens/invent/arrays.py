"""数组 (arrays): draws and columns that several files share. Days are proleptic ordinals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Days: TypeAlias = npt.NDArray[np.int32]
Places: TypeAlias = npt.NDArray[np.int64]
Chosen: TypeAlias = npt.NDArray[np.bool_]
Random: TypeAlias = np.random.Generator
Whole: TypeAlias = int | npt.NDArray[np.integer[Any]]

NO_DAY = 0
"""In a column of days: left empty."""
EMPTY = -1
"""In a column of money or of numbers: left empty."""
_EPOCH = 719_163
"""Polars counts days from 1970-01-01."""


def day_column(days: npt.NDArray[Any]) -> pl.Series:
    """Days as dates, `NO_DAY` as nothing."""
    column = pl.Series(days.astype(np.int32) - _EPOCH).cast(pl.Date)
    return column.set(pl.Series(days == NO_DAY), None)


def money_column(fen: npt.NDArray[np.int64]) -> pl.Series:
    """Fen as yuan with two decimals, `EMPTY` as nothing."""
    yuan = pl.Series(fen // 100).cast(pl.String)
    cents = pl.Series(fen % 100).cast(pl.String).str.zfill(2)
    return (yuan + "." + cents).set(pl.Series(fen == EMPTY), None)


def number_column(numbers: npt.NDArray[Any]) -> pl.Series:
    """Numbers, `EMPTY` as nothing."""
    column = pl.Series(numbers)
    return column.set(pl.Series(numbers == EMPTY), None)


def words(choices: Sequence[str], places: npt.NDArray[Any]) -> pl.Series:
    """The chosen words as a column."""
    return pl.Series(choices, dtype=pl.String).gather(pl.Series(places))


def between(random: Random, low: Whole, high: Whole, count: int) -> Places:
    """Whole numbers from `low` to `high`, both included; both may be arrays."""
    return random.integers(low, np.asarray(high) + 1, count)


def one_of(random: Random, shares: Sequence[float], count: int) -> Places:
    """Places in a list, by their shares; the last takes what is left of 1."""
    return np.searchsorted(np.cumsum(shares[:-1]), random.random(count), side="right")


def month_end(days: npt.NDArray[Any]) -> Days:
    """The last day of each day's calendar month."""
    months = (days.astype("int64") - _EPOCH).astype("datetime64[D]").astype("datetime64[M]")
    after = (months + 1).astype("datetime64[D]").astype(np.int64)
    return (after - 1 + _EPOCH).astype(np.int32)
