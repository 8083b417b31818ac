"""组合字段 (structures): objects, lists and maps made of the fields in `fields`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import marshmallow
from marshmallow import ValidationError, fields

from miniprogram_api.fields import COMMON, JSON, ApiField, DirectField
from miniprogram_api.schemas import MOST_FAULTS


class Map(ApiField):
    """A JSON object from known codes to values of one kind, any of them left out."""

    default_error_messages = {
        "invalid": "请填写一个 JSON 对象，如 {example}。",
        "unknown": "没有这个代码，请从这些中选：{codes}。",
    }

    def __init__(
        self,
        description: str,
        names: Mapping[str, str] | Collection[str],
        value: ApiField,
        **options: Any,
    ) -> None:
        super().__init__(description, **options)
        self.names, self.value = names, value

    def json_schema(self) -> JSON:
        names = self.names if isinstance(self.names, Mapping) else dict.fromkeys(self.names, "")
        value = self.value.json_schema()
        described = {
            code: {**value, "description": name} if name else value for code, name in names.items()
        }
        return {"type": "object", "properties": described, "additionalProperties": False}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> JSON:
        if not isinstance(value, dict):
            raise self.make_error("invalid", example="{…}")
        taken: JSON = {}
        faults: JSON = {}
        for code, one in value.items():
            try:
                taken[code] = self._one(code, one)
            except ValidationError as error:
                faults[code] = error.messages
        if faults:
            raise ValidationError(faults)
        return taken

    def _one(self, code: str, value: Any) -> Any:
        if code not in self.names:
            raise self.make_error("unknown", codes="、".join(self.names))
        return self.value.deserialize(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        if value is None:
            return None
        return {code: self.value._serialize(one, code, value) for code, one in value.items()}


class Many(DirectField, fields.List[Any]):
    """A list of `least` to `most` values; its length is looked at before its values."""

    default_error_messages = {
        **COMMON,
        "invalid": "请填写一个列表，用方括号括起来。",
        "length": "请填写 {least} 至 {most} 项。",
    }

    def __init__(
        self,
        description: str,
        inner: fields.Field[Any],
        *,
        most: int,
        least: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(inner, metadata={"description": description}, **options)
        self.least, self.most = least, most

    def json_schema(self) -> JSON:
        """What the list adds to the description of its values."""
        return {"minItems": self.least, "maxItems": self.most}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if not self.least <= len(value) <= self.most:
            raise self.make_error("length", least=self.least, most=self.most)
        return self._each(value, **options)

    def _each(self, values: list[Any], **options: Any) -> list[Any]:
        """Stops where there are more faults than are told: to find them all costs seconds."""
        taken: list[Any] = []
        faults: dict[int, Any] = {}
        told = 0
        for index, value in enumerate(values):
            try:
                taken.append(self.inner.deserialize(value, **options))
            except ValidationError as error:
                faults[index] = error.messages
                told += len(error.messages)
            if told >= MOST_FAULTS:
                break
        if faults:
            raise ValidationError(faults)
        return taken


class Nested(DirectField, fields.Nested):
    """A JSON object with a schema of its own, given as an instance."""

    default_error_messages = {**COMMON, "type": "请填写一个 JSON 对象，用花括号括起来。"}

    def __init__(self, description: str, schema: marshmallow.Schema, **options: Any) -> None:
        super().__init__(schema, metadata={"description": description}, **options)

    def _load(self, value: Any, partial: Any = None) -> Any:
        return self.schema.load(value)
