"""The OpenAPI document arranged for reading: operations by tag, fields as flat rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

Json = Mapping[str, Any]

KINDS: Final = {
    "string": "文字",
    "integer": "整数",
    "number": "数",
    "boolean": "是否",
    "object": "对象",
    "array": "列表",
}
PLACES: Final = {"path": "网址路径", "query": "网址参数", "header": "请求头"}
METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Row:
    """One field or parameter. `path`: as `bills[].total`; `limits`: what it must keep to."""

    path: str
    kind: str
    required: bool
    description: str
    limits: str


@dataclass(frozen=True, slots=True)
class Content:
    """A body: its media type, fields and examples (name and text)."""

    media_type: str
    rows: tuple[Row, ...]
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer by status."""

    status: str
    description: str
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. `staff`: not for everyone."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    staff: bool
    parameters: tuple[Row, ...]
    body: tuple[Content, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """The operations of one tag."""

    anchor: str
    title: str
    operations: tuple[Operation, ...]


class Reader:
    """Arranges one document."""

    def __init__(self, document: Json) -> None:
        self._document = document

    def chapters(self) -> tuple[Chapter, ...]:
        """Everything in the document, in its order."""
        operations = [
            (operation["tags"][0], self._operation(path, method, item, operation))
            for path, item in self._document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        ]
        return tuple(
            Chapter(
                tag["name"],
                tag.get("description") or tag["name"],
                tuple(operation for name, operation in operations if name == tag["name"]),
            )
            for tag in self._document["tags"]
        )

    def _operation(self, path: str, method: str, item: Json, operation: Json) -> Operation:
        parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
        return Operation(
            anchor=operation["operationId"],
            method=method.upper(),
            path=path,
            summary=operation["summary"],
            description=operation.get("description", ""),
            staff="security" in operation,
            parameters=tuple(self._parameter(self._resolve(one)) for one in parameters),
            body=self._contents(operation.get("requestBody", {})),
            answers=tuple(
                self._answer(status, self._resolve(answer))
                for status, answer in operation["responses"].items()
            ),
        )

    def _parameter(self, parameter: Json) -> Row:
        schema = self._resolve(parameter["schema"])
        return Row(
            parameter["name"],
            f"{PLACES[parameter['in']]}，{_kind(schema)}",
            parameter.get("required", False),
            parameter.get("description", ""),
            _limits(schema),
        )

    def _answer(self, status: str, answer: Json) -> Answer:
        # Every refusal has the same fields: told once at the top of the page.
        contents = () if int(status) >= 400 else self._contents(answer)
        return Answer(status, answer["description"], contents)

    def _contents(self, holder: Json) -> tuple[Content, ...]:
        return tuple(
            Content(media_type, tuple(self._rows(content["schema"], "")), _examples(content))
            for media_type, content in holder.get("content", {}).items()
        )

    def _rows(self, schema: Json, path: str, seen: tuple[str, ...] = ()) -> Iterator[Row]:
        """The fields below a schema; one that holds itself is told once."""
        for part in schema.get("anyOf", ()):
            yield from self._rows(part, path, seen)
        reference = schema.get("$ref")
        if reference in seen:
            return
        whole = self._resolve(schema)
        seen = (*seen, reference) if reference else seen
        if "items" in whole:
            yield from self._rows(whole["items"], path + "[]", seen)
        required = whole.get("required", ())
        for name, inner in whole.get("properties", {}).items():
            below = f"{path}.{name}" if path else name
            yield self._row(below, inner, name in required)
            yield from self._rows(inner, below, seen)

    def _row(self, path: str, schema: Json, required: bool) -> Row:
        whole = self._resolve(schema)
        description = schema.get("description") or whole.get("description", "")
        return Row(path, _kind(whole), required, description, _limits(whole))

    def _resolve(self, part: Json) -> Json:
        reference = part.get("$ref")
        if reference is None:
            return part
        found: Any = self._document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        return {**self._resolve(found), **{k: v for k, v in part.items() if k != "$ref"}}


def _kind(schema: Json) -> str:
    types = schema.get("type", "object" if "properties" in schema or "anyOf" in schema else "")
    names = [types] if isinstance(types, str) else types
    return " 或 ".join(KINDS.get(name, name) for name in names if name)


def _limits(schema: Json) -> str:
    said = []
    if "enum" in schema:
        said.append("可用：" + "、".join(_shown(one) for one in schema["enum"]))
    for key, words in (
        ("format", "格式 {}"),
        ("minimum", "不小于 {}"),
        ("maximum", "不大于 {}"),
        ("minLength", "至少 {} 字"),
        ("maxLength", "至多 {} 字"),
        ("minItems", "至少 {} 项"),
        ("maxItems", "至多 {} 项"),
        ("pattern", "写法 {}"),
        ("default", "不填即 {}"),
    ):
        if key in schema:
            said.append(words.format(_shown(schema[key])))
    said += [f"如 {_shown(one)}" for one in schema.get("examples", ())]
    return "；".join(said)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _examples(content: Json) -> tuple[tuple[str, str], ...]:
    named = content.get("examples", {})
    return tuple(
        (example.get("summary", name), _pretty(example["value"])) for name, example in named.items()
    )


def _pretty(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
