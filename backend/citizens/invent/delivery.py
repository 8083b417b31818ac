"""编造 (delivery): the seven files of a plan, county by county and then day by day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from backend.citizens.invent import bills, events, hospitals, places, register, rosters
from backend.citizens.invent.arrays import NO_DAY, Days, Places
from backend.citizens.invent.bills import Patients
from backend.citizens.invent.files import Files
from backend.citizens.invent.plan import Plan
from backend.citizens.invent.register import Register
from backend.citizens.invent.rosters import Held

Progress: TypeAlias = Callable[[int], object]
"""Told how many more people or bills are written."""


@dataclass(frozen=True)
class _County:
    people: Register
    held: Held


def invent(plan: Plan, files: Files, progress: Progress = lambda _rows: None) -> None:
    """Write the files of the plan; the same plan always gives the same bytes."""
    counties: list[_County] = []
    households = 0
    sizes = places.county_sizes(plan.random(0), len(plan.counties), plan.people)
    for place, size in enumerate(sizes.tolist()):
        people = register.register(plan, place, size, households)
        counties.append(_County(people, rosters.identities(plan, place, people)))
        _write_county(plan, place, counties[-1], files)
        households += len(np.unique(people.household))
        progress(size)
    files.add("hospitals", hospitals.hospital_rows(plan))
    for rows in bills.bill_rows(plan, _patients(plan, counties)):
        files.add("bills", rows)
        progress(len(rows))


def _write_county(plan: Plan, place: int, county: _County, files: Files) -> None:
    people, held = county.people, county.held
    files.add("people", register.people_rows(plan, place, people))
    files.add("households", events.household_rows(plan, place, people))
    files.add("identities", rosters.identity_rows(plan, place, people, held))
    files.add("assignments", rosters.assignment_rows(plan, place, people, held))
    files.add("vital", events.vital_rows(plan, place, people))


def _patients(plan: Plan, counties: list[_County]) -> Patients:
    """Who holds an identity, and who is old, is treated more often; few people very often."""
    sizes = np.array([len(county.people) for county in counties])
    first = np.cumsum(sizes) - sizes
    turn, turning = _turns(plan, counties, first)
    age = np.concatenate([county.people.age(plan.first_day) for county in counties])
    holding = np.zeros(len(age), bool)
    for county, start in zip(counties, first, strict=True):
        holding[county.held.person + start] = True
    often = np.minimum(np.exp(plan.random(9).normal(0, 1, len(age))), 12)
    weight = often * (1 + age / 60) * (1 + holding)
    return Patients(
        number=np.concatenate([county.people.number for county in counties]),
        home=np.repeat(np.arange(len(sizes)), sizes),
        weight=weight,
        turn=turn,
        turning=turning,
    )


def _turns(plan: Plan, counties: list[_County], first: Places) -> tuple[Days, Places]:
    held = [(c.held, c.held.person + f) for c, f in zip(counties, first, strict=True)]
    day = np.concatenate([days for one, _ in held for days in (one.from_, one.to)])
    person = np.concatenate([people for _, people in held for _ in range(2)])
    within = (day != NO_DAY) & (day >= plan.first_day) & (day <= plan.last_day)
    order = np.argsort(day[within], kind="stable")
    return day[within][order], person[within][order]
