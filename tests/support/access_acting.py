"""Objects for the access matrix that residents own: consents, delegations, authorities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

_CONSENT: Final = text(
    "INSERT INTO consent (id, person_id, purpose, text_id, version, text_sha256, channel, by)"
    " VALUES (nextval('row_id'), :person, :purpose, :purpose, 1, sha256('x'), 'counter', '测试')"
    " RETURNING id"
)
_DELEGATION: Final = text(
    "INSERT INTO delegation (id, person_id, staff_id, scope, from_on, to_on, consent_id, channel,"
    " recorded_by) VALUES (nextval('row_id'), :person, :staff, ARRAY['see'], DATE '2020-01-01',"
    " DATE '2099-01-01', :consent, 'counter', '测试') RETURNING id"
)
_AUTHORITY: Final = text(
    "INSERT INTO family_authority (id, resident_id, person_id, relationship, basis, recorded_by,"
    " from_on) VALUES (nextval('row_id'), :account, :person, 'other', 'written', '测试',"
    " DATE '2020-01-01') RETURNING id"
)


def consents(engine: Engine, people: Mapping[str, int]) -> dict[str, int]:
    """One of each person."""
    return {
        relation: _made(engine, _CONSENT, person=person, purpose="sms")
        for relation, person in people.items()
    }


def delegations(engine: Engine, people: Mapping[str, int], staff: int) -> dict[str, int]:
    """One of each person, to somebody who asks nothing."""
    made = {}
    for relation, person in people.items():
        consent = _made(engine, _CONSENT, person=person, purpose="delegation")
        values = {"person": person, "staff": staff, "consent": consent}
        made[relation] = _made(engine, _DELEGATION, **values)
    return made


def authority(engine: Engine, account: int, person: int) -> int:
    """Of an account over a person."""
    return _made(engine, _AUTHORITY, account=account, person=person)


def _made(engine: Engine, statement: Any, **values: Any) -> int:
    with Session(engine) as session, session.begin():
        return int(session.execute(statement, values).scalar_one())
