"""Drafts put into the tables in bulk: `away_registration`, which wants neither letter nor papers."""

from __future__ import annotations

from itertools import count
from typing import Any, Final

from sqlalchemy import text

from backend.applications.tables import APPLICATION, APPLICATION_ANSWER
from backend.kernel.crypto import Place
from tests.support.accounts import Accounts
from tests.support.front import Draft, Front
from tests.support.register import Register
from tests.support.townsfolk import Townsfolk, Townsman

KIND: Final = "away_registration"
_NUMBERS: Final = count(1)
_ANSWERS: Final = {"from_on": "2026-11-02", "why": "lives_there", "phone": "19900000009"}


def applicants(front: Front, number: int) -> list[tuple[Townsman, str]]:
    """So many people of Jiangyin with accounts, and their tokens."""
    accounts = Accounts(front.owner)
    town = Townsfolk(front.owner, front.keyring, accounts, Register(front.owner))
    people = [town.person(f"测试{next(_NUMBERS)}") for _ in range(number)]
    return [(one, town.known(one)) for one in people]


def drafts(
    front: Front, people: list[tuple[Townsman, str]], each: int, place: str = ""
) -> list[Draft]:
    """So many complete drafts of each; about different journeys, or all about the same `place`."""
    made, cases, answers = [], [], []
    for who, token in people:
        resident, key = front.rows(
            "SELECT r.id, p.data_key FROM resident AS r JOIN person AS p ON p.id = r.person_id"
            " WHERE p.id = :person", person=who.id,
        )[0]  # fmt: skip
        cipher = front.keyring.person(who.id, bytes(key))
        ids = _ids(front, each * (2 + len(_ANSWERS)))
        for _ in range(each):
            case = ids.pop()
            made.append(Draft(case, token))
            cases.append(_case(case, who.id, resident))
            for field, value in (_ANSWERS | {"place": place or f"测试市{case}"}).items():
                own = ids.pop()
                sealed = cipher.seal(Place("application_answer", "value", own), value)
                answers.append(_answer(own, case, field, sealed))
    with front.owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(APPLICATION.insert(), cases)
        connection.execute(APPLICATION_ANSWER.insert(), answers)
    return made


def _ids(front: Front, number: int) -> list[int]:
    query = "SELECT nextval('row_id') FROM generate_series(1, :number)"
    return [row[0] for row in front.rows(query, number=number)]


def _case(case: int, person: int, resident: int) -> dict[str, Any]:
    return {
        "id": case, "person_id": person, "area": 320281101001, "kind": KIND,
        "policy": "wuxi-2022-98", "resident_id": resident, "capacity": "self",
        "client_key": f"draft-{case}", "filing": True, "notice": False,
    }  # fmt: skip


def _answer(own: int, case: int, field: str, sealed: bytes) -> dict[str, Any]:
    return {
        "id": own, "application_id": case, "field": field, "value": sealed,
        "source": "applicant", "by": "测试",
    }  # fmt: skip
