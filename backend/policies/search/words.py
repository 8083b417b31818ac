"""分词 (words): a text as the terms by which it is found, each with its place.

The same for clauses and questions: simplified characters, half-width, lower case; then words,
pairs of neighbouring characters (which carry what the segmenter cuts wrongly) and numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from zhconv_rs import zhconv

Kind = Literal["word", "pair", "character", "number", "idea"]


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a normalised text at `start` up to `end` (characters)."""

    text: str
    kind: Kind
    start: int
    end: int


_RUN: Final = re.compile(r"[㐀-鿿]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LATIN: Final = re.compile(r"[a-z][a-z0-9]*|\d(?:\+\d)+")
_FUNCTION: Final = frozenset(
    "的了吗呢啊吧么呀嘛哦噢呗着过是我你您他她它们就都也还又很把被让给得地这那哪个"
)
"""Characters of grammar: a pair across words that holds one says nothing."""
_ANY_QUESTION: Final = """
    怎么 什么 可以 没有 一个 这个 那个 我们 你们 他们 人家 还是 但是 因为 所以 如果 现在 知道
    请问 一下 时候 这样 那样 自己 怎样 哪些 这些 那些 有没有 是不是 能不能 要不要 可不可以
    还要 还有 不要 不能 就是 的话 到底 为什么 为啥 咋办 怎么办 多少 几个 不是 只是 已经 应该 一样
"""
_EMPTY: Final = frozenset(_ANY_QUESTION.split())
"""Words that stand in any question."""

_DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS: Final = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_NUMBER: Final = re.compile(
    r"(?P<share>百分之)?(?<![几数])(?:(?P<arabic>\d[\d,]*(?:\.\d+)?)(?P<scale>[百千万亿]*)"
    r"|(?P<chinese>[零〇一二两三四五六七八九十][零〇一二两三四五六七八九十百千万亿]*))"
    r"\s*(?P<unit>[%成元块岁天周月年次种条级人个项]?)"
)


def normalise(text: str) -> str:
    """Simplified, half-width, lower case; of the same length, so that places still hold."""
    narrow = unicodedata.normalize("NFKC", text).lower()
    if len(narrow) != len(text) or _SURROGATE.search(narrow):
        narrow = "".join(_narrow(character) for character in text)
    simplified = zhconv(narrow, "zh-hans")
    if len(simplified) == len(narrow):
        return simplified
    return "".join(_same_length(zhconv(one, "zh-hans"), one) for one in narrow)


def terms_of(text: str) -> Iterator[Term]:
    """The terms of a normalised text, a repeated one each time it stands there."""
    # It reads its dictionary when it is imported: only who searches waits for that.
    import rjieba

    words: set[tuple[int, int]] = set()
    for word, start, end in rjieba.tokenize(text, "search"):
        if end - start > 1 and _RUN.fullmatch(word):
            words.add((start, end))
            if word not in _EMPTY:
                yield Term(word, "word", start, end)
    yield from _pairs(text, words)
    yield from _characters(text)
    for match in _LATIN.finditer(text):
        yield Term(match[0], "word", *match.span())
    yield from _numbers(text)


def _narrow(character: str) -> str:
    if _SURROGATE.match(character):
        return " "
    return _same_length(unicodedata.normalize("NFKC", character).lower(), character)


def _same_length(changed: str, character: str) -> str:
    return changed if len(changed) == 1 else character


def _pairs(text: str, words: set[tuple[int, int]]) -> Iterator[Term]:
    for run in _RUN.finditer(text):
        for start in range(run.start(), run.end() - 1):
            pair = text[start : start + 2]
            if (start, start + 2) not in words and not _FUNCTION.intersection(pair):
                yield Term(pair, "pair", start, start + 2)


def _characters(text: str) -> Iterator[Term]:
    for run in _RUN.finditer(text):
        for start in range(run.start(), run.end()):
            if text[start] not in _FUNCTION:
                yield Term(text[start], "character", start, start + 1)


def _numbers(text: str) -> Iterator[Term]:
    for match in _NUMBER.finditer(text):
        value = _value(match)
        if match["share"] or match["unit"] == "%":
            yield Term(f"{value:.10g}%", "number", *match.span())
        elif match["unit"] == "成" and value <= 10:
            yield Term(f"{value * 10:.10g}%", "number", *match.span())
        elif value > 1 and (value >= 10 or match["unit"] or match["scale"]):
            yield Term(f"#{value:.10g}", "number", match.start(), match.end() - len(match["unit"]))


def _value(match: re.Match[str]) -> float:
    if match["arabic"] is None:
        return _chinese(match["chinese"])
    value = float(match["arabic"].replace(",", ""))
    for unit in match["scale"]:
        value *= _UNITS[unit]
    return value


def _chinese(numeral: str) -> int:
    """`三十万` → 300,000; `一千五` → 1,500; `三万五` → 35,000."""
    total = part = digit = 0
    unit = 10
    for character in numeral:
        if character in _DIGITS:
            digit, unit = _DIGITS[character], 10 if _DIGITS[character] == 0 else unit
            continue
        unit = _UNITS[character]
        if unit >= 10_000:
            total, part = (total + part + digit) * unit, 0
        else:
            part += (digit or 1) * unit
        digit = 0
    short = unit >= 100 and digit and numeral[-2] not in "零〇"
    return total + part + (digit * unit // 10 if short else digit)
