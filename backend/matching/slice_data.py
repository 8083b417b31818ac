"""切片的数据 (slice data): what was read of a slice, and what was decided on its bills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from backend.estimation.columns import IdentityColumns
from backend.kernel.copy import Columns
from backend.matching.numbers import Numbers

NO_IDENTITY: Final = -1
OLDEST: Final = date(1900, 1, 1).toordinal()
NEWEST: Final = date(2100, 12, 31).toordinal()
"""Days beyond these are as good as never."""


@dataclass(frozen=True)
class SliceData:
    """Columns of a slice, ordered by person; days as ordinals, money in fen.

    `claimed`: bills and layers (`ledger.key_of`) that granted applications name, rising.
    """

    county: str
    people: Columns
    identities: Columns
    bills: Columns
    changes: Columns
    claimed: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def owners(self) -> npt.NDArray[np.int32]:
        """The place of each bill's person."""
        return places(self.people["id"], self.bills["person_id"])


@dataclass(frozen=True)
class Decided:
    """One entry a bill and layer that pays, in the order of bills: `bill` is its place."""

    bill: npt.NDArray[np.int64]
    layer: npt.NDArray[np.int16]
    amount: npt.NDArray[np.int64]
    identity: npt.NDArray[np.int16]
    policy: npt.NDArray[np.int16]


def identity_columns(data: SliceData, numbers: Numbers) -> IdentityColumns:
    """The identities as the engine takes them; categories that the catalogue lost are left out."""
    rows = data.identities
    category = numbers.category_places[rows["category"]]
    known = category >= 0
    to = rows["to_on"][known]
    return IdentityColumns(
        person=places(data.people["id"], rows["person_id"])[known],
        category=category[known].astype(np.int8),
        from_=np.maximum(rows["from_on"][known], OLDEST),
        to=np.where(to > NEWEST, 0, np.maximum(to, OLDEST)).astype(np.int32),
        applied_on=rows["applied_on"][known],
    )


def in_order(parts: list[Decided]) -> Decided:
    """All entries of the parts, by bill and layer."""
    columns = [
        np.concatenate([getattr(part, name) for part in parts] or [np.empty(0, kind)])
        for name, kind in _COLUMNS.items()
    ]
    order = np.lexsort((columns[1], columns[0]))
    return Decided(*(column[order] for column in columns))


_COLUMNS: Final[Mapping[str, Any]] = {
    "bill": np.int64, "layer": np.int16, "amount": np.int64,
    "identity": np.int16, "policy": np.int16,
}  # fmt: skip


def places(ids: npt.NDArray[np.int64], of: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """The place of each id among `ids`, which rise and hold them all."""
    return np.searchsorted(ids, of).astype(np.int32)
