"""导入 (load): a department's file into the database, a chunk a transaction.

A load may be killed at any moment and run again: rows, counts, refused rows and how far the file
was taken are written together. A file that was loaded is recognised and changes nothing, unless it
is declared whole now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl
from sqlalchemy import Row, delete, select, update
from sqlalchemy.orm import Session

from backend.citizens.exchange import overlaps, registry
from backend.citizens.exchange.apply_people import apply_people
from backend.citizens.exchange.apply_rows import apply_rows, count_repeats
from backend.citizens.exchange.chunk import Chunk
from backend.citizens.exchange.complete import end_the_absent
from backend.citizens.exchange.covered import check_covered
from backend.citizens.exchange.mapping import DepartmentMapping
from backend.citizens.exchange.reading import read_chunks
from backend.citizens.exchange.registry import NewFile
from backend.citizens.exchange.step import Step, take_turn
from backend.citizens.exchange.unregistered import note_unregistered
from backend.citizens.exchange.waiting import Waiting, find_waiting
from backend.citizens.file_tables import DATA_FILE, DATA_REJECT
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.clock import CHINA
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction

CHUNK_ROWS: Final = 20_000
HOUSEHOLDS_PER_PHONE: Final = 5
"""More households than this on one telephone are shown to a person."""


@dataclass(frozen=True)
class LoadOptions:
    """`progress` is told the rows done and, where it can be known, about how many there are."""

    keyring: Keyring
    by: str
    mapping: DepartmentMapping | None = None
    mapping_sha256: bytes = b""
    origin_area: int = 0
    complete_on: date | None = None
    chunk_rows: int = CHUNK_ROWS
    households_per_phone: int = HOUSEHOLDS_PER_PHONE
    progress: Callable[[int, int], None] = lambda _done, _all: None


@dataclass(frozen=True)
class LoadReport:
    """What became of a file. `recognised`: it had been loaded before, nothing changed. `waiting`:
    rows of people whom the register did not know when they came. `money`: fen."""

    serial: int
    kind: str
    recognised: bool
    rows: int
    added: int
    changed: int
    unchanged: int
    rejected: int
    waiting: int
    money: int
    notes: tuple[str, ...]
    loaded_on: date


def load_file(kind: str, path: Path, options: LoadOptions) -> LoadReport:
    """Load a file whole, going on where a killed load stopped. Opens its own transactions.

    Raises `FileError` for a file that cannot be used at all, `CountiesMissing`, `FileBusy`,
    `LoadedOtherwise`, `OSError`.
    """
    new = _described(kind, path, options)
    with transaction() as session:
        before = registry.find(session, new)
    declared = before is not None and registry.declares(before, new)
    if declared or before is None or before.state == "loading":
        _check_whole(path, new, before, options)
    if before is not None and declared:
        before = _declare_whole(before, options)
    if before is not None and before.state == "loaded":
        return _report(before, recognised=not declared)
    chunks = _chunks(kind, path, options, before.next_row if before else 0)
    with transaction() as session:
        record = registry.register(session, new)
    for chunk in chunks:
        record = _take(record, chunk, options)
        options.progress(record.next_row, max(new.content.lines - 1, 0))
    return _report(_finish(record, path, options), recognised=False)


def _described(kind: str, path: Path, options: LoadOptions) -> NewFile:
    from_mapping = options.mapping.origin_area if options.mapping else None
    return NewFile(
        kind=kind,
        name=path.name,
        content=registry.read_bytes(path),
        mapping_sha256=options.mapping_sha256,
        by=options.by,
        origin_area=options.origin_area or from_mapping or 0,
        complete_on=options.complete_on,
    )


def _check_whole(path: Path, new: NewFile, before: Row[Any] | None, options: LoadOptions) -> None:
    """A whole roster without an area is read twice: first for the counties that it reaches."""
    if new.complete_on is None or (before.origin_area if before else new.origin_area):
        return
    chunks = (chunk.rows for chunk in _chunks(new.kind, path, options, 0))
    with transaction() as session:
        check_covered(session, options.keyring, new.kind, new.complete_on, chunks)


def _declare_whole(record: Row[Any], options: LoadOptions) -> Row[Any]:
    """Record that a file that came before is whole, and end who is absent if all of it is taken."""
    assert options.complete_on is not None
    with transaction() as session:
        step = _step(session, record, options, take_turn(session))
        declared = registry.declare_whole(session, record.id, options.complete_on)
        if declared.state == "loaded":
            end_the_absent(step, declared)
            _audit(step, declared)
        return registry.record_of(session, record.id)


def _chunks(kind: str, path: Path, options: LoadOptions, skip: int) -> Iterator[Chunk]:
    size = options.chunk_rows
    return read_chunks(kind, path, mapping=options.mapping, skip_rows=skip, size=size)


def _take(record: Row[Any], chunk: Chunk, options: LoadOptions) -> Row[Any]:
    """Apply one chunk and say how far the file is taken, in one transaction."""
    with transaction() as session:
        revision = take_turn(session)
        registry.advance(session, record, chunk.read)
        step = _step(session, record, options, revision)
        _apply(step, record.kind, chunk.rows)
        registry.write_down(step, chunk.rejects, chunk.notes)
        return registry.record_of(session, record.id)


def _step(session: Session, record: Row[Any], options: LoadOptions, revision: int) -> Step:
    return Step(
        session=session,
        keyring=options.keyring,
        file_id=record.id,
        origin_area=record.origin_area,
        actor=record.loaded_by,
        revision=revision,
        households_per_phone=options.households_per_phone,
    )


def _apply(step: Step, kind: str, rows: pl.DataFrame) -> None:
    if rows.is_empty():
        return
    if kind == "people":
        apply_people(step, rows)
    else:
        apply_rows(step, kind, rows)


def _finish(record: Row[Any], path: Path, options: LoadOptions) -> Row[Any]:
    """What only the end of the file can tell: intervals that a later line closed, who is absent."""
    waiting = _waiting(record, path, options)
    with transaction() as session:
        step = _step(session, record, options, take_turn(session))
        if registry.record_of(session, record.id, lock=True).state != "loading":
            return registry.record_of(session, record.id)
        if waiting.lines:
            _take_waiting(step, record.kind, waiting)
        registry.write_down(step, (), ())
        end_the_absent(step, registry.record_of(session, record.id))
        note_unregistered(step)
        registry.finish(session, record.id)
        _audit(step, record)
        return registry.record_of(session, record.id)


def _waiting(record: Row[Any], path: Path, options: LoadOptions) -> Waiting:
    """The rows of the file that were refused because their days were taken."""
    query = select(DATA_REJECT.c.line).where(
        DATA_REJECT.c.file_id == record.id, DATA_REJECT.c.reason == overlaps.REASON
    )
    with transaction() as session:
        lines = list(session.execute(query).scalars())
    chunks = _chunks(record.kind, path, options, 0) if lines else ()
    return find_waiting((chunk.rows for chunk in chunks), lines)


def _take_waiting(step: Step, kind: str, waiting: Waiting) -> None:
    _forget_rejects(step, waiting.lines)
    count_repeats(step, len(waiting.lines) - len(waiting.rows))
    if not waiting.rows.is_empty():
        apply_rows(step, kind, waiting.rows, at_end=True)


def _forget_rejects(step: Step, lines: Sequence[int]) -> None:
    gone = delete(DATA_REJECT).where(
        DATA_REJECT.c.file_id == step.file_id, DATA_REJECT.c.line.in_(lines)
    )
    step.session.execute(gone)
    fewer = update(DATA_FILE).where(DATA_FILE.c.id == step.file_id)
    step.session.execute(fewer.values(rejected=DATA_FILE.c.rejected - len(lines)))


def _audit(step: Step, record: Row[Any]) -> None:
    detail = {"kind": record.kind, "sha256": record.sha256.hex()}
    subject = Subject("data_file", str(record.id))
    audit.record(
        step.session, actor=step.actor, action="data_file.load", subject=subject, detail=detail
    )


def _report(record: Row[Any], *, recognised: bool) -> LoadReport:
    return LoadReport(
        serial=record.id,
        kind=record.kind,
        recognised=recognised,
        rows=record.rows,
        added=record.added,
        changed=record.changed,
        unchanged=record.unchanged,
        rejected=record.rejected,
        waiting=record.waiting,
        money=record.money,
        notes=tuple(record.notes),
        loaded_on=record.finished_at.astimezone(CHINA).date(),
    )
