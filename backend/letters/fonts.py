"""字体 (fonts): one font with nearly every character of names, and what becomes of the others.

Noto Sans CJK comes with a package, the same on every machine, so that a letter is the same bytes
wherever it is made. A character that it lacks is never printed as an empty box: its number stands
there instead.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

FAMILY: Final = "Noto Sans CJK SC"
_PACKAGE: Final = "manimgx_fonts_cjk"
_FILE: Final = "NotoSansCJK-VF.otf.ttc"
_KEPT: Final = "\n"
_BLANK: Final = frozenset({"Zs", "Zl", "Zp"})
_SELECTORS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""They choose between forms of the character before them; without them it is the usual one."""


def folder() -> Path:
    """Where the font is."""
    return Path(str(files(_PACKAGE)))


@cache
def covered() -> frozenset[int]:
    """The numbers of the characters that the font draws."""
    # Slow to load, and for letters alone.
    from fontTools.ttLib import TTCollection

    with TTCollection(folder() / _FILE, lazy=True) as collection:
        font = next(one for one in collection.fonts if one["name"].getDebugName(1) == FAMILY)
        return frozenset(font.getBestCmap())


def printable(text: str) -> str:
    """The text with the font's characters alone: another one is named, `〔U+323AF〕`."""
    kept = (one for one in text if not any(ord(one) in chosen for chosen in _SELECTORS))
    return "".join(_shown(one) for one in kept)


def _shown(one: str) -> str:
    kind = unicodedata.category(one)
    if one in _KEPT:
        return one
    if one == "\t" or kind in _BLANK:
        return " " if one != "\u3000" else one
    if kind.startswith("C") or ord(one) not in covered():
        return f"〔U+{ord(one):04X}〕"
    return one
