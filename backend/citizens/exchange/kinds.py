"""文件种类 (kinds of files): the columns of each, and what may stand in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.citizens.exchange import words
from backend.citizens.exchange.cells import code, day, flag, money, open_word, text, year
from backend.citizens.exchange.cells_of_people import area, diagnosis, person_number, phone_number
from backend.citizens.exchange.parsed import Parse
from backend.citizens.tables import LAYERS, NOT_SETTLED

PAID: Final = "paid_"
LONGEST_KEY: Final = 64


@dataclass(frozen=True)
class Field:
    """A column of a kind. `required`: the file must have it, even where all its cells are empty."""

    name: str
    parse: Parse
    required: bool = True


def fields(kind: str, today: date) -> tuple[Field, ...]:
    """The columns of a kind in the order of the contract, then the optional ones."""
    return _KINDS[kind](today)


def _key(*, empty: bool = False) -> Parse:
    return text(key=True, empty=empty, longest=LONGEST_KEY)


def _people(today: date) -> tuple[Field, ...]:
    number = person_number(today, empty=True)
    return (
        Field("id_number", number),
        Field("name", text(longest=100)),
        Field("phone", phone_number, required=False),
        Field("area_code", area),
        Field("registered_area_code", area),
        Field("household_no", _key(empty=True)),
        Field("insurance", code(words.words_of("insurance"), _INSURANCE)),
        Field("rural", flag()),
        Field("declined_health_service", flag()),
        Field("guardian_id_number", number, required=False),
        Field("former_id_number", number, required=False),
        Field("born_on", day(empty=True), required=False),
        Field("sex", code(words.words_of("sexes"), _SEX, empty="0"), required=False),
    )


def _identities(today: date) -> tuple[Field, ...]:
    department = open_word(words.departments(), text(longest=LONGEST_KEY))
    return (
        Field("id_number", person_number(today)),
        Field("category", code(words.categories(), _CATEGORY)),
        Field("department", department),
        Field("from", day()),
        Field("to", day(empty=True)),
        Field("applied_on", day(empty=True)),
        Field("certificate_no", _key(empty=True), required=False),
        Field("taper_until", day(empty=True), required=False),
    )


def _households(today: date) -> tuple[Field, ...]:
    return (
        Field("household_no", _key()),
        Field("year", year),
        Field("disposable_income", money()),
    )


def _assignments(today: date) -> tuple[Field, ...]:
    return (
        Field("id_number", person_number(today)),
        Field("role", code(words.words_of("roles"), _ROLE)),
        Field("staff_no", _key()),
        Field("from", day()),
        Field("to", day(empty=True)),
    )


def _hospitals(today: date) -> tuple[Field, ...]:
    return (
        Field("hospital_code", _key()),
        Field("name", text(exported=True)),
        Field("tier", code(words.words_of("tiers"), _TIER, empty="0")),
        Field("area_code", area),
        Field("designated", flag(empty=True)),
    )


def _vital(today: date) -> tuple[Field, ...]:
    return (
        Field("id_number", person_number(today)),
        Field("event", code(words.words_of("events"), _EVENT)),
        Field("on", day()),
        Field("detail", text(empty=True)),
    )


def _bills(today: date) -> tuple[Field, ...]:
    flags = ("referred", "in_province", "in_county", "followed_guidance")
    return (
        Field("bill_no", _key()),
        Field("id_number", person_number(today)),
        Field("hospital_code", _key()),
        Field("setting", code(words.settings(), _SETTING)),
        Field("admitted_on", day()),
        Field("discharged_on", day(until=today)),
        Field("total", money()),
        Field("in_scope", money()),
        *(Field(f"{PAID}{layer}", money(empty=NOT_SETTLED), required=False) for layer in LAYERS),
        Field(f"{PAID}out_of_scope", money(empty=0), required=False),
        *(Field(name, flag()) for name in flags),
        Field("designated", flag(empty=True)),
        Field("disease_group", code(words.disease_groups(), _DISEASE, empty="general")),
        Field("diagnosis", diagnosis),
        Field("rare_drug", money(empty=0)),
    )


_CATEGORY = "没有这个人员类别，请用规定的类别代码或名称；一个说法可以指几类的，要写明是哪一类"
_DISEASE = "没有这类疾病，请填 general、major 或 rare_regulated；没有就留空"
_EVENT = "没有这种变动，请填 death、moved_away 或 insurance_change"
_INSURANCE = "参保情况请填 resident、employee、elsewhere 或 none"
_ROLE = "没有这种身份，请填 family_doctor、cadre 或 village_coordinator"
_SETTING = (
    "没有这种就诊方式，请填 outpatient、chronic_outpatient、inpatient、day_surgery 或 home_bed"
)
_SEX = "性别请填男或女，不清楚就留空"
_TIER = "医院等级请填 1、2 或 3，没有定级就留空"

_KINDS: Final[Mapping[str, Callable[[date], tuple[Field, ...]]]] = {
    "people": _people,
    "identities": _identities,
    "households": _households,
    "bills": _bills,
    "assignments": _assignments,
    "hospitals": _hospitals,
    "vital": _vital,
}
KINDS: Final = tuple(_KINDS)
"""The kinds of files that are taken."""
