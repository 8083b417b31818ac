"""取值规则 (values): what each kind of field of a subscribe message takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from backend.wechat.simulator.state import Template

_MONTH, _DAY = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_DATE: Final = (
    rf"(?:\d{{4}}年{_MONTH}月(?:{_DAY}日)?|{_MONTH}月{_DAY}日"
    rf"|\d{{4}}([-/.]){_MONTH}(?:\1{_DAY})?|{_MONTH}[-/.]{_DAY})"
)
_TIME: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_KEY: Final = re.compile(r"([a-z_]+?)\d{1,2}")
_SLOT: Final = re.compile(r"\{\{(\w+)\.DATA\}\}")
_HAN: Final = re.compile(r"[㐀-䶿一-鿿]")


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _spans(one: str) -> Callable[[str], bool]:
    """One moment, or two with ~ between."""
    matches = _matches(one)
    return lambda value: value.count("~") <= 1 and all(map(matches, value.split("~")))


def _symbols(value: str) -> bool:
    return len(value) <= 5 and not any(one.isalnum() or one.isspace() for one in value)


def _name(value: str) -> bool:
    longest = 10 if _HAN.search(value) else 20
    return len(value) <= longest and not any(one.isdigit() for one in value)


RULES: Final[dict[str, Callable[[str], bool]]] = {
    "thing": lambda value: len(value) <= 20,
    "number": lambda value: _matches(r"-?\d+(?:\.\d+)?")(value) and len(value) <= 32,
    "letter": _matches(r"[A-Za-z]{1,32}"),
    "symbol": _symbols,
    "character_string": _matches(r"[ -~]{1,32}"),
    "time": _spans(rf"(?:{_DATE} ?)?{_TIME}"),
    "date": _spans(rf"{_DATE}(?: ?{_TIME})?"),
    "amount": _matches(r"[¥￥$€£]?\d{1,10}(?:\.\d+)?元?"),
    "phone_number": _matches(r"[-+*() \d]{1,17}"),
    "car_number": _matches(r"[㐀-䶿一-鿿A-Za-z0-9][A-Za-z0-9]{1,6}[㐀-䶿一-鿿A-Za-z0-9]?"),
    "name": _name,
    "phrase": _matches(r"[㐀-䶿一-鿿]{1,5}"),
}
"""The kind of a key (its letters), and whether a value is taken. `enum` is the template's own."""


def keys_of(template: Template) -> list[str]:
    """The keys that a message by a template must fill."""
    return _SLOT.findall(template.content)


def fits(template: Template, key: str, value: str) -> bool:
    """Whether the platform takes a value there."""
    if not value.strip() or any(unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in value):
        return False
    kind = _KEY.fullmatch(key)
    if kind is not None and kind[1] == "enum":
        return value in template.enums.get(key, [])
    return kind is not None and kind[1] in RULES and RULES[kind[1]](value)
