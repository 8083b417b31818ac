"""写法 (spellings): days, amounts and area codes as departments write them → the contract's text.

What does not fit is given back as it is: the check of the cell says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

DAY_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "YYYY/M/D": re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})"),
    "YYYY-M-D": re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"),
    "YYYY.M.D": re.compile(r"([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})"),
    "YYYYMMDD": re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})"),
    "YYYY年M月D日": re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日"),
}
"""Ways of writing a day that a mapping file may name."""

_MIDNIGHT: Final = re.compile(r"[ T]00:00(:00)?(\.0+)?$")
_AMOUNT: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)


def as_iso(day: str, forms: Sequence[str]) -> str:
    """`2024年3月1日` → `2024-03-01`; a time of midnight after it is left out."""
    bare = _MIDNIGHT.sub("", day)
    for form in forms:
        if match := DAY_FORMS[form].fullmatch(bare):
            year, month, of_month = match.groups()
            return f"{year}-{month:0>2}-{of_month:0>2}"
    return day


def shifted(amount: str, places: int) -> str:
    """An amount times ten to the power of `places`: (`1.2345`, 4) → `12345`, (`5`, -2) → `0.05`."""
    match = _AMOUNT.fullmatch(amount)
    if match is None:
        return amount
    whole, fraction = match[1], match[2] or ""
    if places < 0:
        whole = whole.zfill(1 - places)
        whole, fraction = whole[:places], whole[places:] + fraction
    else:
        fraction = fraction.ljust(places, "0")
        whole, fraction = whole + fraction[:places], fraction[places:]
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def as_county(code: str, counties: Mapping[str, str]) -> str:
    """An area code with its first six digits replaced, where they stand in `counties`."""
    return counties.get(code[:6], code[:6]) + code[6:]
