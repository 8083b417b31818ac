"""The near-limit: `wuxi-2022-98` for exactly two bills a person-year, written by hand in NumPy.

It knows nothing but these rules and this layout: rates, limits and categories are literals, the two
bills of a person stand side by side, no payment of its own layers is given. Blocks and threads as in the engine,
so that the ratio shows what being general costs and nothing else.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from backend.estimation.columns import Batch
from backend.policies.book import Vocabulary

PERSONS = 1 << 14
RATE_FULL, RATE_HIGH, RATE_LOW = 10_000, 8_500, 7_000
FULL = ("extreme_poverty", "orphan", "unattended_child")
HIGH = (
    "child_unsupervised",
    "child_severe_or_stray",
    "child_poor_family",
    "subsistence_allowance",
    "entitled_veteran",
    "retrenched_worker_1960s",
    "destitute_worker",
)
LOW = (
    "subsistence_marginal",
    "expenditure_poor_seriously_ill",
    "temporary_relief_seriously_ill",
    "severely_disabled",
    "other_hardship",
)
OUTPATIENT, CHRONIC = 0, 1
OUTPATIENT_LIMIT, SHARED_LIMIT = 10_000_00, 300_000_00
TILT_FROM = 6_000_00


def wuxi_two_bills(batch: Batch, words: Vocabulary) -> dict[str, Any]:
    """Medical assistance, tilt assistance, rank of the identity's place in the document, burdens."""
    order = np.full(len(words.categories), 99, np.int8)
    for place, code in enumerate((*FULL, *HIGH, *LOW)):
        order[words.positions[code]] = place
    rate_of = np.zeros(100, np.int64)
    rate_of[: len(FULL)] = RATE_FULL
    rate_of[len(FULL) : len(FULL) + len(HIGH)] = RATE_HIGH
    rate_of[len(FULL) + len(HIGH) : 15] = RATE_LOW
    persons = len(batch.persons)
    bills = persons * 2
    out = {
        "medical_assistance": np.empty(bills, np.int64),
        "tilt_assistance": np.empty(bills, np.int64),
        "place": np.empty(bills, np.int8),
        "in_scope_burden": np.empty(bills, np.int64),
        "personal_burden": np.empty(bills, np.int64),
    }
    ends = _last_days()
    starts = range(0, persons, PERSONS)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(lambda at: _block(batch, order, rate_of, ends, out, at), starts))
    return out


def _last_days() -> Any:
    days = np.arange("1950-01-01", "2101-01-01", dtype="datetime64[D]")
    last = (days.astype("datetime64[M]") + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return (last - np.datetime64("0001-01-01")).astype(np.int32) + 1


def _block(
    batch: Batch, order: Any, rate_of: Any, ends: Any, out: dict[str, Any], first: int
) -> None:
    bills, identities = batch.bills, batch.identities
    stop = min(first + PERSONS, len(batch.persons))
    b = slice(first * 2, stop * 2)
    discharged, setting = bills.discharged_on[b], bills.setting[b]
    needed = np.where(setting >= 2, bills.admitted_on[b], discharged)
    # The person's identities against both bills at once, the document's first one winning.
    i0, i1 = np.searchsorted(identities.person, np.array((first, stop), np.int32))
    i = slice(i0, i1)
    to = identities.to[i]
    end = np.where(to == 0, 3_652_059, ends[np.where(to == 0, 712_000, to) - 711_858])
    place_of = order[identities.category[i]]
    held = np.bincount(identities.person[i] - first, minlength=stop - first)
    at = np.repeat(np.cumsum(held) - held, 2)
    place = np.full(len(discharged), 99, np.int8)
    for n in range(int(held.max())):
        has = np.repeat(held > n, 2)
        row = np.minimum(at + n, i1 - i0 - 1)
        counts = has & (identities.from_[i][row] <= discharged) & (needed <= end[row])
        place = np.minimum(place, np.where(counts, place_of[row], 99))
    counted = (place < 99) & bills.flags["designated"][b]
    place = np.where(counted, place, -1)
    rate = np.where(counted, rate_of[place], 0)
    tilted = counted & bills.flags["referred"][b] & bills.flags["in_province"][b]
    given = bills.paid["basic"][b] + np.maximum(bills.paid["serious_illness"][b], 0)
    burden = np.maximum(bills.in_scope[b] - given, 0)
    wanted = np.minimum((burden * rate + 5_000) // 10_000, bills.total[b] - given)
    outpatient = setting == OUTPATIENT
    limit = np.where(outpatient, OUTPATIENT_LIMIT, SHARED_LIMIT)
    assistance = np.minimum(wanted, limit)
    used = np.where(outpatient[1::2] == outpatient[::2], assistance[::2], 0)
    assistance[1::2] = np.minimum(wanted[1::2], limit[1::2] - used)
    left = np.maximum(burden - assistance, 0)
    towards = np.where(tilted, left, 0)
    so_far = towards.copy()
    so_far[1::2] += towards[::2]
    worth = np.maximum(so_far - TILT_FROM, 0) * 6_000
    worth[1::2] -= np.maximum(towards[::2] - TILT_FROM, 0) * 6_000
    tilt = np.minimum((worth + 5_000) // 10_000, bills.total[b] - given - assistance)
    tilt *= tilted
    out["medical_assistance"][b] = assistance
    out["tilt_assistance"][b] = tilt
    out["place"][b] = place
    out["in_scope_burden"][b] = np.maximum(left - tilt, 0)
    out["personal_burden"][b] = bills.total[b] - given - assistance - tilt
