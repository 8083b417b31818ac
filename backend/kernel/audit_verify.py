"""核验 (verifying): walks the audit chain from its first link, and says where it was touched.

What can be found: every change, deletion, exchange or insertion of what was sealed, also where the
chain was computed anew (by the anchors), a tail that was cut off, moments that go back, anchors
that were written and are gone. What
cannot: what was done to an event in the seconds before it was sealed, and false events written at
the present moment by who may write there. How much is not sealed yet is therefore always said.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel import audit_checks
from backend.kernel.audit_anchors import Anchor, Anchors, Standing
from backend.kernel.audit_chain import hash_at, links
from backend.kernel.audit_checks import TOLERANCE_US, Anchored, Finding, Walk
from backend.kernel.audit_written import (
    Numbers,
    Written,
    WrittenOff,
    faults,
    found_of,
    written,
    written_off,
)
from backend.kernel.copy import raw
from backend.kernel.database import transaction

MOST_LISTED: Final = 1_000
LONGEST_WAIT: Final = timedelta(minutes=10)
"""An event that waits longer for its seal: no sealer is at work."""

_ONE_SNAPSHOT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_TIME: Final = text("SET LOCAL statement_timeout = '30min'")
_OPEN: Final = text(
    """
    WITH event AS (
        SELECT id, at, id > :closed AND id <= drawn.last AS waits
        FROM audit_event,
            (SELECT coalesce(pg_sequence_last_value('audit_event_id_seq'), 0) AS last) AS drawn
        WHERE NOT EXISTS (SELECT FROM audit_chain WHERE event_id = audit_event.id)
    )
    SELECT count(*) FILTER (WHERE waits) AS waiting, count(*) FILTER (WHERE NOT waits) AS inserted,
        (array_agg(id ORDER BY id) FILTER (WHERE NOT waits))[1:20] AS first,
        count(*) FILTER (WHERE waits AND NOT at BETWEEN :earliest AND clock_timestamp()
            + interval '1 minute') AS untimely,
        extract(epoch FROM clock_timestamp() - min(at) FILTER
            (WHERE waits AND isfinite(at)))::float8 AS age
    FROM event
    """
)


@dataclass(slots=True)
class Report:
    """What was found. `anchors`: lines of the files by standing, and `met` by the walk; `numbers`:
    those that the lines of each file have; `lost`: the files that are known to be lost.

    `waiting`: events not sealed yet, the oldest since `oldest_seconds`.
    """

    positions: int = 0
    events: int = 0
    anchors: Counter[Standing] = field(default_factory=Counter)
    met: int = 0
    numbers: dict[str, Numbers] = field(default_factory=dict)
    lost: list[WrittenOff] = field(default_factory=list)
    waiting: int = 0
    oldest_seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    count: int = 0
    """Of the findings; more than `MOST_LISTED` are only counted."""

    def add(self, finding: Finding | None) -> None:
        """Take a finding in, if it is one."""
        if finding is not None:
            self.count += 1
            if len(self.findings) < MOST_LISTED:
                self.findings.append(finding)

    @property
    def whole(self) -> bool:
        """Nothing was found. (That there are no anchors is a finding, too.)"""
        return not self.count


def verify(files: Sequence[Anchors]) -> Report:
    """Check everything; opens transactions, as `worker`. Raises `OSError` for an anchor file
    that cannot be read; one that is not there is a finding, and so is one without all its lines."""
    report = Report()
    # Numbers are noted after their anchors, and these follow the commit of the links: read in this
    # order, every number noted has its line, and every line its link in the snapshot.
    noted = written() if files else {}
    sizes = [(one, one.size()) for one in files]
    with transaction() as session:
        session.execute(_ONE_SNAPSHOT)
        session.execute(_TIME)
        walk = Walk(anchors=[Anchored(_genuine(report, one, size)) for one, size in sizes if size])
        _walk(session, walk, report)
        _after_the_end(session, walk, report)
        _not_in_chain(session, walk, report)
        _not_in_files(session, walk, noted, report)
    _sum_up(walk, report)
    return report


def _walk(session: Session, walk: Walk, report: Report) -> None:
    checks = audit_checks.CHECKS
    for link in links(raw(session)):
        for check in checks:
            report.add(check(walk, link))
        walk.past(link)
        report.positions += 1


def _genuine(report: Report, file: Anchors, size: int) -> Iterator[Anchor]:
    for line in file.lines(size):
        report.anchors[line.standing] += 1
        if line.anchor is not None:
            found_of(report.numbers, str(file.path), line.anchor)
        if line.standing == "forged":
            says = f"锚点文件 {file.path} 第 {line.number} 行是伪造的，或被改过。"
            report.add(Finding("anchor", 0, says))
        elif line.standing == "genuine" and line.anchor is not None:
            yield line.anchor


def _after_the_end(session: Session, walk: Walk, report: Report) -> None:
    """Anchors of positions that the chain no longer has, and those out of their order."""
    cut = 0
    for of_file in walk.anchors:
        cut = max([cut, *(anchor.position for anchor in of_file.rest())])
        for anchor in of_file.strays:
            found = hash_at(session, anchor.position)
            if found is None or bytes(found).hex() != anchor.hash:
                says = f"第 {anchor.position} 位：与库外锚点不符，或已不在。"
                report.add(Finding("rewritten", anchor.position, says))
    if cut:
        says = f"链到第 {walk.position} 位为止，锚点却记到第 {cut} 位：尾部被删去了。"
        report.add(Finding("cut", walk.position, says))


def _not_in_chain(session: Session, walk: Walk, report: Report) -> None:
    earliest = datetime.fromtimestamp((walk.closed_at - TOLERANCE_US) / 1e6, UTC)
    row: Any = session.execute(_OPEN, {"closed": walk.closed, "earliest": earliest}).one()
    report.waiting, report.oldest_seconds = row.waiting, row.age or 0.0
    for number in row.first or ():
        says = f"事件 {number} 不在链上，编号却早已结清或从未发出：是插入的，或它的链环被删除。"
        report.add(Finding("inserted", 0, says))
    report.count += row.inserted - len(row.first or ())
    if row.untimely:
        says = f"{row.untimely} 条未封存的记录写的时间不对：时钟被拨动，或时间是假的。"
        report.add(Finding("time", 0, says))


def _not_in_files(
    session: Session, walk: Walk, noted: Mapping[str, Written], report: Report
) -> None:
    """Anchors that were written and are not there, when all lines have been read."""
    for of_file in walk.anchors:
        deque(of_file.rest(), maxlen=0)
    off = written_off(session)
    for says in faults(report.numbers, noted, off):
        report.add(Finding("anchors_lost", 0, says))
    report.lost = [one for file, one in off.items() if file not in report.numbers]


def _sum_up(walk: Walk, report: Report) -> None:
    report.events = walk.events
    report.met = sum(one.met for one in walk.anchors)
    if report.positions and not report.anchors["genuine"]:
        says = "没有可用的库外锚点：只核对了链本身。能改数据库的人若把链一起重算，这样发现不了。"
        report.add(Finding("no_anchors", 0, says))
    if report.oldest_seconds > LONGEST_WAIT.total_seconds():
        says = "最早一条未封存的记录已等了十分钟以上：请查看后台进程（shukun worker）是否在运行。"
        report.add(Finding("not_sealing", 0, says))
