"""People with secrets of their own, on public lists: numbers, phones, accounts, illnesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from backend.kernel.crypto import Place
from backend.kernel.database import bound, transaction
from backend.public_notices.publishing import publish, waiting
from backend.public_notices.tasks import rounds_of
from tests.support.case_world import CaseWorld
from tests.support.raw_cases import Applicant, raw_case, raw_step

SURNAMES: Final = "赵钱孙李周吴郑王冯陈"
ILLNESSES: Final = ("肺恶性肿瘤", "慢性肾衰竭", "精神分裂症", "艾滋病", "白血病")


@dataclass(frozen=True)
class Canaries:
    """The people's ids; everything that must not be shown."""

    people: tuple[int, ...]
    secrets: tuple[str, ...]


def canaries(world: CaseWorld, many: int) -> Canaries:
    """So many people, each with secrets in the register and in their applications."""
    people, secrets = [], []
    for one in range(many):
        name = f"{SURNAMES[one % 10]}{chr(0x4E00 + one % 5000)}{chr(0x5E00 + one // 5000)}"
        whom = world.town.person(name)
        phone, account = f"199{one:08d}", f"62220000{one:011d}"
        illness = f"{ILLNESSES[one % 5]}{one}期"
        _tell(world, whom.id, phone)
        people.append(whom.id)
        secrets += [whom.number, name, name[1:], phone, account, illness]
        secrets += [whom.number[:17], whom.number[-6:]]
    return Canaries(tuple(people), tuple(secrets))


def on_lists(world: CaseWorld, found: Canaries) -> None:
    """Each has a case in notice, on the list of the village."""
    with world.owner.begin() as connection:
        resident = connection.execute(text("SELECT min(id) FROM resident")).scalar_one()
        for serial, person in enumerate(found.people):
            _noticed(
                connection, world, (person, resident), found.secrets[8 * serial : 8 * serial + 8]
            )
    with bound(world.owner), transaction() as session:
        rounds = rounds_of(session, _today(session))
        for one in waiting(session):
            publish(session, one, rounds)


def _today(session: Session) -> str:
    query = text("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date::text")
    return str(session.execute(query).scalar_one())


def _tell(world: CaseWorld, person: int, phone: str) -> None:
    with world.owner.begin() as connection:
        cipher = world.keyring.person(person, _key(connection, person))
        connection.execute(
            text("UPDATE person SET phone = :phone WHERE id = :id"),
            {"phone": cipher.seal(Place("person", "phone", person), phone), "id": person},
        )


def _noticed(
    connection: Connection, world: CaseWorld, of: tuple[int, int], secrets: tuple[str, ...]
) -> None:
    person, resident = of
    query = text("SELECT area FROM person WHERE id = :id")
    area = int(connection.execute(query, {"id": person}).scalar_one())
    case = raw_case(connection, Applicant(person, resident, area), notice=True)
    cipher = world.keyring.person(person, _key(connection, person))
    for field, value in zip(("phone", "account", "diagnosis"), secrets[3:6], strict=True):
        own = int(connection.execute(text("SELECT nextval('row_id')")).scalar_one())
        values: dict[str, Any] = {
            "id": own, "case": case, "field": field,
            "value": cipher.seal(Place("application_answer", "value", own), value),
        }  # fmt: skip
        connection.execute(
            text("INSERT INTO application_answer (id, application_id, field, value, source, by)"
                 " VALUES (:id, :case, :field, :value, 'applicant', 'test')"),
            values,
        )  # fmt: skip
    staff = world.staff_ids
    raw_step(connection, case, ("submit", "draft", "submitted"), resident=resident)
    raw_step(connection, case, ("accept", "submitted", "accepted"), staff=staff["镇甲"])
    raw_step(connection, case, ("review", "accepted", "reviewed"), staff=staff["镇甲"])
    raw_step(connection, case, ("approve", "reviewed", "noticed"), staff=staff["县甲"])


def _key(connection: Connection, person: int) -> bytes:
    query = text("SELECT data_key FROM person WHERE id = :id")
    return bytes(connection.execute(query, {"id": person}).scalar_one())
