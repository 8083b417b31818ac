"""收文登记 (registry): every delivered file with its serial, digest, counts and money total."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Final

import polars as pl
from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.citizens.exchange.chunk import Reject
from backend.citizens.exchange.staging import copy_in
from backend.citizens.exchange.step import Step
from backend.citizens.file_tables import DATA_FILE, DATA_FILE_UNCHANGED, DATA_REJECT
from backend.kernel.errors import DomainError, Fault

KINDS: Final = (
    "people", "identities", "households", "bills", "assignments", "hospitals", "vital",
)  # fmt: skip
_PIECE: Final = 1 << 20
_TOGETHER: Final = "；"
BUSY: Final = "另一个进程正在导入或撤回同一个文件：请等它结束后再试。"


class FileBusy(DomainError):
    """Another process is loading the same file."""

    code: ClassVar[str] = "file-busy"


class LoadedOtherwise(DomainError):
    """The same file came before, and was declared to be something else."""

    code: ClassVar[str] = "file-loaded-otherwise"


class UnknownFile(DomainError):
    """No file has this serial."""

    code: ClassVar[str] = "unknown-file"


@dataclass(frozen=True, slots=True)
class FileBytes:
    """`lines`: ends of lines in it, for a progress bar."""

    sha256: bytes
    size: int
    lines: int


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to register. `mapping_sha256`: of the mapping file, or empty."""

    kind: str
    name: str
    content: FileBytes
    mapping_sha256: bytes
    by: str
    origin_area: int = 0
    complete_on: date | None = None


def read_bytes(path: Path) -> FileBytes:
    """Digest and size of a file; raises `OSError`."""
    digest, size, lines = hashlib.sha256(), 0, 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            lines += piece.count(b"\n")
    return FileBytes(digest.digest(), size, lines)


def find(session: Session, new: NewFile) -> Row[Any] | None:
    """The record of the same bytes under the same mapping, if they came before and stand."""
    query = select(DATA_FILE).where(
        DATA_FILE.c.kind == new.kind,
        DATA_FILE.c.sha256 == new.content.sha256,
        DATA_FILE.c.mapping_sha256 == new.mapping_sha256,
        DATA_FILE.c.state != "undone",
    )
    return session.execute(query).first()


def register(session: Session, new: NewFile) -> Row[Any]:
    """The file's record, made where it is new."""
    if (before := find(session, new)) is not None:
        return before
    values = {
        "kind": new.kind,
        "name": new.name,
        "sha256": new.content.sha256,
        "mapping_sha256": new.mapping_sha256,
        "size": new.content.size,
        "state": "loading",
        "complete_on": new.complete_on,
        "origin_area": new.origin_area,
        "loaded_by": new.by,
    }
    session.execute(insert(DATA_FILE).values(values).on_conflict_do_nothing())
    record = find(session, new)
    if record is None:
        raise UnknownFile(Fault("/file", "这个文件刚刚被撤回，请重新导入。"))
    return record


def declares(record: Row[Any], new: NewFile) -> bool:
    """Whether the file comes again to be declared whole. Raises `LoadedOtherwise`."""
    again = f"要改正，请先 shukun import --undo {record.id}，再重新导入。"
    if new.origin_area and new.origin_area != record.origin_area:
        said = f"来自 {record.origin_area}" if record.origin_area else "没有写明来自哪个县"
        raise LoadedOtherwise(
            Fault("/area", f"这个文件已经收过（编号 {record.id}），当时{said}：{again}")
        )
    if new.complete_on is None or new.complete_on == record.complete_on:
        return False
    if record.complete_on is not None:
        day = f"当时是 {record.complete_on} 的全量名册"
        raise LoadedOtherwise(
            Fault("/complete", f"这个文件已经收过（编号 {record.id}），{day}：{again}")
        )
    return True


def declare_whole(session: Session, serial: int, day: date) -> Row[Any]:
    """Record that the roster is whole as of the day. Raises `FileBusy` where another process did,
    or undid the file."""
    declared = update(DATA_FILE).where(DATA_FILE.c.id == serial, DATA_FILE.c.state != "undone")
    declared = declared.where(DATA_FILE.c.complete_on.is_(None)).values(complete_on=day)
    if session.execute(declared.returning(DATA_FILE.c.id)).first() is None:
        raise FileBusy(Fault("/file", BUSY))
    return record_of(session, serial)


def record_of(session: Session, serial: int, *, lock: bool = False) -> Row[Any]:
    """The file of that serial; raises `UnknownFile`."""
    query = select(DATA_FILE).where(DATA_FILE.c.id == serial)
    found = session.execute(query.with_for_update() if lock else query).first()
    if found is None:
        raise UnknownFile(
            Fault("/serial", f"没有编号为 {serial} 的文件：请用 shukun import --list 查看编号。")
        )
    return found


def list_files(session: Session) -> Sequence[Row[Any]]:
    """Every file, oldest first."""
    return session.execute(select(DATA_FILE).order_by(DATA_FILE.c.id)).all()


def advance(session: Session, record: Row[Any], rows: int) -> None:
    """Move the record on by rows read; raises `FileBusy` where another process moved it."""
    moved = (
        update(DATA_FILE)
        .where(DATA_FILE.c.id == record.id, DATA_FILE.c.state == "loading")
        .where(DATA_FILE.c.next_row == record.next_row)
        .values(next_row=DATA_FILE.c.next_row + rows, rows=DATA_FILE.c.rows + rows)
    )
    if session.execute(moved.returning(DATA_FILE.c.id)).first() is None:
        raise FileBusy(Fault("/file", BUSY))


def write_down(step: Step, rejects: Iterable[Reject], notes: Iterable[str]) -> None:
    """Add what a step came to: counts, refused rows, notes, rows that stood already."""
    refused = _together((*rejects, *step.rejects))
    lines = {line for line, _ in refused}
    tally = step.tally
    add_notes(step, *notes, *step.notes)
    step.session.execute(
        update(DATA_FILE)
        .where(DATA_FILE.c.id == step.file_id)
        .values(
            added=DATA_FILE.c.added + tally.added,
            changed=DATA_FILE.c.changed + tally.changed,
            unchanged=DATA_FILE.c.unchanged + tally.unchanged,
            rejected=DATA_FILE.c.rejected + len(lines),
            waiting=DATA_FILE.c.waiting + tally.waiting,
            money=DATA_FILE.c.money + tally.money,
        )
    )
    _write_rejects(step, refused)
    if step.confirmed:
        values = {"file_id": step.file_id, "revision": step.revision, "row_ids": step.confirmed}
        step.session.execute(insert(DATA_FILE_UNCHANGED).values(values))


def _together(rejects: Iterable[Reject]) -> dict[tuple[int, str], str]:
    """One reason a cell."""
    reasons: dict[tuple[int, str], list[str]] = {}
    for one in rejects:
        reasons.setdefault((one.line, one.column), []).append(one.reason)
    return {cell: _TOGETHER.join(dict.fromkeys(told)) for cell, told in reasons.items()}


def _write_rejects(step: Step, refused: dict[tuple[int, str], str]) -> None:
    rows = pl.DataFrame(
        {
            "file_id": pl.Series([step.file_id] * len(refused), dtype=pl.Int64),
            "line": pl.Series([line for line, _ in refused], dtype=pl.Int64),
            "column_name": pl.Series([column for _, column in refused], dtype=pl.String),
            "reason": pl.Series(list(refused.values()), dtype=pl.String),
        }
    )
    copy_in(step.connection, DATA_REJECT.name, rows)


def add_notes(step: Step, *notes: str) -> None:
    """Add sentences about the file."""
    told = sorted({*record_of(step.session, step.file_id).notes, *notes})
    named = update(DATA_FILE).where(DATA_FILE.c.id == step.file_id)
    step.session.execute(named.values(notes=told))


def finish(session: Session, serial: int) -> None:
    """The whole file is taken."""
    done = update(DATA_FILE).where(DATA_FILE.c.id == serial, DATA_FILE.c.state == "loading")
    session.execute(done.values(state="loaded", finished_at=func.now()))


def write_rejects(session: Session, serial: int, path: Path) -> int:
    """Write the refused cells as CSV `line,column,reason`; returns their number."""
    query = (
        select(DATA_REJECT.c.line, DATA_REJECT.c.column_name, DATA_REJECT.c.reason)
        .where(DATA_REJECT.c.file_id == serial)
        .order_by(DATA_REJECT.c.line, DATA_REJECT.c.column_name)
    )
    rows = session.execute(query).all()
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("line", "column", "reason"))
        writer.writerows(rows)
    return len(rows)
