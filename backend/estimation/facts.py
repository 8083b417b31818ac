"""What a block of a batch knows of its bills, whatever the year brought before them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from backend.estimation.columns import Batch, Fen, Flags
from backend.estimation.plan import Plan
from backend.estimation.tables import Covers


class Facts:
    """Columns of the block's bills; each answer has an entry a bill."""

    def __init__(self, plan: Plan, batch: Batch, part: slice) -> None:
        self._plan = plan
        self._batch = batch
        self._part = part
        self._bills = part.stop - part.start
        self._covered: dict[Covers, Flags] = {}

    def covers(self, covers: Covers) -> Flags:
        """Whether each bill is covered; looked at once for each kind."""
        found = self._covered.get(covers)
        if found is None:
            found = self._covered[covers] = self._look(covers)
        return found

    @cached_property
    def in_force(self) -> Flags | None:
        """Whether the policy decides each bill's day; None: all of them."""
        first, last = self._plan.first_day, self._plan.last_day
        days = self._batch.bills.discharged_on[self._part]
        if first <= days.min() and days.max() <= last:
            return None
        within: Flags = (first <= days) & (days <= last)
        return within

    @cached_property
    def declined(self) -> Flags:
        """Whether each bill's person declined the health service."""
        person = self._batch.bills.person[self._part]
        return self._batch.persons.declined_health_service[person]

    @cached_property
    def rare_drug(self) -> Fen:
        """The rare drug on each bill."""
        column = self._batch.bills.rare_drug
        return np.zeros(self._bills, np.int64) if column is None else column[self._part]

    def out_of_scope(self) -> Fen | int:
        """What was paid for items outside the scope."""
        column = self._batch.bills.out_of_scope
        return 0 if column is None else column[self._part]

    def given(self) -> Fen:
        """Everything given on each bill, out of scope included."""
        total = np.zeros(self._bills, np.int64)
        for column in self._batch.bills.paid.values():
            total += np.maximum(column[self._part], 0)
        total += self.out_of_scope()
        return total

    def _look(self, covers: Covers) -> Flags:
        bills, words = self._batch.bills, self._plan.vocabulary
        covered = np.ones(self._bills, np.bool_)
        for flag in covers.flags:
            covered &= self._flag(flag)
        if covers.settings:
            settings = self._plan.codes(covers.settings, words.settings)
            covered &= settings[bills.setting[self._part]]
        if covers.groups:
            groups = self._plan.codes(covers.groups, words.disease_groups)
            of_bill: Any = 0 if bills.disease_group is None else bills.disease_group[self._part]
            covered &= groups[of_bill]
        return covered

    def _flag(self, flag: str) -> Any:
        column = self._batch.bills.flags.get(flag)
        return flag == "designated" if column is None else column[self._part]
