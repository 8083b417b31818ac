"""一个切片 (a slice): its people matched, in one transaction; doing it twice changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from backend.kernel.copy import Columns, raw
from backend.matching import in_kind_rows, ledger
from backend.matching.counting import counted, together
from backend.matching.deciding import Barred, barred, by_policy, decide
from backend.matching.differences import changes
from backend.matching.due import due_in_kind
from backend.matching.editions import Edition
from backend.matching.ground import Ground
from backend.matching.marks import EVERYBODY
from backend.matching.numbers import numbers_of
from backend.matching.on_application import (
    CouldApply,
    any_unclaimed,
    as_applied_for,
    could_apply,
    read_claimed,
)
from backend.matching.parts import LARGEST
from backend.matching.questions import Findings, left_open, open_questions
from backend.matching.reading import Ids, Reader, Slice
from backend.matching.slice_data import SliceData
from backend.matching.spans import pays_without_identity, spans_of

_BY_INDEX: Final = "; ".join(
    f"SET LOCAL {name}"
    for name in (
        "enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off",
        "enable_bitmapscan = off",
        "jit = off", "max_parallel_workers_per_gather = 0", "join_collapse_limit = 1",
    )
)  # fmt: skip
"""A slice is a small part of large tables that grow while runs go on: their statistics lag behind,
and would have them read whole for every slice. Tables are joined by index in the order written;
what runs in parallel is the slices."""
_SOME: Final = 0.3
"""Above this share of changed people, the whole slice is read."""

Summary = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What is asked: a slice, by which run and rules; whom to compute (`marks.py`)."""

    slice: Slice
    run_id: int
    edition: Edition
    seen: str = EVERYBODY


def match_slice(session: Session, task: Task) -> Summary:
    """Grants, differences, entitlements in kind and work for people, of one slice.

    Counts come back: people, how many were computed, entries and money by layer and kind. The
    transaction should be REPEATABLE READ: people are seen at one moment.
    """
    connection = raw(session)
    connection.execute(_BY_INDEX)
    reader = Reader(connection, task.slice)
    people = task.slice.people
    changed = None if task.seen == EVERYBODY else reader.changed(task.seen)
    count = people if changed is None else len(changed["id"])
    counts = [_match(session, task, reader, some) for some in _pieces(people, changed)]
    return {"people": people, "computed": count, "skipped": not count, **together(counts)}


def _pieces(people: int, changed: Columns | None) -> list[Columns | None]:
    """Whom to compute, so many at a time; None: the whole slice."""
    if changed is None:
        return [None]
    count = len(changed["id"])
    if _SOME * people < count <= people <= LARGEST:
        return [None]
    ends = [(start, start + LARGEST) for start in range(0, count, LARGEST)]
    return [{name: column[slice(*end)] for name, column in changed.items()} for end in ends]


def _match(session: Session, task: Task, reader: Reader, some: Columns | None) -> Summary:
    """`some`: the people to compute; None: everybody."""
    connection, ground, of = raw(session), ground_of(session, task), task.slice
    among = None if some is None else some["id"]
    last, standing = ledger.read_last(reader, among), in_kind_rows.read_standing(reader, among)
    data = read_slice(reader, some, ground, (last["owner"], standing["owner"]))
    barring = barred(data)
    decided = decide(as_applied_for(data, ground.spans, ground.numbers), ground, barring)
    found = changes(data, decided, last, ground)
    ledger.write(connection, found.entries)
    due = due_in_kind(data, reader.earlier_disease_classes(data.people["id"]), ground)
    kind = in_kind_rows.compare(due.rows, standing)
    added, ended = in_kind_rows.write(connection, kind, task.run_id, ground.year)
    findings = Findings(
        barring, found, due, ground.numbers, decided=bool(ground.spans), among=among
    )
    return {
        "bills": len(data.bills["id"]),
        "in_kind_added": added,
        "in_kind_ended": ended,
        "opened": 0 if of.forgotten else open_questions(session, reader, data, findings),
        "left_open": dict.fromkeys(left_open(due), 1),
        "could_apply": _could_apply(data, ground, barring),
        **counted(found.entries, kind, ground.numbers),
    }


def applicable(data: SliceData, ground: Ground, barring: Barred) -> CouldApply | None:
    """What the people could apply for on their bills; None: there is nothing of the kind."""
    if not any_unclaimed(data, ground.spans, ground.numbers):
        return None
    whole = decide(data, ground, barring)
    return could_apply(data, whole, ground.spans, ground.numbers)


def _could_apply(data: SliceData, ground: Ground, barring: Barred) -> dict[str, list[int]]:
    """Layer → [people, bills, fen]."""
    found = applicable(data, ground, barring)
    names = {} if found is None else {number: one for one, number in ground.numbers.layers.items()}
    counts: dict[str, list[int]] = {}
    for layer in [] if found is None else np.unique(found.layer).tolist():
        assert found is not None
        at = found.layer == layer
        people = len(np.unique(data.owners[found.bill[at]]))
        counts[names[layer]] = [people, int(at.sum()), int(found.amount[at].sum())]
    return counts


def ground_of(session: Session, task: Task) -> Ground:
    """What matching the slice stands on."""
    rules, year = task.edition.rules, task.slice.year
    county = f"{task.slice.area_from // 1_000_000:06d}"
    forgotten = task.slice.forgotten  # nothing is due to people of whom nothing is known
    return Ground(
        run_id=task.run_id,
        rules_id=task.edition.id,
        rules=rules,
        year=year,
        county=county,
        spans=() if forgotten else spans_of(rules, county, year),
        numbers=numbers_of(session, rules.book),
    )


def read_slice(
    reader: Reader, some: Columns | None, ground: Ground, granted: tuple[Ids, Ids]
) -> SliceData:
    """The people whom a rule could concern: all of them, or those who hold or were given anything.

    `granted`: whom the ledger and the entitlements name.
    """
    concerned = None if some is None else some["id"]
    identities = reader.identities(concerned)
    if not _everybody(ground):
        concerned = np.unique(np.concatenate([identities["person_id"], *granted]))
    return SliceData(
        ground.county,
        reader.people(concerned) if some is None or concerned is None else _those(some, concerned),
        identities,
        reader.bills(concerned),
        reader.changes_of_insurance(concerned),
        read_claimed(reader.connection, ground.spans),
    )


def _those(people: Columns, ids: Ids) -> Columns:
    wanted = np.isin(people["id"], ids)
    return {name: column[wanted] for name, column in people.items()}


def _everybody(ground: Ground) -> bool:
    """Whether people without an identity are paid something too: else their bills stay unread."""
    return any(
        pays_without_identity(ground.rules, policy, ground.county, date.fromordinal(own[0].first))
        for policy, own in by_policy(ground.spans)
    )
