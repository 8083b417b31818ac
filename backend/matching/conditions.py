"""条件 (conditions): who, among the people of a slice, an entitlement is meant for.

Conditions of a visit (setting, flags, first visit, place, provider) do not decide who is entitled:
they say where the entitlement holds, and stand in its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from backend.citizens.diagnoses import bit, unclear_bit
from backend.citizens.tables import INSURANCE
from backend.estimation.columns import Days, Flags, Places
from backend.kernel.copy import FAR_FUTURE, FAR_PAST
from backend.matching.in_kind_columns import Numbers, People
from backend.matching.intervals import Intervals, birthday, joined
from backend.policies.policy import Policy
from backend.policies.shapes import ConditionsShape

Verdicts: TypeAlias = npt.NDArray[np.int8]

NO: Final = 0
YES: Final = 9
LEFT_OPEN, _DIAGNOSIS, _INSURANCE, _BIRTH, _SEX = range(1, 6)
REASONS: Final[Mapping[int, str]] = {
    LEFT_OPEN: "文件没有写明具体给谁，请按说明判断是不是符合。",
    _DIAGNOSIS: "诊断编码看不出是不是这个病种或者治疗，请核实。",
    _INSURANCE: "参保情况不清楚，请核实。",
    _BIRTH: "出生日期不清楚，请核实年龄。",
    _SEX: "性别不清楚，请核实。",
}
"""Why the machine cannot decide, between `NO` and `YES`: of several reasons the first is given."""

_SEXES: Final = {"male": 1, "female": 2}
_UNKNOWN: Final = 0


def judged(conditions: ConditionsShape, people: People, insured: Insured | None) -> Verdicts:
    """For each person `YES`, `NO`, or a key of `REASONS`; ages and days of insurance left aside.

    `insured`: as the conditions ask; None: they ask nothing.
    Raises `UnknownDiagnosis`.
    """
    verdicts = np.full(len(people), YES, np.int8)
    for answer in _answers(conditions, people, insured):
        np.minimum(verdicts, answer, out=verdicts)
    return verdicts


def _answers(
    conditions: ConditionsShape, people: People, insured: Insured | None
) -> Iterator[Verdicts]:
    if conditions.person_decides:
        yield np.asarray(LEFT_OPEN, np.int8)
    if conditions.locally_registered is False:
        yield np.asarray(NO, np.int8)
    if conditions.rural is not None:
        yield _verdict(people.rural == conditions.rural)
    if conditions.sex is not None:
        unknown = people.sex == _UNKNOWN
        yield _verdict(people.sex == _SEXES[conditions.sex], unknown, _SEX)
    if conditions.age_from is not None or conditions.age_to is not None:
        unknown = people.born_on == FAR_PAST
        yield _verdict(~unknown, unknown, _BIRTH)
    if conditions.diagnoses is not None:
        yield _by_diagnosis(conditions.diagnoses, people)
    if insured is not None:
        yield _verdict(insured.ever, people.insurance == _UNKNOWN, _INSURANCE)


def _by_diagnosis(codes: Sequence[str], people: People) -> Verdicts:
    clear = sum({bit(code) for code in codes})
    unclear = sum({unclear_bit(code) for code in codes})
    known = people.disease_classes
    return _verdict((known & clear) != 0, (known & unclear) != 0, _DIAGNOSIS)


def _verdict(holds: Any, unknown: Any = False, reason: int = NO) -> Verdicts:
    verdicts: Verdicts = np.where(holds, YES, np.where(unknown, reason, NO)).astype(np.int8)
    return verdicts


def of_age(
    conditions: ConditionsShape, policy: Policy, day: date, people: People
) -> tuple[Days, Days]:
    """The first and the last day of each person's life on which the age is as asked, by the
    figures of the day: from the birthday on, to the day before the next after the last age."""
    born = np.maximum(people.born_on, 1)
    unknown = people.born_on == FAR_PAST
    first, last = np.full_like(born, FAR_PAST), np.full_like(born, FAR_FUTURE)
    if conditions.age_from is not None:
        reached = birthday(born, figure(policy, conditions.age_from, day))
        first = np.where(unknown, FAR_PAST, reached)
    if conditions.age_to is not None:
        passed = birthday(born, figure(policy, conditions.age_to, day) + 1)
        last = np.where(unknown, FAR_FUTURE, passed - 1)
    return first, last


def figure(policy: Policy, code: str, day: date) -> int:
    """A parameter's number on a day; before its first, the first."""
    parameter = policy.parameters[code]
    value = (parameter.on(day) or parameter.values[0]).value
    if not isinstance(value, int):
        raise TypeError(f"{code} is a day, not a number")
    return value


@dataclass(frozen=True)
class Insured:
    """`days`: on which people are insured as asked; all days of those whose insurance is not known.
    `ever`: a flag a person: insured so on some day."""

    days: Intervals
    ever: Flags


def insured_as(people: People, statuses: Sequence[str]) -> Insured:
    """Who is insured in one of these ways, and when; before the first change known the register's
    status holds."""
    persons, start, to, status = _statuses(people)
    rows = np.isin(status, [INSURANCE.index(one) for one in statuses]) & (start <= to)
    ever = np.zeros(len(people), np.bool_)
    ever[persons[rows]] = True
    unknown = np.flatnonzero(~ever & (people.insurance == _UNKNOWN)).astype(np.int32)
    always = np.full_like(unknown, FAR_PAST), np.full_like(unknown, FAR_FUTURE)
    known = Intervals(persons[rows], start[rows], to[rows])
    return Insured(joined([known, Intervals(unknown, *always)]), ever)


def _statuses(people: People) -> tuple[Places, Days, Days, Numbers]:
    """(person, first day, last day, status), by person."""
    persons = np.arange(len(people), dtype=np.int32)
    start = np.full(len(people), FAR_PAST, np.int32)
    status: Numbers = people.insurance
    if people.changes is not None:
        persons = np.concatenate([persons, people.changes.person])
        order = np.argsort(persons, kind="stable")
        start = np.concatenate([start, people.changes.on])[order]
        status = np.concatenate([status, people.changes.insurance])[order]
        persons = persons[order]
    last = np.append(persons[1:] != persons[:-1], True)[: len(persons)]
    to = np.where(last, FAR_FUTURE, np.append(start[1:], FAR_FUTURE)[: len(start)] - 1)
    return persons, start, to.astype(np.int32), status
