"""变动与收入 (events): deaths, moves, changes of insurance; households' incomes."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backend.citizens.invent.arrays import Places, between, day_column, money_column, words
from backend.citizens.invent.plan import Plan
from backend.citizens.invent.register import INSURANCE, Register, household_numbers, text

_DEATH, _MOVED, _INSURANCE = range(3)
_EVENTS: Final = ("death", "moved_away", "insurance_change")
_NEXT: Final = np.array([[1, 3, 2], [0, 3, 2], [0, 1, 3], [0, 1, 0]])
"""What each status of insurance changes into, by chance."""


def vital_rows(plan: Plan, place: int, people: Register) -> pl.DataFrame:
    """The rows of vital.csv, within the years. Who changes insurance may change again."""
    random = plan.random(6, place)
    count = len(people)
    age = people.age(plan.first_day)
    died = np.flatnonzero(random.random(count) < np.clip(0.0005 * 1.08 ** (age - 30), 0.0003, 0.2))
    moved = np.flatnonzero(random.random(count) < 0.004)
    changed = np.flatnonzero(random.random(count) < 0.02)
    again = changed[random.random(len(changed)) < 0.15]
    status = _NEXT[people.insurance[changed], random.integers(0, 3, len(changed))]
    of_again = _NEXT[status[np.isin(changed, again)], random.integers(0, 3, len(again))]
    person = np.concatenate([died, moved, changed, again])
    changes = len(changed) + len(again)
    event = np.repeat([_DEATH, _MOVED, _INSURANCE], [len(died), len(moved), changes])
    middle = (plan.first_day + plan.last_day) // 2
    second = np.arange(len(person)) >= len(person) - len(again)
    low = np.where(second, middle + 1, plan.first_day)
    high = np.where(np.isin(person, again) & ~second, middle, plan.last_day)
    return pl.DataFrame(
        {
            "id_number": text(people.number).gather(pl.Series(person)),
            "event": words(_EVENTS, event),
            "on": day_column(between(random, low, high, len(person))),
            "detail": _details(event, np.concatenate([status, of_again])),
        }
    )


def household_rows(plan: Plan, place: int, people: Register) -> pl.DataFrame:
    """The rows of households.csv: the year before and each year; few are not known."""
    random = plan.random(7, place)
    household, members = np.unique(people.household, return_counts=True)
    years = np.array([plan.years[0] - 1, *plan.years])
    each = np.exp(random.normal(14.6, 0.7, len(household))) * members
    income = (np.outer(each, 1 + 0.04 * np.arange(len(years)))).astype(np.int64).ravel()
    income[random.random(len(income)) < 0.005] = 0
    rows = pl.DataFrame(
        {
            "household_no": household_numbers(np.repeat(household, len(years))),
            "year": np.tile(years, len(household)),
            "disposable_income": money_column(income),
        }
    )
    return rows.filter(pl.Series(random.random(len(rows)) < 0.97))


def _details(event: Places, status: Places) -> pl.Series:
    details = np.full(len(event), len(INSURANCE))
    details[event == _INSURANCE] = status
    return words((*INSURANCE, ""), details)
