"""写过的锚点 (anchors written): how far the numbers of each file of anchors have come.

A file says which of its own lines are missing only up to its last one. The database therefore
keeps the last number of every file: whoever takes away lines, or the whole file, is seen, unless
the database is changed as well. A file that is known to be lost is written off, with the reason,
in the audit itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, Table, Text, func, text
from sqlalchemy.orm import Session

from backend.kernel.audit import Subject, record
from backend.kernel.audit_anchors import Anchor, Anchors
from backend.kernel.audit_chain import Tail
from backend.kernel.database import Base, transaction

AUDIT_WRITTEN: Final = Table(
    "audit_written",
    Base.metadata,
    Column("file", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

_MOST: Final = 10
_KIND: Final = "audit_anchors"
_LOST: Final = "audit.anchors_lost"
_ONE_WRITER: Final = text("SELECT pg_advisory_xact_lock(7205214)")
_NUMBER: Final = text("SELECT number FROM audit_written WHERE file = :file")
_NOTE: Final = text(
    """
    INSERT INTO audit_written (file, number, position) VALUES (:file, :number, :position)
    ON CONFLICT (file) DO UPDATE
        SET number = excluded.number, position = excluded.position, at = now()
        WHERE audit_written.number < excluded.number
    """
)
_ALL: Final = text("SELECT file, number, position FROM audit_written ORDER BY at, file")
_WRITTEN_OFF: Final = text(
    "SELECT subject_id, actor, detail->>'why' FROM audit_event"
    f" WHERE subject_kind = '{_KIND}' AND action = '{_LOST}' ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A file of anchors: the last number, and the position of the chain that it was of."""

    number: int
    position: int


@dataclass(frozen=True, slots=True)
class WrittenOff:
    """A file of anchors that is known to be lost: who said so, and why."""

    file: str
    by: str
    why: str


@dataclass(slots=True)
class Numbers:
    """The numbers found of one file, as ranges; they mostly come one after the other."""

    path: str
    _ranges: list[list[int]] = field(default_factory=list)

    def add(self, number: int) -> None:
        """Take one in."""
        if self._ranges and number == self._ranges[-1][1] + 1:
            self._ranges[-1][1] = number
        else:
            self._ranges.append([number, number])

    @property
    def highest(self) -> int:
        """The highest of them."""
        return max(end for _, end in self._ranges)

    def missing(self, last: int) -> list[tuple[int, int]]:
        """The ranges that are not there, from 1 to `last` or to the highest that is."""
        gaps, expected = [], 1
        for first, end in sorted(self._ranges):
            if first > expected:
                gaps.append((expected, first - 1))
            expected = max(expected, end + 1)
        if last >= expected:
            gaps.append((expected, last))
        return gaps


def anchor(anchors: Anchors, end: Tail, moment: datetime) -> None:
    """Anchor the end of the chain and note the number; opens a transaction, as `worker`.

    The line is on disk before its number is noted: killed between, the file is ahead, which is no
    fault. One writer at a time, so that no number is given twice. Raises `OSError`.
    """
    if anchors.says(end):
        return
    with transaction() as session:
        session.execute(_ONE_WRITER)
        before = anchors.end()
        given = None if before is None else _number(session, before.file)
        if made := anchors.add(end, moment, given or 0):
            said = {"file": made.file, "number": made.number, "position": made.position}
            session.execute(_NOTE, said)


def written() -> dict[str, Written]:
    """What every file of anchors must hold by now; opens a transaction, as `worker`."""
    with transaction() as session:
        return {row.file: Written(row.number, row.position) for row in session.execute(_ALL)}


def write_off(session: Session, file: str, *, why: str, by: str) -> bool:
    """Write down that a file of anchors is lost for good; False: there was none of this name."""
    if _number(session, file) is None:
        return False
    record(session, actor=by, action=_LOST, subject=Subject(_KIND, file), detail={"why": why})
    return True


def written_off(session: Session) -> dict[str, WrittenOff]:
    """The files that are known to be lost."""
    return {
        row[0]: WrittenOff(row[0], row[1], row[2] or "") for row in session.execute(_WRITTEN_OFF)
    }


def found_of(numbers: dict[str, Numbers], path: str, anchor: Anchor) -> None:
    """Take the number of a line in, under the file that the line names."""
    numbers.setdefault(anchor.file, Numbers(path)).add(anchor.number)


def faults(
    found: Mapping[str, Numbers], noted: Mapping[str, Written], lost: Mapping[str, WrittenOff]
) -> Iterator[str]:
    """A sentence for each file of anchors of which something, or everything, is missing."""
    for file, numbers in found.items():
        last = noted[file].number if file in noted else 0
        if gaps := numbers.missing(last):
            says = "、".join(_range(*one) for one in gaps[:_MOST])
            more = f"等 {len(gaps)} 段" if len(gaps) > _MOST else ""
            yield (
                f"锚点文件 {numbers.path}（{file}）缺了第 {says}{more} 号锚点：被删去或截短了，"
                f"应当有第 1 至 {max(last, numbers.highest)} 号。"
            )
    for file, one in noted.items():
        if file not in found and file not in lost:
            yield (
                f"锚点文件 {file} 不见了：它写过 {one.number} 个锚点，最后一个到链的第"
                f" {one.position} 位。别的机器上或移走的那一份，请用 --anchors 一并给出；"
                f"确实丢了的，用 shukun audit lost {file} 写明原因。"
            )


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} 至 {last}"


def _number(session: Session, file: str) -> int | None:
    found: int | None = session.execute(_NUMBER, {"file": file}).scalar()
    return found
