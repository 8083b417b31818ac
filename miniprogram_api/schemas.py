"""Bases of all schemas, and how marshmallow's messages become faults with JSON pointers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, missing

from backend.kernel.errors import Fault
from miniprogram_api.fields import DirectField

Loader = Callable[..., Any]

MOST_FAULTS: Final = 100
LONGEST_POINTER: Final = 200
UNKNOWN: Final = "没有这一项，请去掉，或按说明改正名称。"
NOT_AN_OBJECT: Final = "请填写一个 JSON 对象，用花括号括起来。"


class StrictSchema(Schema):
    """Base of what is sent to us: an unknown field is refused. Declared as instances, never classes
    (a class is built anew at every request).

    Loads by itself, several times as fast as marshmallow's general way, which takes over where a
    schema has hooks (`post_load` and the like) or options are given.
    """

    error_messages = {"unknown": UNKNOWN, "type": NOT_AN_OBJECT}

    class Meta:
        unknown = RAISE

    def make(self, taken: dict[str, Any]) -> Any:
        """What the loaded fields become: themselves, or a schema's own dataclass."""
        return taken

    def load(self, data: Any, **options: Any) -> Any:
        """What was sent, as `make` makes it; raises `ValidationError` with every fault."""
        if self._hooks or any(option is not None for option in options.values()):
            return self.make(super().load(data, **options))
        if not isinstance(data, dict):
            raise ValidationError({"_schema": [NOT_AN_OBJECT]})
        taken: dict[str, Any] = {}
        faults: dict[str, Any] = {}
        for key, name, present, absent in self._plan:
            value = data.get(key, missing)
            try:
                if value is None or value is missing:
                    taken[name] = absent(value)
                else:
                    taken[name] = present(value, key, data)
            except ValidationError as error:
                faults[key] = error.messages
        if not self._keys.issuperset(data):
            faults.update({key: [UNKNOWN] for key in data if key not in self._keys})
        if faults:
            raise ValidationError(faults)
        return self.make(taken)

    @cached_property
    def _plan(self) -> tuple[tuple[str, str, Loader, Loader], ...]:
        """Of each field: key, name, and what loads it when it is there and when it is not."""
        return tuple(
            (field.data_key or name, field.attribute or name, *_loaders(field))
            for name, field in self.load_fields.items()
        )

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(key for key, *_ in self._plan)


def _loaders(field: fields.Field[Any]) -> tuple[Loader, Loader]:
    if isinstance(field, DirectField) and not field.validators:
        return field._deserialize, field.absent
    return field.deserialize, field.deserialize


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
