"""核查依据 (check facts): what the register, the bills and other cases say for cases at a desk.

As many questions to the database for one case as for two hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Text

from backend.applications.bills import bill_ids
from backend.applications.cases import Case
from backend.applications.tables import APPLICATION_ANSWER
from backend.citizens.codes import Codes
from backend.citizens.tables import FLAGS, INSURANCE
from backend.kernel.crypto import Keyring, Place
from backend.policies.procedures import Procedure

_CASES: Final = bindparam("cases", type_=ARRAY(BigInteger))
_FACTS: Final = text("SELECT * FROM checked_facts(:cases, :day)").bindparams(_CASES)
_KEYS: Final = text("SELECT case_id, data_key FROM checked_cases(:cases)").bindparams(_CASES)
_IDENTITIES: Final = text("SELECT * FROM checked_identities(:cases)").bindparams(_CASES)
_BILLS: Final = text("SELECT * FROM checked_bills(:cases, :bills, :layers)").bindparams(
    _CASES, bindparam("bills", type_=ARRAY(BigInteger)), bindparam("layers", type_=ARRAY(Text))
)
ANSWER: Final = APPLICATION_ANSWER.c


@dataclass(frozen=True, slots=True)
class Held:
    """An identity. `to` None: still held; `applied_on` None: not known."""

    category: str
    from_on: date
    to: date | None
    applied_on: date | None


@dataclass(frozen=True, slots=True)
class NamedBill:
    """A bill that the case names. `flags`: those that are set; `given`: what the layer of the claim
    has paid on it, fen; None: nothing yet; `elsewhere`: other cases that name it."""

    id: int
    setting: str
    admitted_on: date
    discharged_on: date
    flags: frozenset[str]
    given: int | None
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known for a case. Fen; None: not known. `burden`: of the own bills of 12 months;
    `home_burden`: of the household's of this calendar year; `named`: ids of bills in the answers.
    """

    case: Case
    answers: Mapping[str, str] = field(repr=False)
    known: bool
    died_on: date | None
    left_on: date | None
    area: int
    insurance: str
    people: int | None
    income: int | None
    income_year: int | None
    bill_count: int
    burden: int
    home_burden: int
    granted: int
    going: int
    home_going: int
    related: bool
    identities: tuple[Held, ...]
    named: tuple[int, ...]
    bills: tuple[NamedBill, ...]


def read_facts(
    session: Session,
    keyring: Keyring,
    cases: Sequence[Case],
    procedures: Mapping[int, Procedure],
    today: date,
) -> Sequence[Facts]:
    """The facts of each case that is at the desk of the session."""
    asked = {"cases": [case.id for case in cases], "day": today}
    rows = {row.case_id: row for row in session.execute(_FACTS, asked)}
    here = [case for case in cases if case.id in rows]
    answers = _answers(session, keyring, here)
    identities = _identities(session, here)
    named = {case.id: _named(procedures[case.id], answers[case.id]) for case in here}
    bills = _bills(session, named, procedures)
    return [
        _facts(
            (case, rows[case.id], answers[case.id]),
            identities[case.id],
            named[case.id],
            [bills[case.id, one] for one in named[case.id] if (case.id, one) in bills],
        )
        for case in here
    ]


def _facts(
    of: tuple[Case, Row[Any], Mapping[str, str]],
    identities: Sequence[Held],
    named: Sequence[int],
    bills: Sequence[NamedBill],
) -> Facts:
    case, row, answers = of
    return Facts(
        case=case, answers=answers, known=row.known, died_on=row.died_on,
        left_on=row.left_on, area=row.area, insurance=INSURANCE[row.insurance],
        people=row.people, income=row.income, income_year=row.income_year,
        bill_count=row.bills, burden=row.burden, home_burden=row.home_burden,
        granted=row.granted, going=row.going, home_going=row.home_going, related=row.related,
        identities=tuple(identities), named=tuple(named), bills=tuple(bills),
    )  # fmt: skip


def _answers(
    session: Session, keyring: Keyring, cases: Sequence[Case]
) -> Mapping[int, Mapping[str, str]]:
    """Case → field → value; nothing of a person who was forgotten."""
    asked = {"cases": [case.id for case in cases]}
    keys = {row.case_id: bytes(row.data_key) for row in session.execute(_KEYS, asked)}
    ciphers = {
        case.id: keyring.person(case.person_id, keys[case.id])
        for case in cases
        if keys.get(case.id)
    }
    query = select(ANSWER.id, ANSWER.application_id, ANSWER.field, ANSWER.value)
    found: dict[int, dict[str, str]] = {case.id: {} for case in cases}
    for row in session.execute(query.where(ANSWER.application_id.in_(ciphers))):
        place = Place("application_answer", "value", row.id)
        value = ciphers[row.application_id].open(place, bytes(row.value))
        found[row.application_id][row.field] = value
    return found


def _identities(session: Session, cases: Sequence[Case]) -> Mapping[int, Sequence[Held]]:
    names = Codes.names(session, "category")
    found: dict[int, list[Held]] = defaultdict(list)
    for row in session.execute(_IDENTITIES, {"cases": [case.id for case in cases]}):
        held = Held(names[row.category], row.from_on, row.to_on, row.applied_on)
        found[row.case_id].append(held)
    return found


def _named(procedure: Procedure, answers: Mapping[str, str]) -> Sequence[int]:
    return [
        one
        for field in procedure.fields.values()
        if field.type == "bills" and field.code in answers
        for one in bill_ids(answers[field.code])
    ]


def _bills(
    session: Session, named: Mapping[int, Sequence[int]], procedures: Mapping[int, Procedure]
) -> Mapping[tuple[int, int], NamedBill]:
    """Case and bill → the bill, where it is the person's own."""
    pairs = [(case, bill) for case, ids in named.items() for bill in dict.fromkeys(ids)]
    if not pairs:
        return {}
    settings = Codes.names(session, "setting")
    asked = {
        "cases": [case for case, _ in pairs],
        "bills": [bill for _, bill in pairs],
        "layers": [procedures[case].layer or "" for case, _ in pairs],
    }
    rows = session.execute(_BILLS, asked)
    return {(row.case_id, row.bill_id): _bill(row, settings[row.setting]) for row in rows}


def _bill(row: Row[Any], setting: str) -> NamedBill:
    return NamedBill(
        id=row.bill_id,
        setting=setting,
        admitted_on=row.admitted_on,
        discharged_on=row.discharged_on,
        flags=frozenset(flag for place, flag in enumerate(FLAGS) if row.flags >> place & 1),
        given=row.given,
        elsewhere=row.elsewhere,
    )
