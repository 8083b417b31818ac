"""电话 (phone): mobile and landline numbers of the mainland."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MOBILE: Final = r"1[3-9][0-9]{9}"
LANDLINE: Final = r"0(?:10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}"

_SEPARATORS: Final = re.compile(r"[\s\-()]+")
_PREFIX: Final = re.compile(r"(?:\+|00)86(?=1[3-9]|0)")
_NUMBER: Final = re.compile(f"{MOBILE}|{LANDLINE}|[2-9][0-9]{{6,7}}", re.ASCII)


def normalise(text: str) -> str:
    """Full-width characters made plain; blanks, hyphens, brackets and +86 taken away."""
    return _PREFIX.sub("", _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)))


def why_not(number: str) -> str | None:
    """Why a number, normalised and not empty, cannot be one; None: it is in order."""
    if not number.isascii() or not number.isdigit():
        return "电话里有不该有的字符，请填手机号或者带区号的座机号，没有就留空"
    if len(set(number)) == 1:
        return "电话的数字都一样，是占位用的假号；没有电话就留空"
    if not _NUMBER.fullmatch(number):
        return "电话不是 11 位手机号，也不是座机号，请核对；没有就留空"
    return None


def masked(number: str) -> str:
    """A number as it may be shown: `138****5678`; of a short one the last four digits."""
    before = number[:3] if len(number) > 8 else ""
    return f"{before}****{number[-4:]}" if number else ""
