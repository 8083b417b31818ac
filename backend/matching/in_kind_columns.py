"""列 (columns) of matching in kind: the people of a slice, what they hold, what they are due.

Days are proleptic ordinals, `FAR_PAST` and `FAR_FUTURE` where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from backend.estimation.columns import Days, Flags, Places

Numbers: TypeAlias = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class InsuranceChanges:
    """Changes of insurance, by person and day; `insurance`: the status from `on` on."""

    person: Places
    on: Days
    insurance: Numbers


@dataclass(frozen=True)
class People:
    """One entry a known person. `area`: the registered one, where the policies of the slice hold.

    `sex`: 0 not known, 1 male, 2 female. `insurance`: the register's, a place in
    `backend.citizens.tables.INSURANCE`; `changes`, where there are any, tell the days.
    `left_on`: the day of moving away. `disease_classes`: bits over all bills known.
    """

    born_on: Days
    sex: Numbers
    rural: Flags
    area: Numbers
    insurance: Numbers
    died_on: Days
    left_on: Days
    disease_classes: Numbers
    changes: InsuranceChanges | None = None

    def __len__(self) -> int:
        return len(self.born_on)

    @property
    def last_day(self) -> Days:
        """The last day on which each is due anything: of death, or before moving away."""
        return np.minimum(self.died_on, self.left_on - 1)


@dataclass(frozen=True)
class Held:
    """Identities, by person. `category`: position in the vocabulary. `taper_until`: the last day
    of the taper period (渐退期)."""

    person: Places
    category: Numbers
    from_: Days
    to: Days
    applied_on: Days
    taper_until: Days

    def take(self, rows: npt.NDArray[Any]) -> Held:
        """Some of the identities."""
        return Held(
            self.person[rows],
            self.category[rows],
            self.from_[rows],
            self.to[rows],
            self.applied_on[rows],
            self.taper_until[rows],
        )


@dataclass(frozen=True)
class Due:
    """What is due, by person. `entitlement`: a place in the entitlements that come with it;
    `delivery`: a place in the order of `backend.policies.entitlements.DELIVERIES`."""

    person: Places
    entitlement: Numbers
    from_: Days
    to: Days
    delivery: Numbers

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class Questions:
    """What a person decides, by person, each once. `reason`: a key of `conditions.REASONS`."""

    person: Places
    entitlement: Numbers
    reason: Numbers

    def __len__(self) -> int:
        return len(self.person)
