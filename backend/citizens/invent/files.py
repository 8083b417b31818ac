"""文件 (files): the departments' files as they are written, batch by batch."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import polars as pl

KINDS: Final = (
    "people", "identities", "households", "hospitals", "bills", "assignments", "vital",
)  # fmt: skip


class FilesExist(ValueError):
    """The folder holds files of these names; they may be a department's. A Chinese sentence."""


class Files:
    """The seven files of a delivery. Each has its name only once all of them are whole."""

    def __init__(self, folder: Path, *, parquet: bool = False) -> None:
        """Raises `FilesExist`, `OSError`."""
        self._folder, self._parquet = folder, parquet
        taken = [path.name for kind in KINDS for path in folder.glob(f"{kind}.*")]
        if taken:
            raise FilesExist(f"“{folder}”里已有 {'、'.join(sorted(taken))}：请换一个空文件夹。")
        folder.mkdir(parents=True, exist_ok=True)
        self._open: dict[str, BinaryIO] = {}

    def __enter__(self) -> Self:
        return self

    def add(self, kind: str, rows: pl.DataFrame) -> None:
        """Append rows; the first ones bring the header."""
        first = kind not in self._open
        if first:
            self._open[kind] = self._draft(kind).open("wb")
        empty = pl.col(pl.String).replace("", None)
        rows.with_columns(empty).write_csv(self._open[kind], include_header=first)

    def __exit__(
        self,
        failed: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for kind, file in self._open.items():
            file.close()
            if failed is None:
                self._finish(kind)
            else:
                self._draft(kind).unlink()

    def _finish(self, kind: str) -> None:
        draft = self._draft(kind)
        if self._parquet:
            written = draft.with_suffix(".columns")
            pl.scan_csv(draft, infer_schema=False).sink_parquet(written)
            draft.unlink()
            written.rename(self._folder / f"{kind}.parquet")
        else:
            draft.rename(self._folder / f"{kind}.csv")

    def _draft(self, kind: str) -> Path:
        return self._folder / f".{kind}.part"
