"""一个切片 (a slice): its people matched, in one transaction; doing it twice changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import psycopg
from sqlalchemy.orm import Session

from backend.kernel.copy import Columns, Kind, raw, write_columns
from backend.matching import in_kind_rows, ledger
from backend.matching.counting import counted
from backend.matching.deciding import barred, by_policy, decide
from backend.matching.differences import changes
from backend.matching.due import due_in_kind
from backend.matching.editions import Edition
from backend.matching.ground import Ground
from backend.matching.numbers import numbers_of
from backend.matching.questions import Findings, open_questions
from backend.matching.reading import Ids, Reader, Slice
from backend.matching.slice_data import SliceData
from backend.matching.spans import pays_without_identity, spans_of

_STATE: Final[Mapping[str, Kind]] = {
    "person_id": "int8", "year": "int2", "data_version": "int8", "rules_id": "int4",
}  # fmt: skip
_SOME: Final = 0.3
"""Above this share of changed people, the whole slice is read."""

Summary = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What is asked: a slice, by which run and rules; `full`: compute everybody anew."""

    slice: Slice
    run_id: int
    edition: Edition
    full: bool = False


def match_slice(session: Session, task: Task) -> Summary:
    """Grants, differences, entitlements in kind and work for people, of one slice.

    Counts come back: people, how many were computed, entries and money by layer and kind. The
    transaction should be REPEATABLE READ: people are seen at one moment.
    """
    connection = raw(session)
    reader = Reader(connection, task.slice)
    versions = reader.versions()
    summary: Summary = {"people": len(versions["id"]), "computed": 0, "skipped": False}
    digest = _digest(task, versions)
    if not task.full and digest == _known_digest(connection, task.slice):
        return summary | {"skipped": True}
    changed = _changed(reader, task, versions)
    if len(changed):
        whole = len(changed) > _SOME * len(versions["id"])
        among = None if whole else changed
        summary |= _match(session, task, reader, versions, among)
        _remember_states(connection, task, versions, changed)
    _remember_digest(connection, task.slice, digest)
    return summary


def _match(
    session: Session, task: Task, reader: Reader, versions: Columns, among: Ids | None
) -> Summary:
    connection, ground, of = raw(session), _ground(session, task), task.slice
    last = ledger.read_last(reader, among)
    data = _read(reader, among, ground, last)
    barring = barred(data)
    found = changes(data, decide(data, ground, barring), last, versions, ground)
    ledger.write(connection, found.entries)
    due = due_in_kind(data, reader.disease_classes(among), ground)
    kind = in_kind_rows.compare(due.rows, in_kind_rows.read_standing(reader, among))
    added, ended = in_kind_rows.write(connection, kind, task.run_id, ground.year)
    findings = Findings(barring, found, due)
    return {
        "computed": len(data.people["id"]),
        "bills": len(data.bills["id"]),
        "in_kind_added": added,
        "in_kind_ended": ended,
        "opened": 0 if of.forgotten else open_questions(session, data, ground, findings),
        **counted(found.entries, kind, ground.numbers),
    }


def _ground(session: Session, task: Task) -> Ground:
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


def _read(reader: Reader, among: Ids | None, ground: Ground, last: Columns) -> SliceData:
    identities = reader.identities(among)
    concerned = among
    if not _everybody(ground):
        concerned = np.union1d(identities["person_id"], last["owner"])
    return SliceData(
        ground.county,
        reader.people(among),
        identities,
        reader.bills(concerned),
        reader.changes_of_insurance(among),
    )


def _everybody(ground: Ground) -> bool:
    """Whether people without an identity are paid something too: else their bills stay unread."""
    return any(
        pays_without_identity(ground.rules, policy, ground.county, date.fromordinal(own[0].first))
        for policy, own in by_policy(ground.spans)
    )


def _changed(reader: Reader, task: Task, versions: Columns) -> Ids:
    """The people whose data or rules are otherwise than when they were last computed."""
    ids: Ids = versions["id"]
    if task.full or not len(ids):
        return ids
    states = reader.states()
    if not len(states["person_id"]):
        return ids
    place = np.minimum(np.searchsorted(states["person_id"], ids), len(states["person_id"]) - 1)
    same = (
        (states["person_id"][place] == ids)
        & (states["data_version"][place] == versions["data_version"])
        & (states["rules_id"][place] == task.edition.id)
    )
    changed: Ids = ids[~same]
    return changed


def _digest(task: Task, versions: Columns) -> bytes:
    digest = hashlib.sha256(task.edition.digest)
    for name in ("id", "data_version"):
        digest.update(versions[name].tobytes())
    return digest.digest()


def _known_digest(connection: psycopg.Connection[Any], of: Slice) -> bytes | None:
    row = connection.execute(
        "SELECT digest FROM match_digest WHERE year = %s AND area_from = %s AND person_from = %s"
        " AND person_to = %s",
        [of.year, of.area_from, of.person_from, of.person_to],
    ).fetchone()
    return None if row is None else bytes(row[0])


def _remember_digest(connection: psycopg.Connection[Any], of: Slice, digest: bytes) -> None:
    connection.execute(
        "INSERT INTO match_digest (year, area_from, person_from, person_to, digest)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (year, area_from, person_from)"
        " DO UPDATE SET person_to = excluded.person_to, digest = excluded.digest",
        [of.year, of.area_from, of.person_from, of.person_to, digest],
    )


def _remember_states(
    connection: psycopg.Connection[Any], task: Task, versions: Columns, changed: Ids
) -> None:
    """COPY into the table where nobody of the slice stands there yet, else through another."""
    at = np.searchsorted(versions["id"], changed)
    rows: dict[str, Any] = {
        "person_id": changed,
        "year": np.full(len(changed), task.slice.year, np.int16),
        "data_version": versions["data_version"][at],
        "rules_id": np.full(len(changed), task.edition.id, np.int32),
    }
    connection.execute("CREATE TEMP TABLE match_state_now (LIKE match_state) ON COMMIT DROP")
    write_columns(connection, "match_state_now", _STATE, rows)
    connection.execute(
        "INSERT INTO match_state SELECT * FROM match_state_now ON CONFLICT (person_id, year)"
        " DO UPDATE SET data_version = excluded.data_version, rules_id = excluded.rules_id"
    )
