"""运行 (runs): an area and year matched slice by slice, by any number of workers, then released.

A run computes and shows. Messages go out and money moves only when two people have released it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Final

import psycopg
from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.areas import is_area
from backend.kernel.audit import Subject
from backend.kernel.copy import raw
from backend.kernel.errors import DomainError, Fault
from backend.matching.editions import current_edition, edition
from backend.matching.marks import EVERYBODY, claim, held, moment, settle
from backend.matching.numbers import numbers_of
from backend.matching.parts import LARGEST, SPARSE, slices_of
from backend.matching.questions import open_lists
from backend.matching.reading import Slice
from backend.matching.slices import Summary, Task, match_slice
from backend.matching.tables import MATCH_PART, MATCH_RUN
from backend.policies.book import UnknownArea

_ONE_SNAPSHOT: Final = {"isolation_level": "REPEATABLE READ"}


class UnknownRun(DomainError):
    """No run has this number."""

    code: ClassVar[str] = "unknown-run"


@dataclass(frozen=True, slots=True)
class StartRun:
    """运行: match `area` (6 digits) for `year` as of a day. `full`: compute everybody anew.

    `largest`: people in a part all of whom are computed.
    """

    area: str
    year: int
    as_of: date
    by: str
    full: bool = False
    catalogue: tuple[Path, ...] = ()
    largest: int = LARGEST


@dataclass(frozen=True, slots=True)
class Begun:
    """A run and the numbers of its parts still to be computed. `resumed`: it was begun before."""

    run_id: int
    parts: tuple[int, ...]
    resumed: bool


def start_run(session: Session, command: StartRun) -> Begun:
    """Cut the area and write down the run; a run of the same area and year still computing goes on.

    Raises `UnknownArea`.
    """
    check_area(command.area)
    same = (MATCH_RUN.c.area == int(command.area)) & (MATCH_RUN.c.year == command.year)
    rules = current_edition(session, command.catalogue)
    numbers_of(session, rules.rules.book)
    began = moment(raw(session))
    new = (
        insert(MATCH_RUN)
        .values(
            area=int(command.area), year=command.year, as_of=command.as_of, full=command.full,
            rules_id=rules.id, state="computing", started_by=command.by,
            cluster=began.cluster, seen=began.seen,
        )
        .on_conflict_do_nothing()
        .returning(MATCH_RUN.c.id)
    )  # fmt: skip
    run_id = session.execute(new).scalar_one_or_none()
    if run_id is None:
        query = select(MATCH_RUN.c.id).where(same & (MATCH_RUN.c.state == "computing"))
        run_id = session.execute(query).scalar_one()
        return Begun(run_id, open_parts(session, run_id), resumed=True)
    seen = held(raw(session), command.area, command.year, rules.id, began)
    parts = _parts_of(raw(session), command, {} if command.full else seen)
    marked = {_marked(one, command.area) for one, _ in parts}
    claim(raw(session), run_id, command.year, marked)
    _write_parts(session, run_id, parts)
    audited(session, command.by, "match.start", run_id, {"parts": len(parts)})
    return Begun(run_id, tuple(range(len(parts))), resumed=False)


def _parts_of(
    connection: psycopg.Connection[Any], command: StartRun, seen: Mapping[int, str]
) -> list[tuple[Slice, str]]:
    """The slices, each with whom to compute of it; the largest first, that none is waited for."""

    def largest(county: int) -> int:
        return command.largest * (SPARSE if county in seen else 1)

    slices = slices_of(connection, command.area, command.year, largest)
    slices.sort(key=lambda one: -one.people)
    return [(one, seen.get(_marked(one, command.area), EVERYBODY)) for one in slices]


def check_area(area: str) -> None:
    """Raises `UnknownArea` for anything but a province, city or county."""
    if len(area) != 6 or not is_area(area):
        detail = "没有这个地区代码，请填六位行政区划代码，例如 320281。"
        raise UnknownArea(Fault("/area", detail))


def open_parts(session: Session, run_id: int) -> tuple[int, ...]:
    """The numbers of the parts that nobody has finished."""
    query = (
        select(MATCH_PART.c.number)
        .where(MATCH_PART.c.run_id == run_id, MATCH_PART.c.state == "open")
        .order_by(MATCH_PART.c.number)
    )
    return tuple(session.execute(query).scalars())


def compute_part(session: Session, run_id: int, number: int) -> Summary | None:
    """Match one slice; None where it was done already. The first deed of its transaction.

    Who does it at the same time waits here, then fails to serialize, and finds it done when the job
    is tried again: once in effect.
    """
    session.connection(execution_options=_ONE_SNAPSHOT)
    mine = (MATCH_PART.c.run_id == run_id) & (MATCH_PART.c.number == number)
    part = session.execute(select(MATCH_PART).where(mine).with_for_update()).one()
    return None if part.state == "done" else _compute(session, part)


def compute_next(session: Session, run_id: int) -> Summary | None:
    """Match a slice that is open and nobody's; None where there is none. The first deed of its
    transaction. Fails to serialize where somebody finished the slice just now."""
    session.connection(execution_options=_ONE_SNAPSHOT)
    open_ = (MATCH_PART.c.run_id == run_id) & (MATCH_PART.c.state == "open")
    next_ = select(MATCH_PART).where(open_).order_by(MATCH_PART.c.number).limit(1)
    part = session.execute(next_.with_for_update(skip_locked=True)).first()
    return None if part is None else _compute(session, part)


def _compute(session: Session, part: Row[Any]) -> Summary:
    run = run_of(session, part.run_id)
    of = _slice(part, run.year)
    summary = match_slice(session, Task(of, run.id, edition(session, run.rules_id), part.seen))
    mine = (MATCH_PART.c.run_id == run.id) & (MATCH_PART.c.number == part.number)
    session.execute(
        update(MATCH_PART).where(mine).values(state="done", summary=summary, finished_at=func.now())
    )
    return summary


def finish_run(session: Session, run_id: int) -> bool:
    """Call the run computed once no part is open; whether it is."""
    nothing_open = ~select(MATCH_PART.c.number).where(
        MATCH_PART.c.run_id == run_id, MATCH_PART.c.state == "open"
    ).exists()  # fmt: skip
    done = session.execute(
        update(MATCH_RUN)
        .where(MATCH_RUN.c.id == run_id, MATCH_RUN.c.state == "computing", nothing_open)
        .values(state="computed", computed_at=func.now())
        .returning(MATCH_RUN.c.year, MATCH_RUN.c.area)
    ).first()
    if done is not None:
        parts = list(_parts(session, run_id, done.year))
        areas = {_marked(one, f"{done.area:06d}") for one, _ in parts}
        settle(raw(session), run_id, done.year, areas)
        left_open = ((_county(one), summary.get("left_open", ())) for one, summary in parts)
        open_lists(session, done.year, left_open)
    return bool(run_of(session, run_id).state != "computing")


def _parts(session: Session, run_id: int, year: int) -> Iterator[tuple[Slice, Summary]]:
    for part in session.execute(select(MATCH_PART).where(MATCH_PART.c.run_id == run_id)):
        yield _slice(part, year), part.summary


def _slice(part: Row[Any], year: int) -> Slice:
    ends = (part.area_from, part.area_to, part.person_from, part.person_to)
    return Slice(year, *ends, part.people)


def _county(part: Slice) -> int:
    return part.area_from // 1_000_000


def _marked(part: Slice, area: str) -> int:
    """The area whose mark speaks of the part: its county; of the forgotten, the run's own."""
    return int(area) if part.forgotten else _county(part)


def run_of(session: Session, run_id: int) -> Row[Any]:
    """The run's row. Raises `UnknownRun`."""
    row = session.execute(select(MATCH_RUN).where(MATCH_RUN.c.id == run_id)).first()
    if row is None:
        raise UnknownRun(Fault("/id", "没有这次运行，请核对编号。"))
    return row


def summaries(session: Session, run_id: int) -> list[Summary]:
    """What each finished part counted."""
    query = select(MATCH_PART.c.summary).where(
        MATCH_PART.c.run_id == run_id, MATCH_PART.c.state == "done"
    )
    return list(session.execute(query).scalars())


def total_of(parts: Sequence[Summary]) -> Summary:
    """The sums over parts; `skipped`: in how many nobody had changed."""
    total: Summary = {
        "parts": len(parts), "skipped": 0, "people": 0, "computed": 0, "bills": 0,
        "in_kind_added": 0, "in_kind_ended": 0, "opened": 0, "entries": {},
    }  # fmt: skip
    for part in parts:
        for name in total.keys() - {"parts", "entries"}:
            total[name] += int(part.get(name, 0))
        for layer, kinds in part.get("entries", {}).items():
            for kind, (count, money) in kinds.items():
                known = total["entries"].setdefault(layer, {}).setdefault(kind, [0, 0])
                known[0], known[1] = known[0] + count, known[1] + money
    return total


def nothing_changed(total: Mapping[str, Any]) -> bool:
    """Whether the run wrote nothing to the ledger and nothing in kind."""
    return not (total["entries"] or total["in_kind_added"] or total["in_kind_ended"])


def _write_parts(session: Session, run_id: int, parts: Sequence[tuple[Slice, str]]) -> None:
    rows = [
        {
            "run_id": run_id,
            "number": number,
            "area_from": part.area_from,
            "area_to": part.area_to,
            "person_from": part.person_from,
            "person_to": part.person_to,
            "people": part.people,
            "seen": seen,
            "state": "open",
        }
        for number, (part, seen) in enumerate(parts)
    ]
    if rows:
        session.execute(MATCH_PART.insert(), rows)


def audited(session: Session, by: str, action: str, run_id: int, detail: dict[str, Any]) -> None:
    """Write down what somebody did to a run."""
    audit.record(
        session, actor=by, action=action, subject=Subject("match_run", str(run_id)), detail=detail
    )
