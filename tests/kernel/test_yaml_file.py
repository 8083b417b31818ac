"""数据文件: every fault names its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from msgspec import Struct, field

from backend.kernel.yaml_file import FileError, FileFault, YamlFile


class _Item(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    from_: date = field(name="from")


class _Whole(Struct, frozen=True, forbid_unknown_fields=True):
    items: list[_Item]
    words: dict[str, str] = {}


GOOD = "items:\n  - name: 甲\n    from: 2026-01-01\n  - {name: 乙, from: 2026-01-02}\n"


def _file(folder: Path, raw: bytes) -> YamlFile:
    path = folder / "a.yaml"
    path.write_bytes(raw)
    return YamlFile(path, "a.yaml")


def _fault(folder: Path, text: str | bytes) -> FileFault:
    raw = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(FileError) as caught:
        _file(folder, raw).convert(_Whole)
    (fault,) = caught.value.faults
    return fault


def test_a_good_file_becomes_its_shape(tmp_path: Path) -> None:
    whole = _file(tmp_path, GOOD.encode()).convert(_Whole)
    assert whole.items == [_Item("甲", date(2026, 1, 1)), _Item("乙", date(2026, 1, 2))]


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert len(_file(tmp_path, raw).convert(_Whole).items) == 2


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("items:\n  - name: 甲\n    from: 2026-02-30\n", 3, "“2026-02-30”不是正确的值"),
        ("items: []\nitems: []\n", 2, "“items”写了两次"),
        ("items:\n  - {name: 甲\n", 3, "不是正确的 YAML"),
        ("items: []\n\tx: 1\n", 2, "不是正确的 YAML"),
        ("items:\n  - {name: 甲}\n", 2, "缺少“from”"),
        ("items:\n  - name: 甲\n    fron: 2026-01-01\n", 3, "没有名为“fron”的项，请检查拼写"),
        ("items:\n  - name: 3\n    from: 2026-01-01\n", 2, "应为 str，写的是 int"),
        ("items: []\nwords:\n  1: a\n", 2, "应为 str，写的是 int"),
        ("items:\n  - !!python/object:os.system {}\n", 2, "不是正确的 YAML"),
        ("", 1, "文件是空的"),
        ("# nothing\n", 1, "文件是空的"),
        ("items: []\n---\nitems: []\n", 2, "不是正确的 YAML"),
        ("items:\n  - a\n  - \x07\n", 1, "不是正确的 YAML"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    fault = _fault(tmp_path, text)
    assert (fault.file, fault.line) == ("a.yaml", line)
    assert reason in fault.reason


def test_another_encoding_is_named_with_the_line_where_it_shows(tmp_path: Path) -> None:
    fault = _fault(tmp_path, b"items:\n  - name: " + "甲".encode("gbk"))
    assert fault.line == 2
    assert "UTF-8" in fault.reason


def test_a_file_that_is_not_there_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.yaml:1: 文件读不到"):
        YamlFile(tmp_path / "none.yaml", "none.yaml")


def test_a_place_that_does_not_exist_is_named_by_the_nearest_above_it(tmp_path: Path) -> None:
    file = _file(tmp_path, GOOD.encode())
    assert file.line("items", 1, "from") == 4
    assert file.line("items", 0, "from") == 3
    assert file.line("items", 0, "absent") == 2
    assert file.line("items", 7) == 1
    assert str(file.fault("不对", "items", 1)) == "a.yaml:4: 不对"


@pytest.mark.parametrize("raw", [b"[" * 100_000 + b"]" * 100_000, b"{a: " * 100_000])
def test_brackets_without_end_are_refused_not_followed(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(FileError) as caught:
        _file(tmp_path, b"items: []\nwords: " + raw)
    (fault,) = caught.value.faults
    assert (fault.line, "层" in fault.reason) == (2, True)
