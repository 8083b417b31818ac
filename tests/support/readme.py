"""The READMEs read as what they promise: commands, and the answers shown below them.

A block marked `sh` is run; the `json` or `text` block that follows it is its answer, shortened. A
block marked `console` is only shown. In an answer, members and list items may be left out, and `…`
stands for the rest of a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.S | re.M)


@dataclass(frozen=True)
class Block:
    """A fenced block; `line`: where it begins."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Example:
    """A command that is run, and the answer shown for it, if one is."""

    command: str
    line: int
    shown: Block | None


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a file, in its order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(found["kind"], found["text"], text.count("\n", 0, found.start()) + 1)
        for found in _BLOCK.finditer(text)
    ]


def examples(path: Path) -> list[Example]:
    """The commands of a file that are run, without the one that starts the demo."""
    found = blocks(path)
    followers: Sequence[Block | None] = [*found[1:], None]
    return [
        Example(block.text, block.line, _answer(follower))
        for block, follower in zip(found, followers, strict=True)
        if block.kind == "sh" and block.text.strip() != "script/demo"
    ]


def _answer(block: Block | None) -> Block | None:
    return block if block is not None and block.kind in ("json", "text") else None


def disagreements(shown: Block, given: str) -> list[str]:
    """Where an answer differs from the one that is shown."""
    if shown.kind == "json":
        return list(_json(json.loads(shown.text), json.loads(given), ""))
    return list(_items(shown.text.splitlines(), given.splitlines(), ""))


def _json(shown: Any, given: Any, at: str) -> Iterator[str]:
    if isinstance(shown, dict) and isinstance(given, dict):
        for key, value in shown.items():
            if key in given:
                yield from _json(value, given[key], f"{at}/{key}")
            else:
                yield f"{at}/{key} is not in the answer"
    elif isinstance(shown, list) and isinstance(given, list):
        yield from _items(shown, given, at)
    elif isinstance(shown, str) and isinstance(given, str):
        if not re.fullmatch(".*".join(map(re.escape, shown.split("…"))), given, re.S):
            yield f"{at}: shown {shown!r}, given {given!r}"
    elif shown != given or type(shown) is not type(given):
        yield f"{at}: shown {shown!r}, given {given!r}"


def _items(shown: list[Any], given: list[Any], at: str) -> Iterator[str]:
    """Each item shown is among those given, in the same order; none shown: none given."""
    if not shown and given:
        yield f"{at}: shown empty, given {given!r}"
    start = 0
    for number, item in enumerate(shown):
        while start < len(given) and list(_json(item, given[start], "")):
            start += 1
        if start == len(given):
            yield f"{at}/{number} is not in the answer: {item!r}; the answer has {given!r}"
            return
        start += 1
