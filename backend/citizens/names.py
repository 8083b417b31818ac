"""姓名 (names): whether two ways of writing are one name; how it is shown to others."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 60
_DOTS: Final = re.compile("[•・‧∙⋅･.．]")
"""Keyboards have many dots for the one in `阿依古丽·买买提`."""


def normalise(name: str) -> str:
    """One spelling: full-width forms narrow, no blanks, one kind of dot, capitals."""
    plain = "".join(unicodedata.normalize("NFKC", name).split())
    return _DOTS.sub("·", plain).upper()


def same(one: str, other: str) -> bool:
    """Whether both are the same name; an empty one is nobody's."""
    return normalise(one) != "" and normalise(one) == normalise(other)


def masked(name: str) -> str:
    """A name as others may see it: `张**`."""
    return name[:1] + "*" * (len(name) - 1)
