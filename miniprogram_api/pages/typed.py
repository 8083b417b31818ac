"""手写的数 (typed): amounts, days and percentages as people type them on a form."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

from backend.kernel.money import MAX_FEN, format_yuan

_GROUPED: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", re.ASCII)
_AMOUNT: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]{0,2}))?", re.ASCII)
_DAY: Final = re.compile(
    r"([0-9]{4})(?:([0-9]{2})([0-9]{2})|[-./年]([0-9]{1,2})[-./月]([0-9]{1,2})[日号]?)", re.ASCII
)
_PERCENT: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%?", re.ASCII)


class Unreadable(ValueError):
    """What was typed cannot be understood; the message says how to write it."""


def amount(text: str) -> int:
    """Fen: `1,234.5`, `１２３４`, `￥1234 元` are taken. Raises `Unreadable`."""
    plain = _plain(text).removeprefix("¥").removesuffix("元").removesuffix("块")
    if plain.startswith(("-", "\N{MINUS SIGN}", "负")):
        raise Unreadable("金额不能是负数，请核对结算单。")
    if re.search("[万千百亿]", plain):
        raise Unreadable("请把“万”“千”写成数字，比如 1 万 2 千写成 12000。")
    match = _AMOUNT.fullmatch(plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain)
    if match is None:
        raise Unreadable("请只写数字，最多两位小数，比如 12000 或 12000.50。")
    fen = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if fen > MAX_FEN:
        raise Unreadable(f"金额不能超过 {format_yuan(MAX_FEN)} 元，请核对。")
    return fen


def day(text: str) -> date:
    """A day: `20240309`, `2024-3-9`, `2024年3月9日` are taken. Raises `Unreadable`."""
    match = _DAY.fullmatch(_plain(text))
    if match is None:
        raise Unreadable("请按年月日写，比如 20240309，或 2024-3-9。")
    year, month, number = match[1], match[2] or match[4], match[3] or match[5]
    try:
        return date(int(year), int(month), int(number))
    except ValueError:
        raise Unreadable("没有这一天，请核对月份和日子。") from None


def percent(text: str) -> int:
    """A rate in 1/10,000 from a percentage: `60`, `60%`, `62.5`. Raises `Unreadable`."""
    match = _PERCENT.fullmatch(_plain(text))
    if match is None:
        raise Unreadable("请写百分数，比如报六成写 60。")
    rate = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if not 100 <= rate <= 10_000:
        raise Unreadable("请写 1 到 100 之间的百分数，比如报六成写 60。")
    return rate


def _plain(text: str) -> str:
    """Half-width, without spaces, the thousands comma as people have it on their keyboard."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).replace("￥", "¥")
