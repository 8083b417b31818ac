"""Objects for the access matrix: objections to an entry of each person, at the county's desk.

Kind `objection`: seen by the county and the city of the person; decided at the county.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, Engine, text

from backend.kernel import keys
from backend.kernel.crypto import Place
from tests.support.raw_cases import Applicant, raw_case

KIND: Final = "objection"
COUNTY: Final = "county_officer"
DESKS: Final[Mapping[str, str]] = {"next county": "city_officer"}
"""Relation → desk; where nobody of the accounts is at the county, it was escalated."""
_NOTICED: Final = text("UPDATE application SET state = 'noticed', desk = :desk WHERE id = :case")
_LIST: Final = text(
    "INSERT INTO public_notice (id, area, first_day, last_day)"
    " VALUES (nextval('row_id'), :area, '2026-01-01', '2099-01-01')"
    " ON CONFLICT (area, first_day, last_day) DO UPDATE SET area = excluded.area RETURNING id"
)
_ENTRY: Final = text(
    "INSERT INTO public_notice_entry (id, notice_id, application_id, seq, name, number, kind)"
    " VALUES (nextval('row_id'), :list, :case, 1, '测*', repeat('*', 18), 'recognition')"
    " RETURNING id"
)
_OBJECTION: Final = text(
    "INSERT INTO notice_objection (id, notice_id, entry_id, application_id, area, client_key,"
    " words, code, code_index) VALUES (:id, :list, :entry, :case, :area, :key, :words, :code,"
    " :index)"
)


def objections(engine: Engine, people: Mapping[str, int], resident: int) -> dict[str, int]:
    """Relation → its objection."""
    with engine.begin() as connection:
        return {
            relation: _objection(connection, (person, resident), DESKS.get(relation, COUNTY))
            for relation, person in people.items()
        }


def _objection(connection: Connection, of: tuple[int, int], desk: str) -> int:
    person, resident = of
    area = connection.execute(text("SELECT area FROM person WHERE id = :id"), {"id": person})
    place = int(area.scalar_one())
    case = raw_case(connection, Applicant(person, resident, place))
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(_NOTICED, {"case": case, "desk": desk})
    connection.execute(text("SET LOCAL session_replication_role = origin"))
    listed = connection.execute(_LIST, {"area": place}).scalar_one()
    entry = connection.execute(_ENTRY, {"list": listed, "case": case}).scalar_one()
    own = int(connection.execute(text("SELECT nextval('row_id')")).scalar_one())
    shared, code = keys.keyring().shared(), f"CODE{own:06d}"
    values = {
        "id": own, "list": listed, "entry": entry, "case": case, "area": place, "key": f"key-{own}",
        "words": shared.seal(Place("notice_objection", "words", own), "测试异议"),
        "code": shared.seal(Place("notice_objection", "code", own), code),
        "index": keys.keyring().index("objection_code", code),
    }  # fmt: skip
    connection.execute(_OBJECTION, values)
    return own
