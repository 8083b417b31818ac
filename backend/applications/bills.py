"""费用单 (bills): those that an application can name, and does: they must be the person's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from backend.accounts.authority import purpose_of_look
from backend.accounts.scope import Actor
from backend.applications.answers import POINTER, AnswerWrong
from backend.applications.cases import case_of
from backend.kernel import audit
from backend.kernel.errors import Fault

_OWN: Final = text(
    "SELECT count(*) FROM bill WHERE id = ANY (:ids)"
    " AND person_id = ANY (same_people(ARRAY[CAST(:person AS bigint)]))"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))

_LISTED: Final = text(
    "SELECT b.id, coalesce(h.name, '') AS hospital, c.code AS setting, b.admitted_on,"
    " b.discharged_on, b.total,"
    " EXISTS (SELECT FROM bill_claim AS k WHERE k.bill_id = b.id AND k.state <> 'released'"
    " AND k.application_id <> :case) AS claimed"
    " FROM bill AS b LEFT JOIN hospital AS h ON h.id = b.hospital_id"
    " JOIN code_number AS c ON c.kind = 'setting' AND c.number = b.setting"
    " WHERE b.person_id = ANY (same_people(ARRAY[CAST(:person AS bigint)]))"
    " ORDER BY b.discharged_on DESC, b.id LIMIT :most"
)
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A bill to choose. `total`: fen; `claimed`: another application names it already."""

    id: int
    hospital: str
    setting: str
    admitted_on: date
    discharged_on: date
    total: int
    claimed: bool


def bills_to_name(session: Session, actor: Actor, case_id: int) -> Sequence[Listed]:
    """The bills of whom the case is for, at most `MOST`, the newest in front.

    Raises `UnknownCase`.
    """
    case = case_of(session, case_id)
    purpose = purpose_of_look(session, actor, case.person_id)
    audit.read_person(session, actor, case.person_id, purpose, ("bills",))
    asked = {"case": case.id, "person": case.person_id, "most": MOST}
    return [Listed(*row) for row in session.execute(_LISTED, asked)]


def bill_ids(value: str) -> tuple[int, ...]:
    """The ids in the value of a field of bills."""
    return tuple(int(one) for one in value.split(",") if one)


def own_bills(session: Session, person_id: int, value: str) -> Sequence[int]:
    """The ids of bills that are all the person's. Raises `AnswerWrong`."""
    ids = bill_ids(value)
    known = session.execute(_OWN, {"ids": list(ids), "person": person_id}).scalar_one()
    if known != len(ids):
        raise AnswerWrong(Fault(POINTER, "有的费用单不是本人的：请从列出的费用单里重新选。"))
    return ids
