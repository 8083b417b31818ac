"""医院 (hospitals): those of the counties, and some far away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from backend.citizens.invent.arrays import Chosen, Places, Random, words
from backend.citizens.invent.plan import Plan

EACH: Final = 6
_FAR: Final = ("310104", "320102", "330106")
_NOT_REGISTERED: Final = 99


@dataclass(frozen=True)
class Visited:
    """The hospital of each bill: its code, and whether it is in the person's county, province."""

    code: Places
    in_county: Chosen
    in_province: Chosen


def hospital_rows(plan: Plan) -> pl.DataFrame:
    """The rows of hospitals.csv; the last of a county is not designated."""
    county = np.repeat([int(code) for code in (*plan.counties, *_FAR)], EACH)
    number = np.tile(np.arange(EACH), len(county) // EACH)
    return pl.DataFrame(
        {
            "hospital_code": hospital_codes(county * 100 + number),
            "name": "编造" + pl.Series(county).cast(pl.String) + words(_NAMES, number),
            "tier": 3 - number // 2,
            "area_code": pl.Series(county * 1_000_000 + 1_001).cast(pl.String),
            "designated": (number < EACH - 1).astype(np.int8),
        }
    )


_NAMES: Final = ("第一医院", "中医医院", "第二医院", "康复医院", "卫生院", "门诊部")


def visited(random: Random, plan: Plan, home: Places) -> Visited:
    """Where people go: mostly their own county, else the neighbours', seldom far away."""
    count = len(home)
    own = np.array([int(code) for code in plan.counties])[home]
    all_counties = np.array([int(code) for code in (*plan.counties, *_FAR)])
    away = all_counties[random.integers(0, len(all_counties), count)]
    county = np.where(random.random(count) < 0.78, own, away)
    number = random.integers(0, EACH, count)
    number = np.where(random.random(count) < 0.001, _NOT_REGISTERED, number)
    return Visited(county * 100 + number, county == own, county // 10_000 == own // 10_000)


def designated(random: Random, hospital: Places) -> npt.NDArray[np.int8]:
    """1, 0, or -1 where the cell is left empty (which means 1)."""
    outside = (hospital % 100 == EACH - 1) & (random.random(len(hospital)) < 0.3)
    empty = random.random(len(hospital)) < 0.1
    return np.select([outside, empty], [0, -1], 1).astype(np.int8)


def hospital_codes(hospitals: Places) -> pl.Series:
    """The codes that hospitals go by in the files."""
    return "H" + pl.Series(hospitals).cast(pl.String)
