"""金额 (money): integer fen inside, a string of yuan outside; no float ever.

Rates are integers too, in units of 1/10,000 (万分之一), so that `fen * rate` stays exact in int64:
the largest bill (10^10 fen) times 366 bills times 10^4 is below 4 * 10^16.
"""

from __future__ import annotations

import re
from typing import Final

RATE_UNIT: Final = 10_000
MAX_FEN: Final = 10_000_000_000
"""Largest amount taken on one bill: 100,000,000.00 yuan."""

_YUAN = re.compile(r"(0|[1-9][0-9]{0,8})\.([0-9]{2})", re.ASCII)
_RATE = re.compile(r"([01])(?:\.([0-9]{1,4}))?", re.ASCII)


def parse_yuan(text: str) -> int:
    """Fen from a string of yuan with exactly two decimals, e.g. `"1234.50"` → `123450`.

    Raises `ValueError` for anything else: signs, spaces, thousands separators, other decimals,
    full-width digits, amounts above `MAX_FEN`.
    """
    match = _YUAN.fullmatch(text)
    if match is None:
        raise ValueError("not an amount of yuan with two decimals")
    fen = int(match[1]) * 100 + int(match[2])
    if fen > MAX_FEN:
        raise ValueError("amount above 100,000,000.00 yuan")
    return fen


def format_yuan(fen: int) -> str:
    """A string of yuan with two decimals: `123450` → `"1234.50"`, `-5` → `"-0.05"`."""
    if fen < 0:
        return "-" + format_yuan(-fen)
    digits = f"{fen:03d}"
    return f"{digits[:-2]}.{digits[-2:]}"


def parse_rate(text: str) -> int:
    """A rate between 0 and 1 with at most 4 decimals, in 1/10,000: `"0.85"` → `8500`.

    Raises `ValueError` for anything else.
    """
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError("not a rate between 0 and 1 with at most 4 decimals")
    rate = int(match[1]) * RATE_UNIT + int((match[2] or "0").ljust(4, "0"))
    if rate > RATE_UNIT:
        raise ValueError("rate above 1")
    return rate


def format_percent(rate: int) -> str:
    """A rate as people read it: `8500` → `"85%"`, `1234` → `"12.34%"`."""
    whole, rest = divmod(rate, 100)
    return f"{whole}%" if rest == 0 else f"{whole}.{rest:02d}".rstrip("0") + "%"


def half_up(numerator: int, denominator: int = RATE_UNIT) -> int:
    """`numerator / denominator` rounded half-up to an integer; both non-negative."""
    return (2 * numerator + denominator) // (2 * denominator)
