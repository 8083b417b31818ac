"""人和地的单元格 (cells of people and places): identity numbers, telephones, areas, diagnoses."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from backend.citizens import id_number, phone
from backend.citizens.exchange.parsed import EMPTY, Explain, Parse, Parsed, plain
from backend.kernel import areas

_AREA: Final = r"^[0-9]{12}$"
_NUMBER: Final = r"^[0-9]{17}[0-9X]$"
_ICD: Final = r"^[A-Z][0-9]{2}(?:\.?[0-9X][0-9A-Z]{0,9})?[+*]?$"


def area(cells: pl.Series) -> Parsed:
    """Twelve digits, in a county that exists → `Int64`."""
    cells = plain(cells)
    counties = cells.str.slice(0, 6)
    known = [one for one in counties.unique().to_list() if areas.is_area(one)]
    sound = cells.str.contains(_AREA) & counties.is_in(known)
    return Parsed(cells.cast(pl.Int64, strict=False).fill_null(0), ~sound, _why_area)


def _why_area(cell: str) -> str:
    if not cell:
        return EMPTY
    if not re.fullmatch(_AREA, cell, re.ASCII):
        return "区划代码应当是 12 位数字（县 6 位、乡镇 3 位、村 3 位），没有的位补 0"
    return (
        "区划代码的前 6 位不是现行的县（市、区），请核对；"
        "开发区等没有国标代码的，请按所在的县填写，或者在对照文件的 areas 里写明"
    )


def person_number(today: date, *, empty: bool = False) -> Parse:
    """An identity number by GB 11643 → text, normalised."""

    def parse(cells: pl.Series) -> Parsed:
        values = plain(cells).str.to_uppercase()
        sound = _sound_numbers(values, today)
        bad = ~(sound | (values == "")) if empty else ~sound
        mangled = values.str.ends_with("000")
        # What Excel mangled passes the check one time in eleven: not beside one that did not.
        if (bad & mangled).any():
            bad |= mangled
        return Parsed(values, bad, _why_number(today))

    return parse


def _why_number(today: date) -> Explain:
    def explain(cell: str) -> str:
        return id_number.why_not(id_number.normalise(cell), today) or id_number.MANGLED

    return explain


def _sound_numbers(values: pl.Series, today: date) -> pl.Series:
    formed = values.str.contains(_NUMBER)
    chosen = values.filter(formed)
    matrix = np.frombuffer("".join(chosen.to_list()).encode(), np.uint8).reshape(-1, 18)
    digits = matrix[:, :17].astype(np.int64) - ord("0")
    checks = np.frombuffer(id_number.CHECKS.encode(), np.uint8)
    checked = checks[digits @ np.array(id_number.WEIGHTS) % 11] == matrix[:, 17]
    born = birth_days(chosen).is_between(id_number.FIRST_BIRTH, today).fill_null(False)
    one_digit = (digits == digits[:, :1]).all(axis=1) & (matrix[:, 17] == matrix[:, 0])
    foreign = chosen.str.starts_with(id_number.FOREIGN)
    place = chosen.str.slice(1, 2).zip_with(foreign, chosen.str.slice(0, 2))
    known = place.is_in(list(id_number.PROVINCES))
    sound = np.zeros(len(values), dtype=np.bool_)
    sound[formed.to_numpy()] = checked & (born & known).to_numpy() & ~one_digit
    return pl.Series(sound)


def birth_days(numbers: pl.Series) -> pl.Series:
    """The days of birth in identity numbers, null where there is none."""
    return numbers.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)


def phone_number(cells: pl.Series) -> Parsed:
    """A telephone number or nothing → text, normalised."""
    values = plain(cells).str.replace_all(r"[\s\-()]+", "")
    values = values.str.replace(r"^(?:\+|00)86(1[3-9]|0)", "$1")
    mobile = values.str.contains(f"^{phone.MOBILE}$") | (values == "")
    odd = values.filter(~mobile).to_list()
    bad = np.zeros(len(values), dtype=np.bool_)
    bad[~mobile.to_numpy()] = [phone.why_not(one) is not None for one in odd]
    return Parsed(values, pl.Series(bad), _why_phone)


def _why_phone(cell: str) -> str:
    return phone.why_not(phone.normalise(cell)) or EMPTY


def diagnosis(cells: pl.Series) -> Parsed:
    """A code of ICD-10 (with the national extensions, `I63.900X001`) or nothing → upper case."""
    values = plain(cells).str.to_uppercase()
    sound = values.str.contains(_ICD) | (values == "")
    reason = "诊断要写 ICD-10 编码，如 I63.900，一格一个，不写病名；没有就留空"
    return Parsed(values, ~sound, lambda cell: reason)
