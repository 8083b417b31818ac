"""待遇登记 (rows in kind): what is due in kind, changed only where it is otherwise now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg

from backend.kernel.copy import Columns, Kind, write_columns
from backend.matching.reading import Ids, Reader, rows_of

ROW: Final[Mapping[str, Kind]] = {
    "person_id": "int8", "year": "int2", "policy": "int2", "code": "int2", "from_on": "date",
    "run_id": "int8", "to_on": "date", "delivery": "int2", "area": "int8",
}  # fmt: skip
_STANDING: Final[Mapping[str, Kind]] = {
    "owner": "int8",
    "person_id": "int8", "policy": "int2", "code": "int2", "from_on": "date", "to_on": "date",
    "delivery": "int2",
}  # fmt: skip
_SAME: Final = ("person_id", "policy", "code", "from_on", "to_on", "delivery")

_END: Final = """
    UPDATE entitlement SET ended_by_run = %s
    FROM unnest(%s::bigint[], %s::smallint[], %s::smallint[], %s::integer[])
            AS gone (person_id, policy, code, from_day),
        LATERAL (
            SELECT e.ctid AS row FROM entitlement e
            WHERE e.person_id = gone.person_id AND e.year = %s AND e.policy = gone.policy
                AND e.code = gone.code AND e.ended_by_run = 0 AND e.application_id = 0
                AND e.from_on = date '0001-01-01' + (gone.from_day - 1)
            OFFSET 0
        ) AS found
    WHERE entitlement.ctid = found.row
"""
"""Each row by the key: statistics that do not know the year yet would join all with all."""


@dataclass(frozen=True)
class KindChanges:
    """Rows to write, and the rows that stand no more."""

    added: Columns
    ended: Columns


def read_standing(reader: Reader, among: Ids | None) -> Columns:
    """The rows of the year that stand, also of people merged into these (`owner`: who they are)."""
    names = ", ".join(f"e.{name}" for name in list(_STANDING)[1:])
    # What a certification brought is nobody's to end but its application's.
    standing = f"e.year = {reader.slice.year:d} AND e.ended_by_run = 0 AND e.application_id = 0"
    own = rows_of("p.id", "entitlement", "e")
    merged = "JOIN person_merge m ON m.person_id = p.id AND m.undone_at IS NULL " + rows_of(
        "m.merged_id", "entitlement", "e"
    )
    found = [
        reader.read(
            f"SELECT p.id, {names} FROM {{people}} {owner} ON {standing} WHERE {{who}}",
            _STANDING,
            among,
        )
        for owner in reader.also_merged(own, merged)
    ]
    return {name: np.concatenate([part[name] for part in found]) for name in _STANDING}


def compare(due: Columns, standing: Columns) -> KindChanges:
    """What is due against what stands; both hold the columns of `_SAME`."""
    if not len(standing["person_id"]):
        return KindChanges(due, standing)
    ours = len(due["person_id"])
    in_both = _twice([np.concatenate([due[name], standing[name]]) for name in _SAME])
    return KindChanges(
        {name: column[~in_both[:ours]] for name, column in due.items()},
        {name: column[~in_both[ours:]] for name, column in standing.items()},
    )


def _twice(columns: list[npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    """Whether each row stands there a second time; none stands there more often."""
    order = np.lexsort(columns)
    rows = [column[order] for column in columns]
    same = np.logical_and.reduce([column[1:] == column[:-1] for column in rows])
    twice = np.zeros(len(order), np.bool_)
    twice[order[1:][same]] = True
    twice[order[:-1][same]] = True
    return twice


def write(
    connection: psycopg.Connection[Any], found: KindChanges, run_id: int, year: int
) -> tuple[int, int]:
    """Write the new rows and end those that stand no more; returns how many of each."""
    ended = found.ended
    if len(ended["person_id"]):
        columns = ("person_id", "policy", "code", "from_on")
        connection.execute(_END, [run_id, *(ended[name].tolist() for name in columns), year])
    added = dict(found.added)
    count = len(added["person_id"])
    if count:
        added["year"] = np.full(count, year, np.int16)
        added["run_id"] = np.full(count, run_id, np.int64)
        write_columns(connection, "entitlement", ROW, added)
    return count, len(ended["person_id"])
