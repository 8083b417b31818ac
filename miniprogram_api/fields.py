"""字段 (fields): the kinds of value the API takes, each refused in Chinese and described exactly.

Every field names what a person should do when it is refused, and states in `json_schema()` the
values it takes, so that the OpenAPI document says neither more nor less than the code does.
A field's first argument is its description, in Chinese, shown in the document.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, ClassVar, Final

from marshmallow import fields, missing
from marshmallow.types import ErrorMessages

from backend.kernel.money import RATE_UNIT, format_yuan, parse_rate, parse_yuan
from backend.kernel.row_ids import LARGEST_ID as LARGEST_ID  # for schemas and routes

COMMON: Final[ErrorMessages] = {
    "required": "请填写这一项。",
    "null": "这一项不能是 null：请填写，或整项去掉。",
    "validator_failed": "这一项的值不能用，请改正。",
}
JSON = dict[str, Any]


class DirectField(fields.Field[Any]):
    """Loads at half of marshmallow's cost, leaving out what no field here has: functions run before
    and after, and most often validators.
    """

    def deserialize(
        self,
        value: Any,
        attr: str | None = None,
        data: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """The value loaded; the default where it is missing. Raises `ValidationError`."""
        if value is None or value is missing:
            return self.absent(value)
        taken = self._deserialize(value, attr, data, **options)
        if self.validators:
            self._validate(taken)
        return taken

    def absent(self, value: Any) -> Any:
        """What null or a missing value means; raises `ValidationError`."""
        if value is None:
            if self.allow_none:
                return None
            raise self.make_error("null")
        if self.required:
            raise self.make_error("required")
        default = self.load_default
        return default() if callable(default) else default


class ApiField(DirectField):
    """Base of the fields here. `example` is shown in the document."""

    default_error_messages = COMMON

    def __init__(self, description: str, *, example: Any = None, **options: Any) -> None:
        metadata: JSON = {"description": description}
        if example is not None:
            metadata["examples"] = [example]
        super().__init__(metadata=metadata, **options)

    def json_schema(self) -> JSON:
        """The JSON Schema of the values taken, null aside."""
        raise NotImplementedError

    def from_text(self, text: str) -> Any:
        """The value that a query string means; left as it stands where it means none."""
        return text


class Text(ApiField):
    """A string without control characters, of `shortest` to `longest` characters."""

    default_error_messages = {
        "invalid": "请填写文字。",
        "length": "请填写 {shortest} 至 {longest} 个字。",
        "exactly": "请填写 {longest} 个字。",
        "digits": "请填写 {longest} 位数字。",
        "at_most": "请填写，最多 {longest} 个字。",
        "pattern": "写法不对，请按说明填写。",
    }
    PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"

    def __init__(
        self,
        description: str,
        *,
        shortest: int = 1,
        longest: int = 200,
        pattern: str = PRINTABLE,
        **options: Any,
    ) -> None:
        super().__init__(description, **options)
        self.shortest, self.longest, self.pattern = shortest, longest, pattern
        self._matches = re.compile(pattern.removesuffix("$") + r"\Z").match

    def json_schema(self) -> JSON:
        lengths = {"minLength": self.shortest, "maxLength": self.longest}
        return {"type": "string", **lengths, "pattern": self.pattern}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if not self.shortest <= len(value) <= self.longest or self._matches(value) is None:
            fits = self.shortest <= len(value) <= self.longest
            raise self.make_error(self._fault(fits), shortest=self.shortest, longest=self.longest)
        return value

    def _fault(self, fits: bool) -> str:
        """Which of the messages; `fits`: the length is right."""
        if self.shortest == self.longest:
            return (
                "digits" if self.pattern.startswith("^[0-9]") else "pattern" if fits else "exactly"
            )
        return "pattern" if fits else "length" if self.shortest > 1 else "at_most"


class Money(ApiField):
    """元 outside, integer fen inside: a string of yuan with two decimals, at most 10^10 fen."""

    default_error_messages = {
        "invalid": "请填写以元为单位的金额，小数点后写满两位，不带正负号和逗号，"
        "如 2000.00；最多 100000000.00 元。",
        "quoted": '请填写以元为单位、两位小数的金额，加引号，如 "1234.50"。',
    }
    PATTERN = r"^(?:(?:0|[1-9][0-9]{0,7})\.[0-9]{2}|100000000\.00)$"

    def json_schema(self) -> JSON:
        return {"type": "string", "pattern": self.PATTERN}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if isinstance(value, str):
            try:
                return parse_yuan(value)
            except ValueError as error:
                raise self.make_error("invalid") from error
        raise self.make_error("quoted")

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else format_yuan(value)


class Sum(Money):
    """An amount in an answer: a string of yuan of any size, negative where money is owed back."""

    PATTERN = r"^-?(?:0|[1-9][0-9]*)\.[0-9]{2}$"


class Rate(ApiField):
    """比例: a string between 0 and 1 with at most 4 decimals, inside an integer of 1/10,000."""

    default_error_messages = {
        "invalid": '请填写 0 至 1 之间的比例，加引号，最多四位小数，如 "0.85"。'
    }

    def json_schema(self) -> JSON:
        return {"type": "string", "pattern": r"^(?:0(?:\.[0-9]{1,4})?|1(?:\.0{1,4})?)$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if isinstance(value, str):
            try:
                return parse_rate(value)
            except ValueError as error:
                raise self.make_error("invalid") from error
        raise self.make_error("invalid")

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        if value is None:
            return None
        whole, rest = divmod(value, RATE_UNIT)
        return f"{whole}.{rest:04d}"


class Day(ApiField):
    """日期: a real day written YYYY-MM-DD, from 1900 to 2100."""

    default_error_messages = {
        "invalid": '请填写真实存在的日期，写成 年-月-日，如 "2024-03-01"；1900 年至 2100 年。'
    }
    PATTERN: Final = r"^(?:19[0-9]{2}|20[0-9]{2}|2100)-[0-9]{2}-[0-9]{2}$"
    _matches: ClassVar = re.compile(PATTERN.removesuffix("$") + r"\Z", re.ASCII).match

    def json_schema(self) -> JSON:
        return {"type": "string", "format": "date", "pattern": self.PATTERN}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> date:
        if isinstance(value, str) and self._matches(value):
            try:
                return date.fromisoformat(value)
            except ValueError as error:
                raise self.make_error("invalid") from error
        raise self.make_error("invalid")

    def _serialize(self, value: date | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else value.isoformat()


class Code(ApiField):
    """代码: one of a list. `names` maps each code to its Chinese name, or lists the codes."""

    default_error_messages = {"invalid": "请从这些值中选一个：{codes}。"}

    def __init__(
        self, description: str, names: Mapping[str, str] | Collection[str], **options: Any
    ) -> None:
        super().__init__(_with_names(description, names), **options)
        self.codes = tuple(names)
        self._known = frozenset(names)

    def json_schema(self) -> JSON:
        return {"type": "string", "enum": list(self.codes)}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if isinstance(value, str) and value in self._known:
            return value
        raise self.make_error("invalid", codes="、".join(self.codes))


class Bool(ApiField):
    """是否: JSON true or false, nothing else; `true` or `false` in a query string."""

    default_error_messages = {"invalid": "请填写 true 或 false，不加引号。"}
    _TEXTS: ClassVar = {"true": True, "false": False}

    def json_schema(self) -> JSON:
        return {"type": "boolean"}

    def from_text(self, text: str) -> Any:
        return self._TEXTS.get(text, text)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if value is True or value is False:
            return value is True
        raise self.make_error("invalid")


class Int(ApiField):
    """整数: a whole number; 3.0 is taken for 3, as JSON Schema does."""

    default_error_messages = {"invalid": "请填写 {least} 至 {most} 之间的整数，不加引号。"}

    def __init__(self, description: str, *, least: int, most: int, **options: Any) -> None:
        super().__init__(description, **options)
        self.least, self.most = least, most

    def json_schema(self) -> JSON:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def from_text(self, text: str) -> Any:
        return int(text) if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text, re.ASCII) else text

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if not number or not self.least <= value <= self.most or value != int(value):
            raise self.make_error("invalid", least=self.least, most=self.most)
        return int(value)


def _with_names(description: str, names: Mapping[str, str] | Collection[str]) -> str:
    if not isinstance(names, Mapping):
        return description
    listed = "，".join(f"`{code}` {name}" for code, name in names.items())
    return f"{description}：{listed}"
