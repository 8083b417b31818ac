"""数据文件 (data files): one YAML file, read so that every fault can name its line.

People in the localities edit these files, so the reasons are in Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml
from yaml.constructor import ConstructorError

T = TypeVar("T")
DEEPEST: Final = 50
"""Lists and maps within each other."""

Step = str | int
"""One step into a file: a key, or a place in a list (from 0)."""


@dataclass(frozen=True, order=True)
class FileFault:
    """A fault of a file: `line` counts from 1; `reason` is a Chinese sentence."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class FileError(Exception):
    """Data files that cannot be used. `faults`: everything found, not only the first."""

    def __init__(self, faults: list[FileFault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class YamlFile:
    """A parsed UTF-8 file: `convert` it into a shape, ask the `line` of a path into it.

    `name` is what faults call the file. Raises `FileError`; nothing is repaired.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        raw = _text(path, name)
        _refuse_deep(raw, name)
        loader = _Loader(raw)
        try:
            root = loader.get_single_node()
            self._data = None if root is None else loader.construct_document(root)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line = 1 if mark is None else mark.line + 1
            raise _error(name, line, f"不是正确的 YAML：{error.problem}") from error
        except yaml.YAMLError as error:
            raise _error(name, 1, f"不是正确的 YAML：{error}") from error
        finally:
            loader.dispose()
        if root is None:
            raise _error(name, 1, "文件是空的")
        self._root = root

    def convert(self, shape: type[T]) -> T:
        """The file as a shape; raises `FileError` with the line at fault."""
        try:
            return msgspec.convert(self._data, type=shape)
        except msgspec.ValidationError as error:
            reason, path = _explained(str(error))
            raise FileError([self.fault(reason, *path)]) from error

    def line(self, *path: Step) -> int:
        """The line of the thing at `path`, or of the nearest thing above it that exists."""
        node: yaml.Node = self._root
        line = 1
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
        return line

    def fault(self, reason: str, *path: Step) -> FileFault:
        """A fault at `path` of this file."""
        return FileFault(self.name, self.line(*path), reason)


def _error(name: str, line: int, reason: str) -> FileError:
    return FileError([FileFault(name, line, reason)])


def _text(path: Path, name: str) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _error(name, 1, f"文件读不到：{error.strerror}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _error(name, line, "不是 UTF-8 编码，请另存为 UTF-8") from error


def _refuse_deep(raw: str, name: str) -> None:
    """The loader goes down into a file by recursion: brackets enough would end the program."""
    depth = 0
    try:
        for event in yaml.parse(raw, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                mark = event.start_mark
                line = 1 if mark is None else mark.line + 1
                raise _error(name, line, f"一层套一层，超过了 {DEEPEST} 层，请核对括号和缩进")
    except yaml.YAMLError:
        return  # the loader says what is wrong, with the line


class _Loader(yaml.CSafeLoader):
    """The safe loader, which also refuses a key given twice and a day that does not exist.

    YAML forbids a key twice, PyYAML takes the last in silence: a figure could vanish.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise ConstructorError(None, None, f"“{key.value}”写了两次", key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            problem = f"“{node.value}”不是正确的值（{error}）"
            raise ConstructorError(None, None, problem, node.start_mark) from error


_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$(?P<path>[^`]*)`$")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.+)`")
_REASONS: Final = [
    (_UNKNOWN, r"没有名为“\1”的项，请检查拼写"),
    (re.compile(r"Object missing required field `(.+)`"), r"缺少“\1”"),
    (re.compile(r"Expected `(.+)`, got `(.+)`"), r"应为 \1，写的是 \2"),
    (re.compile(r"Invalid enum value (.+)"), r"不认识的值 \1"),
]


def _explained(message: str) -> tuple[str, list[Step]]:
    """The reason in Chinese and the place, from what msgspec says of a value at fault."""
    place = _PLACE.search(message)
    bare = message if place is None else message[: place.start()]
    steps = _STEP.findall("" if place is None else place["path"])
    path: list[Step] = [key or int(index) for key, index in steps]
    unknown = _UNKNOWN.fullmatch(bare)
    if unknown is not None:
        path.append(unknown[1])
    for pattern, reason in _REASONS:
        if pattern.fullmatch(bare):
            return f"格式不对：{pattern.sub(reason, bare)}", path
    return f"格式不对：{bare}", path


def _child(node: yaml.Node, step: Step) -> tuple[yaml.Node, int] | None:
    """The node one step down and the line it begins on (for a key's value: the key's line)."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item: yaml.Node = node.value[step]
        return item, item.start_mark.line + 1
    return None
