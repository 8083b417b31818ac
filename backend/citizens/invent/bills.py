"""结算单 (bills): drawn day by day, so that the file is in the order of discharge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from backend.citizens.invent import hospitals
from backend.citizens.invent.amounts import amounts
from backend.citizens.invent.arrays import (
    Days,
    Places,
    Random,
    between,
    day_column,
    money_column,
    one_of,
    words,
)
from backend.citizens.invent.plan import Plan
from backend.citizens.invent.register import text

SETTINGS: Final = ("outpatient", "chronic_outpatient", "inpatient", "day_surgery", "home_bed")
_SETTING_SHARES: Final = (0.3, 0.22, 0.4, 0.05, 0.03)
_PREFIXES: Final = ("MZ", "mt", "ZY", "rj", "JC")
_LONGEST: Final = np.array([0, 0, 45, 3, 60])
_GROUPS: Final = ("general", "", "major", "rare_regulated")
_GROUP_SHARES: Final = (0.68, 0.1, 0.18, 0.04)
_DIAGNOSES: Final = (
    "", "I10", "I10.x00", "I11.900", "I21.900", "I25.103", "I50.900", "I63.900", "I61.900",
    "E11.900", "E11.200", "E10.900", "F20.900", "F25.900", "F22.000", "F06.800", "F72.900",
    "G40.900", "N18.500", "N18.900", "N03.900", "Z49.100", "Z94.000", "Z51.100", "C34.900",
    "C18.900", "C50.900", "C22.000", "J18.900", "J44.900", "K35.800", "S72.000", "M54.500",
)  # fmt: skip
_ROWS_AT_ONCE: Final = 150_000


@dataclass(frozen=True)
class Patients:
    """All people of the plan, as far as bills need them.

    `home`: place of the county; `weight`: how often somebody falls ill; `turn`, `turning`: days,
    ascending, on which an identity of a person begins or ends.
    """

    number: npt.NDArray[np.bytes_]
    home: Places
    weight: npt.NDArray[np.float64]
    turn: Days
    turning: Places


@dataclass(frozen=True)
class Stays:
    """Who was treated when: an entry a bill, by day of discharge."""

    person: Places
    setting: Places
    admitted: Days
    discharged: Days

    def __len__(self) -> int:
        return len(self.person)


def bill_rows(plan: Plan, patients: Patients) -> Iterator[pl.DataFrame]:
    """The rows of bills.csv, some days at a time."""
    numbers = text(patients.number)
    reach = np.cumsum(patients.weight)
    serial = 1
    for part, (days, counts) in enumerate(_spans(plan)):
        random = plan.random(8, part)
        stays = _stays(random, patients, reach, np.repeat(days, counts))
        yield (
            _rows(random, plan, patients.home[stays.person], stays)
            .with_columns(
                bill_no=_bill_numbers(stays, serial),
                id_number=numbers.gather(pl.Series(stays.person)),
            )
            .select("bill_no", "id_number", pl.exclude("bill_no", "id_number"))
        )
        serial += len(stays)


def _spans(plan: Plan) -> Iterator[tuple[Days, Places]]:
    """Days with their numbers of bills, in spans of some hundred thousand bills."""
    days = plan.days()
    edges = np.rint(np.linspace(0, plan.bills, len(days) + 1)).astype(np.int64)
    counts = np.diff(edges)
    span = edges[:-1] // _ROWS_AT_ONCE
    for opens in np.unique(span):
        chosen = span == opens
        if counts[chosen].any():
            yield days[chosen], counts[chosen]


def _stays(
    random: Random, patients: Patients, reach: npt.NDArray[np.float64], discharged: Days
) -> Stays:
    count = len(discharged)
    person = np.searchsorted(reach, random.random(count) * reach[-1], side="right")
    person = _near_a_turn(random, patients, person, discharged)
    twice = np.flatnonzero((random.random(count) < 0.04)[1:] & (np.diff(discharged) == 0))
    person[twice + 1] = person[twice]
    setting = one_of(random, _SETTING_SHARES, count)
    admitted = discharged - (random.random(count) ** 2 * (_LONGEST[setting] + 1)).astype(np.int64)
    return Stays(person, setting, admitted.astype(np.int32), discharged)


def _near_a_turn(random: Random, patients: Patients, person: Places, discharged: Days) -> Places:
    """For some bills: somebody whose identity begins or ends about that day."""
    low = np.searchsorted(patients.turn, discharged - 25)
    high = np.searchsorted(patients.turn, discharged + 10)
    place = low + (random.random(len(person)) * (high - low)).astype(np.int64)
    some = (high > low) & (random.random(len(person)) < 0.05)
    drawn = person.copy()
    drawn[some] = patients.turning[place[some]]
    return drawn


def _bill_numbers(stays: Stays, serial: int) -> pl.Series:
    """Numbers whose order as text is neither that of time nor that of letters of one case."""
    running = pl.Series(np.arange(serial, serial + len(stays))).cast(pl.String)
    return words(_PREFIXES, stays.setting) + "-" + running


def _rows(random: Random, plan: Plan, home: Places, stays: Stays) -> pl.DataFrame:
    count = len(stays)
    where = hospitals.visited(random, plan, home)
    money = amounts(random, stays.setting)
    return pl.DataFrame(
        {
            "hospital_code": hospitals.hospital_codes(where.code),
            "setting": words(SETTINGS, stays.setting),
            "admitted_on": day_column(stays.admitted),
            "discharged_on": day_column(stays.discharged),
            **{name: money_column(fen) for name, fen in money.items()},
            "referred": (random.random(count) < 0.45).astype(np.int8),
            "in_province": where.in_province.astype(np.int8),
            "in_county": where.in_county.astype(np.int8),
            "followed_guidance": (random.random(count) < 0.45).astype(np.int8),
            "designated": _cells(hospitals.designated(random, where.code)),
            "disease_group": words(_GROUPS, one_of(random, _GROUP_SHARES, count)),
            "diagnosis": words(_DIAGNOSES, between(random, 0, len(_DIAGNOSES) - 1, count)),
        }
    )


def _cells(flags: npt.NDArray[np.int8]) -> pl.Series:
    return pl.Series(flags).set(pl.Series(flags < 0), None)
