"""Cases put straight into the tables, in any state: for what the database itself must refuse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

_SERIAL: Final = count(1)
_CASE: Final = text(
    "INSERT INTO application (id, person_id, area, kind, policy, subject, resident_id, capacity,"
    " client_key, fast_lane, filing, notice) VALUES (nextval('row_id'), :person, :area, :kind,"
    " 'wuxi-2022-98', :subject, :resident, 'self', :key, :fast_lane, :filing, :notice)"
    " RETURNING id"
)
_STEP: Final = text(
    "INSERT INTO application_step (id, application_id, seq, deed, from_state, to_state, proposal,"
    " reason, by, staff_id, resident_id, role) VALUES (nextval('row_id'), :case, :seq, :deed,"
    " :from_state, :to_state, :proposal, 'other', 'test', :staff, :resident, '')"
)


@dataclass(frozen=True)
class Applicant:
    """Whose cases they are."""

    person: int
    resident: int
    area: int


def raw_case(
    connection: Connection, who: Applicant, kind: str = "recognition", **flags: bool
) -> int:
    """A draft; its id."""
    values = {"fast_lane": False, "filing": False, "notice": False} | flags
    one = next(_SERIAL)
    made = connection.execute(
        _CASE,
        {"person": who.person, "area": who.area, "kind": kind, "subject": f"{one}",
         "resident": who.resident, "key": f"raw-{one}", **values},
    )  # fmt: skip
    return int(made.scalar_one())


def raw_step(connection: Connection, case: int, move: tuple[str, str, str], **who: Any) -> None:
    """A step as anybody could write it who may write to the table. `seq`: the next one."""
    deed, from_state, to_state = move
    seq = connection.execute(
        text("SELECT seq + 1 FROM application WHERE id = :case"), {"case": case}
    ).scalar_one()
    proposal = "grant" if deed == "review" else ""
    values = {"case": case, "seq": seq, "deed": deed, "from_state": from_state}
    values |= {"to_state": to_state, "proposal": proposal, "staff": None, "resident": None}
    connection.execute(_STEP, values | who)


def force_state(connection: Connection, case: int, state: str) -> None:
    """As though the case had come there: without triggers, which need the server's own user."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(
        text("UPDATE application SET state = :state WHERE id = :case"),
        {"state": state, "case": case},
    )
    connection.execute(text("SET LOCAL session_replication_role = origin"))


def refused(connection: Connection, statement: Any, values: dict[str, Any]) -> bool:
    """Whether the database refuses the statement; nothing of it stays either way."""
    point = connection.begin_nested()
    try:
        connection.execute(statement, values)
    except DBAPIError:
        point.rollback()
        return True
    point.rollback()
    return False


def step_refused(connection: Connection, case: int, move: tuple[str, str, str], **who: Any) -> bool:
    """The same of a step."""
    point = connection.begin_nested()
    try:
        raw_step(connection, case, move, **who)
    except DBAPIError:
        point.rollback()
        return True
    point.rollback()
    return False


def applicant(engine: Engine, person: int, resident: int) -> Applicant:
    """Whose person and account they are."""
    with engine.connect() as connection:
        area = connection.execute(
            text("SELECT area FROM person WHERE id = :person"), {"person": person}
        ).scalar_one()
    return Applicant(person, resident, int(area))


def whose(engine: Engine, person: int) -> Applicant:
    """The same by the account that the person has already."""
    with engine.connect() as connection:
        resident = connection.execute(
            text("SELECT id FROM resident WHERE person_id = :person"), {"person": person}
        ).scalar_one()
    return applicant(engine, person, int(resident))
