"""Files for one reader: written whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, Protocol

import click

PRIVATE: Final = 0o600


class FileNotWritten(click.ClickException):
    """The file cannot be begun; the message says why, in Chinese."""


class Rows(Protocol):
    """What takes the rows of a CSV file."""

    def writerow(self, row: Iterable[Any], /) -> object: ...


@contextmanager
def private_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that only its owner can read, there whole or not at all.

    Raises `FileNotWritten` where the folder takes none, and `OSError` when the disk is full.
    The draft has one name, so that what a killed process left of it is cleared away.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except OSError as error:
        reason = f"“{path}”写不了（{error.strerror}）：请检查文件夹在不在、有没有权限。"
        raise FileNotWritten(reason) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def private_csv(path: Path) -> Iterator[Rows]:
    """The same as CSV in UTF-8."""
    with private_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield csv.writer(text, lineterminator="\n")
        text.detach()
