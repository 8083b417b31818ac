"""台账 (the ledger): what was granted on each bill and layer; differences are added, never changed.

应退应补: a higher amount is a top-up, a lower one a refund due. An amount that a later file brings
as paid, and that is just what was granted, settles the grant; another is for a person to judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum, IntFlag
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg

from backend.kernel.copy import Columns, Kind, write_columns
from backend.matching.reading import Ids, Reader, rows_of


class EntryKind(IntEnum):
    """`grant_entry.kind`."""

    GRANT = 1
    TOP_UP = 2
    REFUND_DUE = 3
    SETTLED = 4
    RESTATED = 5
    """The same amount under another identity or policy."""


class Reason(IntFlag):
    """`grant_entry.reason`: what is otherwise than at the entry before."""

    FIRST = 1
    BILL = 2
    """This bill was corrected, or taken back."""
    IDENTITY = 4
    PERSON = 8
    OTHER_BILL = 16
    """Another bill of the year, or anything else known of the person."""
    RULES = 32


KINDS: Final[Mapping[EntryKind, str]] = {
    EntryKind.GRANT: "发放",
    EntryKind.TOP_UP: "应补",
    EntryKind.REFUND_DUE: "应退",
    EntryKind.SETTLED: "已结清",
    EntryKind.RESTATED: "依据变更",
}

ENTRY: Final[Mapping[str, Kind]] = {
    "bill_id": "int8", "layer": "int2", "seq": "int2", "person_id": "int8", "area": "int8",
    "year": "int2", "run_id": "int8", "kind": "int2", "amount": "int8", "amount_after": "int8",
    "policy": "int2", "identity": "int2", "rules_id": "int4", "data_version": "int8",
    "reason": "int2",
}  # fmt: skip
_LAST: Final[Mapping[str, Kind]] = {
    "owner": "int8", "bill_id": "int8", "layer": "int2", "seq": "int2", "person_id": "int8",
    "area": "int8", "year": "int2", "kind": "int2", "amount_after": "int8", "policy": "int2",
    "identity": "int2", "rules_id": "int4", "data_version": "int8",
}  # fmt: skip
_NAMES: Final = ", ".join(f"g.{name}" for name in list(_LAST)[1:])
_ENTRIES: Final = f"SELECT p.id, {_NAMES} FROM {{entries}} WHERE {{{{who}}}}"
_OWN: Final = f"{{people}} {rows_of('p.id', 'grant_entry', 'g')} ON true"
_MERGED: Final = (
    "{people} JOIN person_merge m ON m.person_id = p.id AND m.undone_at IS NULL"
    f" {rows_of('m.merged_id', 'grant_entry', 'g')} ON true"
)
_MOVED: Final = (
    "(SELECT b.id, b.person_id FROM bill_moved m JOIN bill b ON b.id = m.bill_id OFFSET 0) b"
    " JOIN {people} ON p.id = b.person_id JOIN grant_entry g ON g.bill_id = b.id"
)
"""Entries of the people, of people merged into them, and of bills that were another person's: few
bills ever were, so the search begins with these (`OFFSET 0`)."""
_MERGES_IN_A_ROW: Final = 4
LAYER_BITS: Final = 5
"""A bill and a layer as one number: `bill_id << 5 | layer`."""


def read_last(reader: Reader, among: Ids | None) -> Columns:
    """The last entry of every bill and layer of the people, by bill and layer.

    `owner`: the person of the slice who is concerned. `person_id`: to whom it was granted: another
    person where the bill was corrected to be the owner's; of merged people the one they are.
    """
    found = [
        reader.read(_ENTRIES.format(entries=entries), _LAST, among)
        for entries in (*reader.also_merged(_OWN, _MERGED), *([_MOVED] if reader.any_moved else []))
    ]
    return _joined(found, reader.merges)


def _joined(parts: Sequence[Columns], merges: Columns) -> Columns:
    both = {name: np.concatenate([part[name] for part in parts]) for name in _LAST}
    both["person_id"] = _as_merged(merges, both["person_id"])
    keys = key_of(both["bill_id"], both["layer"])
    order = np.lexsort((both["seq"], keys))
    last = np.append(keys[order][1:] != keys[order][:-1], True)[: len(order)]
    return {name: column[order][last] for name, column in both.items()}


def _as_merged(merges: Columns, people: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The people whom merged people are now."""
    for _ in range(_MERGES_IN_A_ROW):
        place, merged = find(merges["merged_id"], people)
        people = take(merges["person_id"], place, merged, 0) + np.where(merged, 0, people)
    return people


def write(connection: psycopg.Connection[Any], entries: Columns) -> int:
    """Append entries; their number."""
    return write_columns(connection, "grant_entry", ENTRY, entries)


def key_of(bills: npt.NDArray[np.int64], layers: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """A bill and a layer as one number, in their order."""
    return (bills << LAYER_BITS) | layers.astype(np.int64)


def find(sorted_values: Any, wanted: Any) -> tuple[Any, npt.NDArray[np.bool_]]:
    """The place of each wanted value among sorted ones, and whether it is there."""
    if not len(sorted_values):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    place = np.minimum(np.searchsorted(sorted_values, wanted), len(sorted_values) - 1)
    return place, sorted_values[place] == wanted


def take(values: Any, place: Any, there: Any, otherwise: int) -> Any:
    """The values at the places, `otherwise` where they are not there."""
    if not len(values):
        return np.full(len(place), otherwise, np.asarray(values).dtype)
    return np.where(there, values[place], np.asarray(otherwise, np.asarray(values).dtype))
