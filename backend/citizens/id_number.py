"""公民身份号码 (identity number): GB 11643, 17 digits and a check character.

Residence permits of people from Hong Kong, Macau and Taiwan (81, 82, 83) have the same form, and so
have the identity cards of foreign permanent residents since 2023: 9, the province, the country. The
county in the first six digits is that of the first registration and may long be abolished: only a
province that never was (GB/T 2260) refuses a number.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from enum import IntEnum
from typing import Final

LENGTH: Final = 18
WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS: Final = "10X98765432"
FIRST_BIRTH: Final = date(1880, 1, 1)
PROVINCES: Final = frozenset(
    f"{code}"
    for codes in (
        range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55),
        range(61, 66), (71, 81, 82, 83),
    )
    for code in codes
)  # fmt: skip
"""The two digits of a province, and of residence permits."""
FOREIGN: Final = "9"
"""The first digit of foreign permanent residents; the province follows it."""

MANGLED: Final = "身份证号被 Excel 当成数字改坏了：请把这一列设为“文本”格式，重新填写原号码"
"""Excel keeps 15 digits of a number and writes zeros, or an exponent, for the rest."""
NO_PROVINCE: Final = (
    "身份证号的前两位不是省级代码（外国人永久居留身份证是 9 后面的两位），请对照证件逐位核对"
)

_FORM: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_OLD: Final = re.compile(r"[0-9]{15}", re.ASCII)
_EXPONENT: Final = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]+|[0-9]+\.[0-9]+", re.ASCII)


class Sex(IntEnum):
    """性别, as stored."""

    UNKNOWN = 0
    MALE = 1
    FEMALE = 2


def normalise(text: str) -> str:
    """Full-width characters made plain, blanks around cut off, `x` made `X`; checks nothing."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def born_on(number: str) -> date | None:
    """The day of birth; None where the number (normalised) has none."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex(number: str) -> Sex:
    """The sex that a valid number states: the 17th digit is odd for men."""
    return Sex.MALE if int(number[16]) % 2 else Sex.FEMALE


def check_character(first_17: str) -> str:
    """The 18th character that belongs to 17 digits (ISO 7064, MOD 11-2)."""
    digits = zip(first_17, WEIGHTS, strict=True)
    return CHECKS[sum(int(digit) * weight for digit, weight in digits) % 11]


def why_not(number: str, today: date) -> str | None:
    """Why a number, normalised, cannot be one; a Chinese sentence, or None: it is in order."""
    if (reason := _ill_formed(number)) is not None:
        return reason
    born = born_on(number)
    if born is None:
        return "身份证号里的出生日期不存在，请核对第 7 到 14 位"
    if born > today:
        return "身份证号里的出生日期还没有到，请核对第 7 到 14 位"
    if born < FIRST_BIRTH:
        return f"身份证号里的出生日期早于 {FIRST_BIRTH.year} 年，请核对第 7 到 14 位"
    if number[17] == check_character(number[:17]):
        return None if province(number) in PROVINCES else NO_PROVINCE
    if number.endswith("000"):
        return MANGLED
    return "身份证号的校验码不对，请对照身份证逐位核对"


def province(number: str) -> str:
    """The two digits that should be a province's, of a number in its form."""
    return number[1:3] if number.startswith(FOREIGN) else number[:2]


def _ill_formed(number: str) -> str | None:
    if not number:
        return "身份证号是空的，请补上"
    if _EXPONENT.fullmatch(number):
        return MANGLED
    if _OLD.fullmatch(number):
        return "这是 15 位的老身份证号，请换成 18 位的现用号码"
    if len(number) != LENGTH:
        return "身份证号应当是 18 位，请核对位数"
    if not _FORM.fullmatch(number):
        return "身份证号里有不该有的字符：前 17 位是数字，最后一位是数字或 X"
    if len(set(number)) == 1:
        return "身份证号的每一位都一样，是占位用的假号，请换成真实号码"
    return None


def masked(number: str) -> str:
    """A number as it may be shown: three digits before, four behind."""
    return f"{number[:3]}{'*' * (LENGTH - 7)}{number[-4:]}" if len(number) == LENGTH else ""
