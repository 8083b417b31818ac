"""单元格的类型 (types of cells): text, money, days, years, flags and codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

import polars as pl

from backend.citizens.exchange.parsed import (
    CONTROLS,
    EMPTY,
    EXCEL_ERRORS,
    UNPRINTABLE,
    Explain,
    Parse,
    Parsed,
    plain,
)
from backend.kernel.money import MAX_FEN, format_yuan

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2100, 12, 31)
"""As for estimates (`backend/estimation/checks.py`)."""
LONGEST_TEXT: Final = 200

_MONEY: Final = r"^[0-9]{1,9}(?:\.[0-9]{1,2})?$"
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_FLAGS: Final = {"0": "0", "否": "0", "false": "0", "1": "1", "是": "1", "true": "1"}
_FORMULA: Final = r"^[=+\-@＝＋－＠]"
"""A spreadsheet that opens an exported file would compute what begins so; it also drops a tab or
line end before it, and so does reading."""
_EXPONENT: Final = re.compile(r"[0-9](\.[0-9]+)?[eE]\+[0-9]+", re.ASCII)


def text(
    *, empty: bool = False, longest: int = LONGEST_TEXT, key: bool = False, exported: bool = False
) -> Parse:
    """Free text; blanks inside become one. `key`: a number of something, which Excel can mangle.
    `exported`: comes out again in files, as all keys do."""

    def parse(cells: pl.Series) -> Parsed:
        values = (plain(cells) if key else cells).str.replace_all(r"\s+", " ")
        bad = values.str.contains(f"{CONTROLS}|{EXCEL_ERRORS}") | (values.str.len_chars() > longest)
        if not empty:
            bad |= values == ""
        if key:
            bad |= values.str.contains(f"^{_EXPONENT.pattern}$")
        if key or exported:
            bad |= values.str.contains(_FORMULA)
        return Parsed(values, bad, _why_text(longest))

    return parse


def _why_text(longest: int) -> Explain:
    def explain(cell: str) -> str:
        if not cell:
            return EMPTY
        if re.search(CONTROLS, cell):
            return UNPRINTABLE
        if _EXPONENT.fullmatch(cell):
            return "这个号码被 Excel 当成数字改坏了：请把这一列设为“文本”格式，重新填写"
        if len(cell) > longest:
            return f"这一格太长了，最多 {longest} 个字"
        return "不能以 = + - @ 开头，表格软件会把它当成公式：请填原来的内容，去掉这个符号"

    return explain


def money(*, empty: int | None = None) -> Parse:
    """Yuan with at most two decimals → fen; `empty`: what an empty cell means, None: a fault."""

    def parse(cells: pl.Series) -> Parsed:
        if empty is not None and (cells == "").all():
            return Parsed(_constant(cells, empty), _none_bad(cells), _why_money)
        cells = plain(cells)
        formed = cells.str.contains(_MONEY)
        exact = cells.cast(pl.Decimal(18, 2), strict=False)
        fen = exact.to_physical().cast(pl.Int64)
        bad = ~formed | (fen > MAX_FEN).fill_null(True)
        if empty is not None:
            blank = cells == ""
            bad &= ~blank
            fen = fen.zip_with(~blank, _constant(cells, empty))
        return Parsed(fen, bad, _why_money)

    return parse


def _why_money(cell: str) -> str:
    if not cell:
        return EMPTY
    if re.fullmatch(r"[-－−]\s*[0-9.,，]+|\([0-9.,]+\)", cell):
        return "金额不能是负数，请核对"
    if re.fullmatch(r"[0-9]+\.[0-9]{3,}", cell):
        return "金额最多写两位小数（到分），请核对"
    if re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", cell):
        return f"金额不能超过 {format_yuan(MAX_FEN)} 元，请核对单位"
    if re.fullmatch(r"[0-9]{1,3}([,，][0-9]{3})+(\.[0-9]+)?", cell):
        return "金额里不要写千分位的逗号"
    return "金额要写成数字，单位是元，如 1234.50，不要带文字和符号"


def day(*, empty: bool = False, until: date = LAST_DAY) -> Parse:
    """`YYYY-MM-DD` → `Date`; `empty`: may be left open (null); `until`: what is later is a fault,
    as yet to come."""

    def parse(cells: pl.Series) -> Parsed:
        cells = plain(cells)
        values = cells.str.to_date("%Y-%m-%d", strict=False)
        sound = cells.str.contains(_DAY) & values.is_between(FIRST_DAY, until).fill_null(False)
        bad = ~(sound | (cells == "")) if empty else ~sound
        return Parsed(values, bad, _why_day)

    return parse


def _why_day(cell: str) -> str:
    if not cell:
        return EMPTY
    if not re.fullmatch(_DAY, cell, re.ASCII):
        return "日期要写成 2024-03-01 这样；别的写法请在对照文件的 dates 里写明"
    try:
        told = date.fromisoformat(cell)
    except ValueError:
        return "没有这一天，请核对日期"
    if FIRST_DAY <= told <= LAST_DAY:
        return "这一天还没有到：请核对日期，出院（就诊结束）以后再导入"
    return f"日期要在 {FIRST_DAY} 和 {LAST_DAY} 之间；长期有效的请留空"


def code(words: Mapping[str, str], wrong: str, *, empty: str | None = None) -> Parse:
    """A code, or one of its words, → the code. `empty`: what an empty cell means."""
    known = dict(words) if empty is None else {**words, "": empty}

    def parse(cells: pl.Series) -> Parsed:
        cells = plain(cells)
        different = cells.unique().to_list()
        codes = [known.get(one) for one in different]
        values = cells.replace_strict(different, codes, return_dtype=pl.String)
        return Parsed(values.fill_null(""), values.is_null(), lambda cell: wrong if cell else EMPTY)

    return parse


def flag(*, empty: bool | None = False) -> Parse:
    """0 or 1, 是 or 否 → Boolean; `empty`: what an empty cell means, None: a fault."""
    meant = None if empty is None else str(int(empty))
    as_code = code(_FLAGS, "这一格要填 1（是）或 0（否）", empty=meant)

    def parse(cells: pl.Series) -> Parsed:
        parsed = as_code(cells)
        return Parsed(parsed.values == "1", parsed.bad, parsed.explain)

    return parse


def year(cells: pl.Series) -> Parsed:
    """Four digits → `Int64`."""
    cells = plain(cells)
    values = cells.cast(pl.Int64, strict=False).fill_null(0)
    sound = cells.str.contains("^[0-9]{4}$") & values.is_between(FIRST_DAY.year, LAST_DAY.year)
    return Parsed(values, ~sound, lambda cell: "年份要写成四位数字，如 2024" if cell else EMPTY)


def _constant(cells: pl.Series, value: int) -> pl.Series:
    return pl.repeat(value, len(cells), dtype=pl.Int64, eager=True)


def _none_bad(cells: pl.Series) -> pl.Series:
    return pl.repeat(False, len(cells), dtype=pl.Boolean, eager=True)


def open_word(words: Mapping[str, str], check: Callable[[pl.Series], Parsed]) -> Parse:
    """A code or a word of it; any other text is taken as it is."""

    def parse(cells: pl.Series) -> Parsed:
        parsed = check(cells)
        known = parsed.values.replace_strict(words, default=parsed.values, return_dtype=pl.String)
        return Parsed(known, parsed.bad, parsed.explain)

    return parse
