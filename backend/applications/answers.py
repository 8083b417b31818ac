"""填写 (answers): what may be written into a field, by its type; every refusal says what to write.

A value is text in one spelling: money in yuan with two decimals, days as ISO, choices by code,
several bills by their ids with commas between. Figures may be written in full width.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import ClassVar, Final, Literal

from backend.citizens.phone import normalise, why_not
from backend.kernel.errors import DomainError, Fault
from backend.kernel.money import MAX_FEN, format_yuan, parse_yuan
from backend.kernel.row_ids import LARGEST_ID
from backend.policies.procedures import LONGEST as LONGEST  # for schemas
from backend.policies.procedures import Field

MOST_BILLS: Final = 60
POINTER: Final = "/value"
_AS_WRITTEN: Final = ("text", "hospital", "diagnosis")
_YUAN: Final = re.compile(r"¥?0*(?P<whole>[0-9]+)(?:\.(?P<cents>[0-9]{1,2}))?元?", re.ASCII)


class AnswerWrong(DomainError):
    """The value does not fit the field."""

    code: ClassVar[str] = "application-answer-wrong"


class UnknownField(DomainError):
    """The kind of application has no such field."""

    code: ClassVar[str] = "application-unknown-field"


def checked(field: Field, value: str, today: date) -> str:
    """The value in its one spelling. Raises `AnswerWrong`."""
    form: Literal["NFC", "NFKC"] = "NFC" if field.type in _AS_WRITTEN else "NFKC"
    plain = unicodedata.normalize(form, value).strip()
    if not plain:
        raise _wrong(field, "还没有填写，请填写后再保存。")
    if len(plain) > field.longest or any(
        unicodedata.category(one) in ("Cc", "Cs") for one in plain
    ):
        raise _wrong(field, f"太长或含有不能显示的字符：请用不超过 {field.longest} 个字写清楚。")
    made = _RULES[field.type](field, plain)
    if field.past and made > today.isoformat():
        raise _wrong(field, "还没有到这一天：请核对，填今天或者以前的日期。")
    return made


def _money(field: Field, text: str) -> str:
    written = _YUAN.fullmatch(text.replace(",", "").replace(" ", ""))
    if written is None:
        raise _wrong(field, "请填写金额，单位元，最多两位小数，例如 12000 或 12000.50。")
    try:
        fen = parse_yuan(f"{written['whole']}.{(written['cents'] or '').ljust(2, '0')}")
    except ValueError:
        raise _wrong(field, _too_large(MAX_FEN // 100)) from None
    if field.least is not None and fen < field.least * 100:
        raise _wrong(field, f"请填写不少于 {field.least} 元的金额。")
    if field.most is not None and fen > field.most * 100:
        raise _wrong(field, _too_large(field.most))
    return format_yuan(fen)


def _too_large(most: int) -> str:
    return f"金额太大，最多 {most} 元：请核对是不是多写了几个 0，单位是元。"


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
    if field.least is not None and int(text) < field.least:
        raise _wrong(field, f"请核对：最少填 {field.least}。")
    if field.most is not None and int(text) > field.most:
        raise _wrong(field, f"请核对：最多填 {field.most}。")
    return str(int(text))


def _phone(field: Field, text: str) -> str:
    number = normalise(text)
    if why_not(number):
        raise _wrong(field, "请填写能打通的号码：11 位手机号，或者带区号的座机号。")
    return number


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
    "phone": _phone,
}


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text[:13]) <= LARGEST_ID


def _wrong(field: Field, told: str) -> AnswerWrong:
    return AnswerWrong(Fault(POINTER, f"“{field.label}”{told}"))
