"""运行总览 (overview): what a run did, in counts and sums: nobody and no bill can be told from it.

Read from what each part counted in the transaction that wrote it, never from the ledger itself, so
that a province is as quick as a county.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, select, text
from sqlalchemy.orm import Session

from backend.citizens.tables import LAYERS
from backend.kernel.areas import code_range
from backend.matching.explaining import REASONS
from backend.matching.ledger import EntryKind
from backend.matching.runs import check_area, run_of, summaries, total_of
from backend.matching.slices import Summary
from backend.matching.tables import MATCH_PART, MATCH_RUN
from backend.worklist.lists import KindCount, Within, kind_counts

STATES: Final = {"computing": "正在计算", "computed": "已算完，等待放行", "released": "已放行"}
_PLACES: Final = 1_000_000
"""Of a county among twelve-digit codes."""


@dataclass(frozen=True, slots=True)
class RunShown:
    """A run: `area` has six digits; `as_of`: the day on which it looked; `parts`: of which `done`
    are computed."""

    id: int
    area: str
    year: int
    as_of: date
    full: bool
    state: str
    started_by: str
    started_at: datetime
    computed_at: datetime | None
    first_release_by: str | None
    first_release_at: datetime | None
    released_by: str | None
    released_at: datetime | None
    parts: int
    done: int


@dataclass(frozen=True, slots=True)
class RunsAsked:
    """Which runs: of the area or a place within it, of the year, older than `before`."""

    area: str | None = None
    year: int | None = None
    before: int | None = None
    most: int = 20


@dataclass(frozen=True, slots=True)
class EntrySum:
    """Entries of one layer and kind (`EntryKind` in small letters). Money in fen: what the entries
    change; of settled ones what is settled."""

    layer: str
    kind: str
    count: int
    money: int


@dataclass(frozen=True, slots=True)
class InKindSum:
    """One entitlement in kind: rows that began and ended."""

    policy: str
    entitlement: str
    added: int
    ended: int


@dataclass(frozen=True, slots=True)
class LayerChange:
    """One layer (fen): what stood before the run, what it added and took back (0 or less), what
    stands since."""

    layer: str
    before: int
    more: int
    less: int

    @property
    def after(self) -> int:
        """What stands since."""
        return self.before + self.more + self.less


@dataclass(frozen=True, slots=True)
class ReasonSum:
    """Entries made for the same reasons (fen). `codes`: of `Reason`, in small letters."""

    codes: tuple[str, ...]
    text: str
    count: int
    more: int
    less: int


@dataclass(frozen=True, slots=True)
class CouldApplySum:
    """A layer that is paid on application alone: what those whom the run computed could still apply
    for (fen)."""

    layer: str
    people: int
    bills: int
    money: int


@dataclass(frozen=True, slots=True)
class RunOverview:
    """Everything of one run. `skipped`: parts known to be unchanged; `opened`: work items that it
    opened; `waiting`: those open in the area now; `previous`: the run before it, if any."""

    run: RunShown
    people: int
    computed: int
    bills: int
    skipped: int
    opened: int
    entries: tuple[EntrySum, ...]
    in_kind: tuple[InKindSum, ...]
    layers: tuple[LayerChange, ...]
    reasons: tuple[ReasonSum, ...]
    could_apply: tuple[CouldApplySum, ...]
    waiting: tuple[KindCount, ...]
    previous: RunShown | None


def list_runs(session: Session, asked: RunsAsked) -> list[RunShown]:
    """The newest first. Raises `UnknownArea`."""
    query = _shown().order_by(MATCH_RUN.c.id.desc()).limit(asked.most)
    if asked.area is not None:
        check_area(asked.area)
        low, high = (code // _PLACES for code in code_range(asked.area))
        query = query.where(MATCH_RUN.c.area.between(low, high))
    if asked.year is not None:
        query = query.where(MATCH_RUN.c.year == asked.year)
    if asked.before is not None:
        query = query.where(MATCH_RUN.c.id < asked.before)
    return [_run(row) for row in session.execute(query)]


def areas_with_runs(session: Session) -> tuple[str, ...]:
    """The areas that were ever matched, by code."""
    query = select(MATCH_RUN.c.area).distinct().order_by(MATCH_RUN.c.area)
    return tuple(f"{area:06d}" for area in session.execute(query).scalars())


def overview(session: Session, run_id: int, today: date) -> RunOverview:
    """One run. Work items are seen as far as `acting` lets. Raises `UnknownRun`."""
    run = _run(session.execute(_shown().where(MATCH_RUN.c.id == run_of(session, run_id).id)).one())
    parts = summaries(session, run_id)
    total = total_of(parts)
    low, high = code_range(run.area)
    return RunOverview(
        run=run,
        **{name: total[name] for name in ("people", "computed", "bills", "skipped", "opened")},
        entries=tuple(_entries(total["entries"])),
        in_kind=tuple(_in_kind(parts)),
        layers=tuple(_layers(_standing_before(session, run), total["entries"])),
        reasons=tuple(_reasons(parts)),
        could_apply=tuple(_could_apply(parts)),
        waiting=tuple(kind_counts(session, Within(low, high), today)),
        previous=_previous(session, run),
    )


def _shown() -> Select[Any]:
    own = MATCH_PART.c.run_id == MATCH_RUN.c.id
    parts = select(func.count()).where(own)
    return select(
        MATCH_RUN,
        parts.scalar_subquery().label("parts"),
        parts.where(MATCH_PART.c.state == "done").scalar_subquery().label("done"),
    )


def _run(row: Row[Any]) -> RunShown:
    values = {name: row._mapping[name] for name in RunShown.__slots__}
    return RunShown(**values | {"area": f"{row.area:06d}"})


def _previous(session: Session, run: RunShown) -> RunShown | None:
    same: ColumnElement[bool] = (
        (MATCH_RUN.c.area == int(run.area))
        & (MATCH_RUN.c.year == run.year)
        & (MATCH_RUN.c.id < run.id)
    )
    row = session.execute(_shown().where(same).order_by(MATCH_RUN.c.id.desc()).limit(1)).first()
    return None if row is None else _run(row)


def _standing_before(session: Session, run: RunShown) -> dict[str, int]:
    """By layer (fen), what all earlier runs granted and took back for the year in this area."""
    low, high = code_range(run.area)
    asked = {"year": run.year, "run": run.id, "low": low, "high": high}
    return {row.layer: int(row.money) for row in session.execute(_GRANTED_BEFORE, asked)}


_GRANTED_BEFORE: Final = text(
    """
    SELECT layer.key AS layer, sum((kind.value ->> 1)::bigint) AS money
    FROM match_run run JOIN match_part part ON part.run_id = run.id,
        jsonb_each(part.summary -> 'entries') AS layer, jsonb_each(layer.value) AS kind
    WHERE run.year = :year AND run.id < :run AND part.area_from BETWEEN :low AND :high
        AND kind.key IN ('grant', 'top_up', 'refund_due')
    GROUP BY layer.key
    """
)


def _entries(found: Mapping[str, Mapping[str, Sequence[int]]]) -> list[EntrySum]:
    return [
        EntrySum(layer, kind.name.lower(), *found[layer][kind.name.lower()])
        for layer in _in_order(found)
        for kind in EntryKind
        if kind.name.lower() in found[layer]
    ]


def _layers(
    before: Mapping[str, int], entries: Mapping[str, Mapping[str, Sequence[int]]]
) -> list[LayerChange]:
    def money(layer: str, *kinds: str) -> int:
        return sum(entries.get(layer, {}).get(kind, (0, 0))[1] for kind in kinds)

    return [
        LayerChange(
            layer,
            before.get(layer, 0),
            more=money(layer, "grant", "top_up"),
            less=money(layer, "refund_due"),
        )
        for layer in _in_order({**before, **entries})
    ]


def _in_order(layers: Mapping[str, Any]) -> list[str]:
    """In the order of payment."""
    return [layer for layer in LAYERS if layer in layers]


def _in_kind(parts: Sequence[Summary]) -> list[InKindSum]:
    found = _summed(parts, "in_kind")
    names = {name: name.split("/", 1) for name in sorted(found)}
    return [InKindSum(policy, code, *found[name]) for name, (policy, code) in names.items()]


def _reasons(parts: Sequence[Summary]) -> list[ReasonSum]:
    found = {int(bits): sums for bits, sums in _summed(parts, "reasons").items()}
    return [_reason(bits, found[bits]) for bits in sorted(found)]


def _reason(bits: int, sums: Sequence[int]) -> ReasonSum:
    held = [reason for reason in REASONS if reason & bits]
    codes = tuple((reason.name or "").lower() for reason in held)
    return ReasonSum(codes, "；".join(REASONS[reason] for reason in held), *sums)


def _could_apply(parts: Sequence[Summary]) -> list[CouldApplySum]:
    found = _summed(parts, "could_apply")
    return [CouldApplySum(layer, *found[layer]) for layer in _in_order(found)]


def _summed(parts: Sequence[Summary], name: str) -> dict[str, list[int]]:
    total: dict[str, list[int]] = {}
    for part in parts:
        for key, counts in part.get(name, {}).items():
            known = total.setdefault(key, [0] * len(counts))
            total[key] = [a + b for a, b in zip(known, counts, strict=True)]
    return total
