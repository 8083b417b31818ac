"""计数 (counting): what a slice wrote, in numbers without people, kept with its part of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from backend.kernel.copy import Columns
from backend.matching.in_kind_rows import KindChanges
from backend.matching.ledger import KINDS, EntryKind
from backend.matching.numbers import Numbers

Counts = dict[str, Any]


def counted(entries: Columns, in_kind: KindChanges, numbers: Numbers) -> Counts:
    """`entries`: layer → kind of entry → [how many, fen]. `reasons`: bits of `Reason` → [how many,
    fen more, fen less]. `in_kind`: `policy/entitlement` → [rows added, rows ended].
    """
    return {
        "entries": _entries(entries, numbers),
        "reasons": _reasons(entries),
        "in_kind": _in_kind(in_kind, numbers),
    }


def together(counts: Iterable[Counts]) -> Counts:
    """The sums of counts: numbers, lists of them, and tables of either."""
    total: Counts = {}
    for one in counts:
        for name, more in one.items():
            total[name] = _sum(total[name], more) if name in total else more
    return total


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, dict):
        return together([one, other])
    if isinstance(one, list):
        return [_sum(*pair) for pair in zip(one, other, strict=True)]
    return one + other


def _entries(entries: Columns, numbers: Numbers) -> dict[str, dict[str, list[int]]]:
    names = _names(numbers.layers)
    found: dict[str, dict[str, list[int]]] = {}
    for layer in np.unique(entries["layer"]).tolist():
        for kind in KINDS:
            at = (entries["layer"] == layer) & (entries["kind"] == kind)
            if at.any():
                amount = entries["amount_after" if kind == EntryKind.SETTLED else "amount"][at]
                found.setdefault(names[layer], {})[kind.name.lower()] = [
                    int(at.sum()), int(amount.sum()),
                ]  # fmt: skip
    return found


def _reasons(entries: Columns) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for bits in np.unique(entries["reason"]).tolist():
        amount = entries["amount"][entries["reason"] == bits]
        more, less = amount[amount > 0].sum(), amount[amount < 0].sum()
        found[str(bits)] = [len(amount), int(more), int(less)]
    return found


def _in_kind(changes: KindChanges, numbers: Numbers) -> dict[str, list[int]]:
    """A code that the catalogue has no more goes by its number."""
    policies, codes = _names(numbers.policies), _names(numbers.entitlements)
    found: dict[str, list[int]] = {}
    for place, rows in enumerate((changes.added, changes.ended)):
        pairs = np.stack([rows["policy"], rows["code"]], axis=1)
        kinds, counts = np.unique(pairs, axis=0, return_counts=True)
        for (policy, code), count in zip(kinds.tolist(), counts.tolist(), strict=True):
            name = f"{policies.get(policy, policy)}/{codes.get(code, code)}"
            found.setdefault(name, [0, 0])[place] = count
    return found


def _names(numbers: Mapping[str, int]) -> dict[int, str]:
    return {number: code for code, number in numbers.items()}
