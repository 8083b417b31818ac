"""口说的钱 (amounts): sums as people say them: `三万二`, `2万1`, `1万8千6`, `万把块`, `3.2w`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from backend.assistant.days import DAY_IN_PARTS
from backend.kernel.money import MAX_FEN

_DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS: Final = {
    "十": 10, "百": 100, "千": 1_000, "k": 1_000, "万": 10_000, "w": 10_000, "亿": 100_000_000,
}  # fmt: skip
_LITERAL: Final = r"\d+(?:,\d{3})*(?:\.\d+)?"
_NUMBER: Final = re.compile(
    rf"(?:{_LITERAL}|[零〇一二两三四五六七八九十百千万亿]|(?<=\d)[wk](?![a-z]))+", re.ASCII
)
_PARTS: Final = re.compile(rf"{_LITERAL}|.", re.ASCII)
_NO_MONEY_AFTER: Final = re.compile(
    r"\s*(?:[年月号日天岁次级个口人张种周楼点%成折层度科床期倍回趟位代]|多?岁|几)"
)
_COIN_AFTER: Final = re.compile(r"\s*[多来把]?\s*(?:元|块|圆|rmb)")
_ROUGH_AFTER: Final = re.compile(r"[把来]")
_NO_MONEY_BEFORE: Final = re.compile(
    r"(?:[几数第]|(?<!自)负|[-−–~]|\d[./:]|[\d十百千万][至到])\s*$", re.ASCII
)
"""Vague, less than nothing, or the end of a range or of a day (`3000-5000`, `3/9`)."""
_GOES_ON: Final = re.compile(r"\s*[-−–~/:至到]\s*[\d一二两三四五六七八九十]|\.\d", re.ASCII)
_DAY: Final = re.compile(r"20\d\d(?:[01]\d[0-3]\d|\.(?:0?[1-9]|1[0-2]))", re.ASCII)
_TELEPHONE: Final = frozenset(
    {"110", "119", "120", "122", "12315", "12345", "12356", "12393", "96110"}
)
_MOST_DIGITS: Final = 9
"""Before the decimals: more of them are a telephone or somebody's number."""
_LEAST_BARE: Final = 100
"""Yuan: a smaller number without a unit may count anything."""


class Amount(NamedTuple):
    """A sum (fen) at `start` up to `end` of the text."""

    fen: int
    start: int
    end: int


def amounts_in(text: str) -> Iterator[Amount]:
    """The sums of money in a normalised text (`words.normalise`), in order.

    Vague ones (`十几万`, `两三千`, `3-5万`) and those below nothing are left out: the person is
    asked again.
    """
    text = _without_days(text)
    for match in _NUMBER.finditer(text):
        if _is_money(text, match):
            fen = _fen(match[0])
            if fen is not None:
                yield Amount(fen, *match.span())


def amount_answered(text: str) -> int | None:
    """The sum that answers a question about money: a bare number counts too. None: no sum."""
    found = [amount.fen for amount in amounts_in(text)]
    if not found:
        text = _without_days(text)
        bare = [match[0] for match in _NUMBER.finditer(text) if _may_count(text, match)]
        return _fen(bare[0]) if len(bare) == 1 else None
    return found[0] if len(found) == 1 else None


def _without_days(text: str) -> str:
    """The text with every whole day blanked out (`2025-03-09`)."""
    return DAY_IN_PARTS.sub(lambda day: " " * len(day[0]), text)


def _is_money(text: str, match: re.Match[str]) -> bool:
    said, after = match[0], text[match.end() :]
    if not _may_count(text, match):
        return False
    if _UNITS.keys() & set(said) - {"十"} or _COIN_AFTER.match(after):
        return True
    bare = said.replace(",", "")
    return re.fullmatch(_LITERAL, bare, re.ASCII) is not None and Decimal(bare) >= _LEAST_BARE


def _may_count(text: str, match: re.Match[str]) -> bool:
    """Whether the number may be a sum at all: no day, telephone, `一级`, `几万` or `万一`."""
    said, after = match[0], text[match.end() :]
    if _NO_MONEY_BEFORE.search(text[: match.start()]) or _NO_MONEY_AFTER.match(after):
        return False
    if _GOES_ON.match(after):
        return False
    if said[0] in _UNITS and said[0] != "十":
        return _ROUGH_AFTER.match(after) is not None
    if not _COIN_AFTER.match(after) and (said in _TELEPHONE or _DAY.fullmatch(said)):
        return False
    return sum(map(str.isdecimal, said.partition(".")[0])) <= _MOST_DIGITS


def _fen(said: str) -> int | None:
    """None: vague (`两三千`), or more than any bill."""
    yuan = _yuan(said)
    if yuan is None or yuan * 100 > MAX_FEN:
        return None
    return int(yuan * 100)


def _yuan(said: str) -> Decimal | None:
    total = part = Decimal(0)
    digit: Decimal | None = None
    unit = short = 1
    for one in _PARTS.findall(said):
        if one not in _UNITS:
            value = Decimal(_DIGITS[one]) if one in _DIGITS else Decimal(one.replace(",", ""))
            if digit:
                return None
            digit, short = value, unit // 10 if len(one) == 1 and value else 1
            unit = 10 if one in "零〇" else unit
            continue
        unit = _UNITS[one]
        if unit >= _UNITS["万"]:
            alone = not (total or part or digit)
            total, part = (total + part + (digit or (1 if alone else 0))) * unit, Decimal(0)
        else:
            part += (1 if digit is None else digit) * unit
        digit = None
    return total + part + (digit or 0) * max(short, 1)
