"""费用单 (bills): the bills that an application names: they must be the person's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from backend.applications.answers import POINTER, AnswerWrong
from backend.kernel.errors import Fault

_OWN: Final = text(
    "SELECT count(*) FROM bill WHERE id = ANY (:ids)"
    " AND person_id = ANY (same_people(ARRAY[CAST(:person AS bigint)]))"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


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
