"""先说的一行 (head): what the cleaner's process says before the new file.

A module of its own, so that the process need not load what it has no use for.
"""

from __future__ import annotations

from typing import Final

import msgspec

MOST_CLEANED: Final = 16 * 1024 * 1024
"""Bytes of the new file."""


class Head(msgspec.Struct, frozen=True):
    """What is said of a file before the new one. `refused`: a code of `reasons.REASONS`; "": it
    is taken. `size`: of the new file.
    """

    refused: str = ""
    media: str = ""
    pages: int = 0
    size: int = 0
