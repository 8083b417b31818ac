"""字面 (wording): how the chat writes amounts, days and clauses."""

from __future__ import annotations

from datetime import date
from typing import Final

from backend.kernel.money import format_yuan

LONGEST: Final = 600
"""Characters of one message: WeChat takes 2,048 bytes."""


def yuan(fen: int) -> str:
    """`3200000` → `32,000 元`, `1050` → `10.50 元`."""
    whole, _, rest = format_yuan(fen).partition(".")
    return f"{int(whole):,}{'' if rest == '00' else f'.{rest}'} 元"


def day(one: date) -> str:
    """`2024年3月9日`."""
    return f"{one.year}年{one.month}月{one.day}日"


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, or as many of its whole sentences as fit."""
    if len(text) <= longest:
        return text
    cut = max(text.rfind(mark, 0, longest) for mark in "。！？\n")
    return text[: cut + 1] if cut > 0 else f"{text[: longest - 1]}…"
