"""差额 (differences): what was decided beside what the ledger says; the difference is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.citizens.tables import LAYERS, NOT_SETTLED
from backend.kernel.copy import Columns
from backend.matching.ground import Ground
from backend.matching.ledger import LAYER_BITS, EntryKind, Reason, find, key_of, take
from backend.matching.numbers import Numbers
from backend.matching.slice_data import Decided, SliceData


@dataclass(frozen=True)
class Changes:
    """New entries, and what is for a person: grants on which another amount was paid."""

    entries: Columns
    differing: Columns
    """`bill_id`, `person_id`, `layer`, `granted`, `paid`."""


def changes(data: SliceData, decided: Decided, last: Columns, ground: Ground) -> Changes:
    """What must be written so that the ledger says what was decided; nothing where it does."""
    return _Comparison(data, decided, last, ground).changes()


class _Comparison:
    """Decided and last entries side by side, one row a bill and layer in either."""

    def __init__(self, data: SliceData, decided: Decided, last: Columns, ground: Ground) -> None:
        self.data, self.ground = data, ground
        bills = data.bills
        now = key_of(bills["id"][decided.bill], decided.layer)
        rising = np.argsort(now)
        now = now[rising]
        before = key_of(last["bill_id"], last["layer"])
        self.keys = np.union1d(now, before)
        self.bill_id = self.keys >> LAYER_BITS
        self.layer = (self.keys & ((1 << LAYER_BITS) - 1)).astype(np.int16)
        place_now, self.is_now = find(now, self.keys)
        place_before, self.was = find(before, self.keys)
        self.target = take(decided.amount[rising], place_now, self.is_now, 0)
        self.before = {
            name: take(column, place_before, self.was, 0) for name, column in last.items()
        }
        order = np.argsort(bills["id"], kind="stable")
        place, self.has_bill = find(bills["id"][order], self.bill_id)
        self.bill = order[place] if len(order) else place
        self.given = self._given(ground.numbers)
        self._people()
        for name in ("policy", "identity"):
            old = self.before[name]
            new = take(getattr(decided, name)[rising], place_now, self.is_now, 0)
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

    def _people(self) -> None:
        owner = self.before["person_id"]
        if len(self.data.bills["id"]):
            own = self.data.bills["person_id"][np.where(self.has_bill, self.bill, 0)]
            owner = np.where(self.has_bill, own, owner)
        self.person_id = owner
        self.person, _ = find(self.data.people["id"], owner)
        self.version = self.data.people["data_version"][self.person]

    def changes(self) -> Changes:
        granted = np.where(self.was, self.before["amount_after"], 0)
        passed_on = (self.before["person_id"] != self.person_id) & (granted > 0)
        refunds = self._refunds(passed_on, granted)
        self.before["seq"] = self.before["seq"] + passed_on
        granted = np.where(passed_on, 0, granted)
        gone = self.was & ~self.has_bill & (self.before["year"] != self.ground.year)
        open_given = (self.given != NOT_SETTLED) & (granted > 0)
        settled = self.before["kind"] == EntryKind.SETTLED
        # The year that has the bill now answers for the grant: the year before would take it back.
        came = self.has_bill & (granted > 0) & (self.before["year"] != self.ground.year)
        settles = open_given & (self.given == granted) & (~settled | came)
        differs = open_given & (self.given != granted)
        counted = ~gone & (self.given == NOT_SETTLED)
        delta = np.where(counted, self.target - granted, 0)
        otherwise = (self.policy != self.before["policy"]) | (
            self.identity != self.before["identity"]
        )
        moved = (delta == 0) & (granted > 0) & ((counted & self.is_now & otherwise) | came)
        kind = np.select(
            [settles, moved, delta < 0, self.was & (delta > 0), delta > 0],
            [
                EntryKind.SETTLED, EntryKind.RESTATED, EntryKind.REFUND_DUE, EntryKind.TOP_UP,
                EntryKind.GRANT,
            ],
            0,
        )  # fmt: skip
        entries = self._entries(np.flatnonzero(kind), kind, delta, granted)
        both = {name: np.concatenate([refunds[name], own]) for name, own in entries.items()}
        return Changes(both, self._case(np.flatnonzero(differs), granted))

    def _refunds(self, passed_on: Any, granted: Any) -> dict[str, Any]:
        """What those give back to whom a bill was granted that is another person's now."""
        kind = np.full(len(granted), EntryKind.REFUND_DUE)
        refunds = self._entries(np.flatnonzero(passed_on), kind, -granted, granted)
        for name in ("person_id", "area", "policy", "identity"):
            refunds[name] = self.before[name][passed_on]
        refunds["reason"] &= np.int16(Reason.BILL | Reason.RULES)  # the rest is the other person's
        return refunds

    def _entries(self, at: Any, kind: Any, delta: Any, granted: Any) -> dict[str, Any]:
        count = len(at)
        area = self.data.people["area"][self.person[at]]
        return {
            "bill_id": self.bill_id[at],
            "layer": self.layer[at],
            "seq": (self.before["seq"][at] + 1).astype(np.int16),
            "person_id": self.person_id[at],
            "area": np.where(area > 0, area, self.before["area"][at]),
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
        others = self.before["person_id"] != self.person_id
        bill = ~self.has_bill | (revision > then) | others
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
