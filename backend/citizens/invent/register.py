"""参保登记 (register): the people of one county, family by family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from backend.citizens.invent import places
from backend.citizens.invent.arrays import Chosen, Days, Places, Random, between, one_of, words
from backend.citizens.invent.numbers import identity_numbers
from backend.citizens.invent.plan import Plan
from backend.kernel import areas

SURNAMES: Final = tuple("测例试样虚拟假演")
GIVEN: Final = (
    "甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸", "甲一", "乙二", "丙三", "丁四",
    "戊五", "己六", "庚七", "辛八", "壬九", "癸十", "𠮷", "䶮", "·阿例", "·买买提·样",
)  # fmt: skip
INSURANCE: Final = ("resident", "employee", "elsewhere", "none")
_SIZES: Final = (0.22, 0.28, 0.24, 0.15, 0.08, 0.03)
_YEAR: Final = 365
_CHILD, _PENSIONER = 18, 60
_PERMITS: Final = (810_000, 820_000, 830_000)


@dataclass(frozen=True)
class Register:
    """People of one county, an entry each, by village and household. Days are ordinals."""

    number: npt.NDArray[np.bytes_]
    village: Places
    household: Places
    position: Places
    born: Days
    male: Chosen
    insurance: Places

    def __len__(self) -> int:
        return len(self.number)

    def age(self, day: int) -> Places:
        """Years of age on the day, to within a week."""
        return (day - self.born.astype(np.int64)) // _YEAR


def register(plan: Plan, place: int, people: int, first_household: int) -> Register:
    """The people of the `place`-th county; households are numbered on from `first_household`."""
    random = plan.random(1, place)
    sizes = _household_sizes(random, people)
    household = np.repeat(np.arange(len(sizes)), sizes)
    position = np.arange(people) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    ages = _ages(random, sizes, household, position)
    male = _sexes(random, len(sizes), household, position)
    born = (plan.first_day - 1 - ages * _YEAR - between(random, 0, _YEAR - 1, people)).astype(
        np.int32
    )
    opening, born = _openings(random, plan, place, born)
    return Register(
        number=identity_numbers(opening, born, male),
        village=places.registered(random, plan.counties[place], len(sizes))[household],
        household=household + first_household,
        position=position,
        born=born,
        male=male,
        insurance=_insurance(random, ages),
    )


def people_rows(plan: Plan, place: int, people: Register) -> pl.DataFrame:
    """The rows of people.csv."""
    random = plan.random(2, place)
    count = len(people)
    family = pl.Series(people.household * 7_919 % 100_000_000)
    phone = ("199" + family.cast(pl.String).str.zfill(8)).set(
        pl.Series((people.position > 0) & (random.random(count) < 0.6)), ""
    )
    surname = words(SURNAMES, people.household % len(SURNAMES))
    return pl.DataFrame(
        {
            "id_number": text(people.number),
            "name": surname + words(GIVEN, random.integers(0, len(GIVEN), count)),
            "phone": phone,
            "area_code": places.lived_in(random, people.village, plan.counties),
            "registered_area_code": people.village,
            "household_no": household_numbers(people.household),
            "insurance": words(INSURANCE, people.insurance),
            "rural": places.rural(random, people.village).astype(np.int8),
            "declined_health_service": (random.random(count) < 0.04).astype(np.int8),
        }
    )


def household_numbers(households: Places) -> pl.Series:
    """The numbers that households go by in the files."""
    return "HH" + pl.Series(households).cast(pl.String).str.zfill(9)


def text(numbers: npt.NDArray[np.bytes_]) -> pl.Series:
    """Identity numbers as a column."""
    return pl.Series(numbers.astype("U18"), dtype=pl.String)


def _household_sizes(random: Random, people: int) -> Places:
    sizes = 1 + one_of(random, _SIZES, people)
    last = int(np.searchsorted(np.cumsum(sizes), people)) + 1
    sizes = sizes[:last]
    if people:
        sizes[-1] -= sizes.sum() - people
    return sizes


def _ages(random: Random, sizes: Places, household: Places, position: Places) -> Places:
    """The head's age decides: a spouse near it, children below, parents above."""
    count = len(position)
    alone = random.random(len(sizes)) < np.where(sizes == 1, 0.6, 0.25)
    heads = between(random, np.where(alone, 55, 23), np.where(alone, 92, 66), len(sizes))
    head = heads[household]
    spouse = head + between(random, -6, 6, count)
    child = head - between(random, 21, 38, count)
    parent = head + between(random, 20, 32, count)
    ages = np.select([position == 0, position == 1, position < 4], [head, spouse, child], parent)
    return np.clip(ages, np.where(position < 2, 20, 0), 99).astype(np.int64)


def _sexes(random: Random, households: int, household: Places, position: Places) -> Chosen:
    heads = (random.random(households) < 0.6)[household]
    others = random.random(len(position)) < 0.5
    return np.select([position == 0, position == 1], [heads, ~heads], others)


def _insurance(random: Random, ages: Places) -> Places:
    count = len(ages)
    groups = [
        one_of(random, shares, count)
        for shares in ((0.97, 0.0, 0.02, 0.01), (0.56, 0.38, 0.035, 0.025), (0.76, 0.2, 0.02, 0.02))
    ]
    return np.select([ages < _CHILD, ages < _PENSIONER], groups[:2], groups[2])


def _openings(random: Random, plan: Plan, place: int, born: Days) -> tuple[Places, Days]:
    """The six digits of each number: mostly the county's own, some of elsewhere, few permits.

    No other county draws from the same numbers: each has an elsewhere of its own, and for permits
    the days of birth that fall to it.
    """
    count = len(born)
    draw = random.random(count)
    opening = np.where(draw < 0.92, int(plan.counties[place]), _elsewhere(plan, place))
    permit = draw > 0.999
    opening = np.where(permit, np.array(_PERMITS)[random.integers(0, 3, count)], opening)
    own_day = born - (born - place) % len(plan.counties)
    return opening, np.where(permit, own_day, born).astype(np.int32)


def _elsewhere(plan: Plan, place: int) -> int:
    """A county of 河南 or 安徽 that is none of the plan's; each place has another."""
    known = (code for province in ("410000", "340000") for code in areas.below(province))
    others = [code for code in known if code[-2:] != "00" and code not in plan.counties]
    return int(others[place])
