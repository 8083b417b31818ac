"""列 (columns): persons, identities and bills of a batch, as arrays; days as proleptic ordinals.

Money is int64 fen. `NOT_GIVEN` marks a layer that has not paid yet on a bill; zero is a payment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Fen: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.int32]
Codes: TypeAlias = npt.NDArray[np.int8]
Flags: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.int32]

NOT_GIVEN: Final = -1
NO_DAY: Final = 0
"""No day: an identity still held, or never applied for."""


@dataclass(frozen=True)
class PersonColumns:
    """One entry a person. `income`: disposable income per head of last year, fen; None: default."""

    declined_health_service: Flags
    income: Fen | None = None

    def __len__(self) -> int:
        return len(self.declined_health_service)


@dataclass(frozen=True)
class IdentityColumns:
    """One entry an identity, in the order of persons. `category`: position in the vocabulary."""

    person: Places
    category: Codes
    from_: Days
    to: Days
    applied_on: Days


@dataclass(frozen=True)
class BillColumns:
    """One entry a bill, in the order in which bills are taken: by person, by day of discharge, by
    bill id as text. `setting`, `disease_group`: positions in the vocabulary. `paid`: layer → fen,
    `NOT_GIVEN` where not settled; a layer that nobody settled may be absent.
    """

    person: Places
    admitted_on: Days
    discharged_on: Days
    setting: Codes
    total: Fen
    in_scope: Fen
    paid: Mapping[str, Fen]
    flags: Mapping[str, Flags]
    disease_group: Codes | None = None
    rare_drug: Fen | None = None
    out_of_scope: Fen | None = None

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class Batch:
    """Persons with their identities and bills."""

    persons: PersonColumns
    identities: IdentityColumns
    bills: BillColumns


@dataclass(frozen=True)
class BatchEstimate:
    """One entry a bill, in the order of the input; fen.

    `computed`: layer → what the policy pays (zero where it was given). `identity`: position of the
    category used for medical assistance, or −1. `in_scope_burden`, `personal_burden`: what is left.
    """

    computed: Mapping[str, Fen]
    identity: Codes
    in_scope_burden: Fen
    personal_burden: Fen
