"""取值 (fields): what may stand in the fields of a WeChat message, by WeChat's table of values.

A field's kind is the letters of its key (`thing1`). Words for people are cut to the length that is
taken; what loses its meaning when it is cut (numbers, days, codes) is refused instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

_KEY: Final = re.compile(r"([a-z_]+?)\d{1,2}", re.ASCII)
_HAN: Final = re.compile(r"[㐀-䶿一-鿿]")
_MONTH, _DAY = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12][0-9]|3[01])"
_DATE: Final = (
    rf"(?:[0-9]{{4}}年{_MONTH}月(?:{_DAY}日)?|{_MONTH}月{_DAY}日"
    rf"|[0-9]{{4}}(?P<mark>[-/.]){_MONTH}(?:(?P=mark){_DAY})?|{_MONTH}[-/.]{_DAY})"
)
_TIME: Final = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
_MORE: Final = "…"


class FieldUnfit(ValueError):
    """WeChat would not take this value; `key` says where. The value is not repeated."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} does not take this value")
        self.key = key


def fitted(key: str, text: str, choices: Sequence[str] = ()) -> str:
    """The text as the field takes it, cut where words are too many. Raises `FieldUnfit`.

    `choices`: the values of an enum.
    """
    kind, plain = _KEY.fullmatch(key), _one_line(text)
    if kind is None or not plain:
        raise FieldUnfit(key)
    if kind[1] == "enum":
        found = plain if plain in choices else None
    else:
        found = _RULES.get(kind[1], _refused)(plain)
    if not found:
        raise FieldUnfit(key)
    return found


def day_text(day: date) -> str:
    """A day as it is written in Chinese, and as date fields take it."""
    return f"{day.year}年{day.month}月{day.day}日"


def _one_line(text: str) -> str:
    """Without line breaks and control characters; what only directs the writing goes too."""
    kept = (one for one in text if unicodedata.category(one) != "Cf")
    broken = (" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in kept)
    return " ".join("".join(broken).split())


def _cut(longest: int) -> Callable[[str], str]:
    return lambda text: text if len(text) <= longest else text[: longest - 1] + _MORE


def _matching(pattern: str) -> Callable[[str], str | None]:
    compiled = re.compile(pattern)
    return lambda text: text if compiled.fullmatch(text) else None


def _span(pattern: str) -> Callable[[str], str | None]:
    """One moment, or two with ~ between."""
    one = re.compile(pattern)

    def taken(text: str) -> str | None:
        parts = text.split("~")
        return text if len(parts) <= 2 and all(map(one.fullmatch, parts)) else None

    return taken


def _name(text: str) -> str | None:
    """No digits: a name has none, and a number may be somebody's."""
    if any(one.isdigit() for one in text):
        return None
    return _cut(10 if _HAN.search(text) else 20)(text)


def _phrase(text: str) -> str | None:
    return text[:5] if all(map(_HAN.fullmatch, text)) else None


def _number(text: str) -> str | None:
    return text if len(text) <= 32 and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else None


def _symbol(text: str) -> str | None:
    bare = not any(one.isalnum() or one.isspace() for one in text)
    return text if bare and len(text) <= 5 else None


def _refused(_text: str) -> None:
    return None


_RULES: Final[dict[str, Callable[[str], str | None]]] = {
    "thing": _cut(20),
    "name": _name,
    "phrase": _phrase,
    "number": _number,
    "letter": _matching(r"[A-Za-z]{1,32}"),
    "symbol": _symbol,
    "character_string": _matching(r"[ -~]{1,32}"),
    "time": _span(rf"(?:{_DATE} ?)?{_TIME}"),
    "date": _span(rf"{_DATE}(?: ?{_TIME})?"),
    "amount": _matching(r"[¥￥$€£]?[0-9]{1,10}(?:\.[0-9]+)?元?"),
    "phone_number": _matching(r"[-+*() 0-9]{1,17}"),
    "car_number": _matching(r"[㐀-䶿一-鿿A-Za-z0-9][A-Za-z0-9]{1,6}[㐀-䶿一-鿿A-Za-z0-9]?"),
}
