"""台账 (the ledger): what was granted on each bill and layer; differences are added, never changed.

应退应补: a higher amount is a top-up, a lower one a refund due. An amount that a later file brings
as paid, and that is just what was granted, settles the grant; another is for a person to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg

from backend.citizens.tables import LAYERS, NOT_SETTLED
from backend.kernel.copy import Columns, Kind, write_columns
from backend.matching.ground import Ground
from backend.matching.numbers import Numbers
from backend.matching.reading import Ids, Reader
from backend.matching.slice_data import Decided, SliceData


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
    "bill_id": "int8", "layer": "int2", "seq": "int2", "person_id": "int8", "year": "int2",
    "kind": "int2", "amount_after": "int8", "policy": "int2", "identity": "int2",
    "rules_id": "int4", "data_version": "int8",
}  # fmt: skip
_LAYER_BITS: Final = 5
"""A bill and a layer as one number: `bill_id << 5 | layer`."""


@dataclass(frozen=True)
class Changes:
    """New entries, and what is for a person: grants on which another amount was paid."""

    entries: Columns
    differing: Columns
    """`bill_id`, `person_id`, `layer`, `granted`, `paid`."""


def read_last(reader: Reader, among: Ids | None) -> Columns:
    """The last entry of every bill and layer of the people, by bill and layer."""
    names = ", ".join(f"g.{name}" for name in _LAST)
    query = (
        f"SELECT DISTINCT ON (g.bill_id, g.layer) {names} FROM person p"
        " JOIN grant_entry g ON g.person_id = p.id WHERE {who}"
        " ORDER BY g.bill_id, g.layer, g.seq DESC"
    )
    return reader.read(query, _LAST, among)


def changes(
    data: SliceData, decided: Decided, last: Columns, versions: Columns, ground: Ground
) -> Changes:
    """What must be written so that the ledger says what was decided; nothing where it does."""
    return _Comparison(data, decided, last, versions, ground).changes()


def write(connection: psycopg.Connection[Any], entries: Columns) -> int:
    """Append entries; their number."""
    return write_columns(connection, "grant_entry", ENTRY, entries)


class _Comparison:
    """Decided and last entries side by side, one row a bill and layer in either."""

    def __init__(
        self, data: SliceData, decided: Decided, last: Columns, versions: Columns, ground: Ground
    ) -> None:
        self.data, self.ground = data, ground
        bills = data.bills
        now = _key(bills["id"][decided.bill], decided.layer)
        rising = np.argsort(now)
        now = now[rising]
        before = _key(last["bill_id"], last["layer"])
        self.keys = np.union1d(now, before)
        self.bill_id = self.keys >> _LAYER_BITS
        self.layer = (self.keys & ((1 << _LAYER_BITS) - 1)).astype(np.int16)
        place_now, self.is_now = _find(now, self.keys)
        place_before, self.was = _find(before, self.keys)
        self.target = _take(decided.amount[rising], place_now, self.is_now, 0)
        self.before = {
            name: _take(column, place_before, self.was, 0) for name, column in last.items()
        }
        order = np.argsort(bills["id"], kind="stable")
        place, self.has_bill = _find(bills["id"][order], self.bill_id)
        self.bill = order[place] if len(order) else place
        self.given = self._given(ground.numbers)
        self._people(versions)
        for name in ("policy", "identity"):
            old = self.before[name]
            new = _take(getattr(decided, name)[rising], place_now, self.is_now, 0)
            setattr(self, name, np.where(self.is_now, new, old))

    policy: npt.NDArray[np.int16]
    identity: npt.NDArray[np.int16]

    def _given(self, numbers: Numbers) -> npt.NDArray[np.int64]:
        """What somebody paid for the layer on the bill, `NOT_SETTLED` where nobody did."""
        given = np.full(len(self.keys), NOT_SETTLED, np.int64)
        for layer in LAYERS:
            at = np.flatnonzero((self.layer == numbers.layers[layer]) & self.has_bill)
            given[at] = self.data.bills[f"paid_{layer}"][self.bill[at]]
        return given

    def _people(self, versions: Columns) -> None:
        owner = self.before["person_id"]
        if len(self.data.bills["id"]):
            own = self.data.bills["person_id"][np.where(self.has_bill, self.bill, 0)]
            owner = np.where(self.has_bill, own, owner)
        self.person_id = owner
        self.person, _ = _find(self.data.people["id"], owner)
        place, _ = _find(versions["id"], owner)
        self.version = versions["data_version"][place]

    def changes(self) -> Changes:
        granted = np.where(self.was, self.before["amount_after"], 0)
        gone = self.was & ~self.has_bill & (self.before["year"] != self.ground.year)
        open_given = (self.given != NOT_SETTLED) & (granted > 0)
        settled = self.before["kind"] == EntryKind.SETTLED
        settles = open_given & (self.given == granted) & ~settled
        differs = open_given & (self.given != granted)
        counted = ~gone & (self.given == NOT_SETTLED)
        delta = np.where(counted, self.target - granted, 0)
        moved = (
            counted
            & (delta == 0)
            & (granted > 0)
            & self.is_now
            & ((self.policy != self.before["policy"]) | (self.identity != self.before["identity"]))
        )
        kind = np.select(
            [settles, moved, delta < 0, self.was & (delta > 0), delta > 0],
            [
                EntryKind.SETTLED, EntryKind.RESTATED, EntryKind.REFUND_DUE, EntryKind.TOP_UP,
                EntryKind.GRANT,
            ],
            0,
        )  # fmt: skip
        return Changes(self._entries(np.flatnonzero(kind), kind, delta, granted), self._case(
            np.flatnonzero(differs), granted
        ))  # fmt: skip

    def _entries(self, at: Any, kind: Any, delta: Any, granted: Any) -> Columns:
        count = len(at)
        return {
            "bill_id": self.bill_id[at],
            "layer": self.layer[at],
            "seq": (self.before["seq"][at] + 1).astype(np.int16),
            "person_id": self.person_id[at],
            "area": self.data.people["area"][self.person[at]],
            "year": np.full(count, self.ground.year, np.int16),
            "run_id": np.full(count, self.ground.run_id, np.int64),
            "kind": kind[at].astype(np.int16),
            "amount": delta[at],
            "amount_after": granted[at] + delta[at],
            "policy": self.policy[at],
            "identity": self.identity[at],
            "rules_id": np.full(count, self.ground.rules_id, np.int32),
            "data_version": self.version[at],
            "reason": self._reasons()[at].astype(np.int16),
        }

    def _case(self, at: Any, granted: Any) -> Columns:
        return {
            "bill_id": self.bill_id[at],
            "person_id": self.person_id[at],
            "layer": self.layer[at],
            "granted": granted[at],
            "paid": self.given[at],
        }

    def _reasons(self) -> npt.NDArray[np.int64]:
        """What changed since the entry before; `FIRST` where there was none."""
        then = self.before["data_version"]
        revision = np.zeros(len(self.keys), np.int64)
        if len(self.data.bills["id"]):
            revision = self.data.bills["revision"][np.where(self.has_bill, self.bill, 0)]
        bill = ~self.has_bill | (revision > then)
        identity = _newest(self.data)[self.person] > then
        person = self.data.people["revision"][self.person] > then
        rules = self.before["rules_id"] != self.ground.rules_id
        other = (self.version > then) & ~(bill | identity | person)
        bits = (
            bill * Reason.BILL + identity * Reason.IDENTITY + person * Reason.PERSON
            + other * Reason.OTHER_BILL + rules * Reason.RULES
        )  # fmt: skip
        return np.where(self.was, bits, Reason.FIRST)


def _newest(data: SliceData) -> npt.NDArray[np.int64]:
    """The newest revision among each person's identities."""
    newest = np.zeros(len(data.people["id"]), np.int64)
    owner = np.searchsorted(data.people["id"], data.identities["person_id"])
    np.maximum.at(newest, owner, data.identities["revision"])
    return newest


def _key(bills: npt.NDArray[np.int64], layers: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    return (bills << _LAYER_BITS) | layers.astype(np.int64)


def _find(sorted_values: Any, wanted: Any) -> tuple[Any, npt.NDArray[np.bool_]]:
    """The place of each wanted value among sorted ones, and whether it is there."""
    if not len(sorted_values):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    place = np.minimum(np.searchsorted(sorted_values, wanted), len(sorted_values) - 1)
    return place, sorted_values[place] == wanted


def _take(values: Any, place: Any, there: Any, otherwise: int) -> Any:
    if not len(values):
        return np.full(len(place), otherwise, np.asarray(values).dtype)
    return np.where(there, values[place], np.asarray(otherwise, np.asarray(values).dtype))
