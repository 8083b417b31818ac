"""填写 (answers): what may be written into a field, by its type; every refusal says what to write.

A value is text in one spelling: money in yuan with two decimals, days as ISO, choices by code,
several bills by their ids with commas between.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import ClassVar, Final

from backend.kernel.errors import DomainError, Fault
from backend.kernel.money import format_yuan, parse_yuan
from backend.kernel.row_ids import LARGEST_ID
from backend.policies.procedures import LONGEST as LONGEST  # for schemas
from backend.policies.procedures import Field

MOST_BILLS: Final = 60
POINTER: Final = "/value"


class AnswerWrong(DomainError):
    """The value does not fit the field."""

    code: ClassVar[str] = "application-answer-wrong"


class UnknownField(DomainError):
    """The kind of application has no such field."""

    code: ClassVar[str] = "application-unknown-field"


def checked(field: Field, value: str) -> str:
    """The value in its one spelling. Raises `AnswerWrong`."""
    plain = unicodedata.normalize("NFC", value).strip()
    if not plain:
        raise _wrong(field, "还没有填写，请填写后再保存。")
    if len(plain) > field.longest or any(
        unicodedata.category(one) in ("Cc", "Cs") for one in plain
    ):
        raise _wrong(field, f"太长或含有不能显示的字符：请用不超过 {field.longest} 个字写清楚。")
    return _RULES[field.type](field, plain)


def _money(field: Field, text: str) -> str:
    whole, dot, cents = text.replace(",", "").replace("，", "").partition(".")
    try:
        return format_yuan(parse_yuan(f"{whole}.{cents.ljust(2, '0') if dot else '00'}"))
    except ValueError:
        raise _wrong(field, "请填写金额，单位元，最多两位小数，例如 12000 或 12000.50。") from None


def _day(field: Field, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise _wrong(field, "请填写日期，例如 2026-03-05。") from None


def _choice(field: Field, text: str) -> str:
    if text not in {one.code for one in field.choices}:
        known = "、".join(one.label for one in field.choices)
        raise _wrong(field, f"请从这些里选一项：{known}。")
    return text


def _number(field: Field, text: str) -> str:
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise _wrong(field, "请填写一个整数，例如 3。")
    return str(int(text))


def _yes_no(field: Field, text: str) -> str:
    if text not in ("yes", "no"):
        raise _wrong(field, "请选“是”或“否”。")
    return text


def _bills(field: Field, text: str) -> str:
    ids = text.split(",")
    if len(ids) > MOST_BILLS or not all(_is_id(one) for one in ids):
        raise _wrong(field, f"请从列出的费用单里选，最多 {MOST_BILLS} 张。")
    return ",".join(str(one) for one in sorted({int(one) for one in ids}))


def _one_row(field: Field, text: str) -> str:
    if not _is_id(text):
        raise _wrong(field, "请从列出的项目里选一项。")
    return str(int(text))


def _words(_field: Field, text: str) -> str:
    return text


_RULES: Final[Mapping[str, Callable[[Field, str], str]]] = {
    "money": _money,
    "day": _day,
    "choice": _choice,
    "category": _choice,
    "number": _number,
    "yes_no": _yes_no,
    "bills": _bills,
    "grant": _one_row,
    "hospital": _words,
    "diagnosis": _words,
    "text": _words,
}


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text[:13]) <= LARGEST_ID


def _wrong(field: Field, told: str) -> AnswerWrong:
    return AnswerWrong(Fault(POINTER, f"“{field.label}”{told}"))
