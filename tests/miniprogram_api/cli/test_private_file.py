from __future__ import annotations

import stat
from pathlib import Path

import pytest

from miniprogram_api.cli.private_file import private_csv, private_file


def test_a_file_is_for_its_owner_alone_and_replaces_whole(tmp_path: Path) -> None:
    path = tmp_path / "bank.csv"
    path.write_text("before")
    (tmp_path / ".bank.csv.draft").write_text("left by a killed process")
    with private_file(path) as file:
        file.write(b"after")
        assert path.read_text() == "before"
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def written_in_part(path: Path) -> None:
    with private_csv(path) as rows:
        rows.writerow(["身份证号"] * 10_000)
        raise ZeroDivisionError


def test_of_a_file_that_fails_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError):
        written_in_part(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_rows_are_written_in_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with private_csv(path) as rows:
        rows.writerow(["name", "sum"])
        rows.writerow(["张三,李四", "1.00"])
    assert path.read_bytes() == 'name,sum\n"张三,李四",1.00\n'.encode()
