"""费用 (amounts): totals, what is in scope, and what each layer has paid already, in fen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from backend.citizens.invent.arrays import EMPTY, Places, Random

_LAYERS: Final[Mapping[str, tuple[float, float]]] = {
    "basic": (0.96, 0.78),
    "serious_illness": (0.25, 0.06),
    "medical_assistance": (0.02, 0.06),
    "rare_drug_assistance": (0.004, 0.0),
    "tilt_assistance": (0.01, 0.02),
    "commercial": (0.04, 0.03),
    "mutual_aid": (0.02, 0.01),
    "charity": (0.02, 0.02),
    "special_assistance": (0.01, 0.01),
    "high_cost_relief": (0.005, 0.01),
}
"""How many bills bring a payment of the layer; at most what share of in_scope it is. Together the
shares stay within in_scope."""
_TYPICAL: Final = np.array([9.6, 11.4, 13.7, 12.9, 12.4])
_SPREAD: Final = np.array([0.9, 0.9, 1.0, 0.6, 0.8])
_MOST: Final = 2_000_000_00

Amounts: TypeAlias = dict[str, npt.NDArray[np.int64]]


def amounts(random: Random, setting: Places) -> Amounts:
    """The money of bills by column; `EMPTY` where a layer is not settled yet."""
    count = len(setting)
    total = np.exp(random.normal(_TYPICAL[setting], _SPREAD[setting]))
    costly = random.random(count) < np.where(setting == 2, 0.03, 0.004)
    total = np.where(costly, total * random.uniform(8, 40, count), total)
    total = np.clip(total, 1_00, _MOST).astype(np.int64)
    in_scope = total * random.integers(60, 101, count) // 100
    drug = np.where(random.random(count) < 0.01, (total - in_scope) // 2, 0)
    rest = total - in_scope - drug
    beside = np.where(random.random(count) < 0.05, rest // random.integers(1, 9, count), EMPTY)
    paid = {f"paid_{layer}": _paid(random, layer, in_scope) for layer in _LAYERS}
    return {"total": total, "in_scope": in_scope, **paid, "paid_out_of_scope": beside,
            "rare_drug": drug}  # fmt: skip


def _paid(random: Random, layer: str, in_scope: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    often, most = _LAYERS[layer]
    draw = random.random(len(in_scope))
    thousandths = (random.random(len(in_scope)) * (most * 1_000 + 1)).astype(np.int64)
    least = 300 if layer == "basic" else 0
    amount = in_scope * np.maximum(thousandths, least) // 1_000
    amount = np.where(draw < often / 50, 0, amount)
    return np.where(draw < often, amount, EMPTY)
