"""Bases of all schemas, and how marshmallow's messages become faults with JSON pointers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from marshmallow import EXCLUDE, RAISE, Schema

from backend.kernel.errors import Fault

MOST_FAULTS: Final = 100
LONGEST_POINTER: Final = 200
UNKNOWN: Final = "没有这一项，请去掉，或按说明改正名称。"
NOT_AN_OBJECT: Final = "请填写一个 JSON 对象，用花括号括起来。"


class StrictSchema(Schema):
    """Base of what is sent to us: an unknown field is refused. Declared as instances, never classes
    (a class is built anew at every request).
    """

    error_messages = {"unknown": UNKNOWN, "type": NOT_AN_OBJECT}

    class Meta:
        unknown = RAISE


class AnswerSchema(Schema):
    """Base of what we answer: later versions may add fields."""

    class Meta:
        unknown = EXCLUDE


def faults_of(messages: Any) -> tuple[Fault, ...]:
    """The faults in a `ValidationError`'s messages, ordered by pointer, at most `MOST_FAULTS`."""
    found = sorted(set(_walk(messages, "")))[:MOST_FAULTS]
    return tuple(Fault(pointer[:LONGEST_POINTER], detail) for pointer, detail in found)


def _walk(messages: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _walk(inner, pointer if key == "_schema" else f"{pointer}/{_escape(key)}")
    elif isinstance(messages, list):
        for inner in messages:
            yield from _walk(inner, pointer)
    else:
        yield pointer, str(messages)


def _escape(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
