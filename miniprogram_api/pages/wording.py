"""字面 (wording): how pages write amounts and clauses."""

from __future__ import annotations

import re
from typing import Any, Final

from flask import Blueprint

from backend.kernel.money import format_yuan

_LONG: Final = re.compile(r"(?<![\d.])\d{4,}(?=\.\d{2}(?!\d))")


def yuan(fen: int) -> str:
    """`10030000` → `100,300.00 元`."""
    return f"{grouped(format_yuan(fen))} 元"


def grouped(text: str) -> str:
    """The text with its amounts in groups of three digits; days and document numbers stay."""
    return _LONG.sub(lambda match: f"{int(match[0]):,}", text)


def clause(anchor: str) -> str:
    """`9` → `第 9 条`; `四(六)` → `条款 四(六)`."""
    return f"第 {anchor} 条" if anchor.isascii() else f"条款 {anchor}"


def offer_wording(pages: Blueprint) -> None:
    """Let every template use them as filters."""
    filters: dict[str, Any] = {"yuan": yuan, "grouped": grouped, "clause": clause}
    for name, function in filters.items():
        pages.add_app_template_filter(function, name)
