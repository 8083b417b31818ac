"""待告知 (notices): messages that a person is owed; whoever delivers messages takes them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.worklist.tables import NOTICE_DUE


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person is to be told. `kind`: what about (`exit`); `cause`: `identity:123`, once."""

    person_id: int
    kind: str
    cause: str
    created: date


def notices_due(session: Session, notices: Sequence[Notice]) -> int:
    """Owe the people these messages, each cause once; returns how many are new."""
    if not notices:
        return 0
    rows = [
        {
            "person_id": one.person_id,
            "kind": one.kind,
            "cause": one.cause,
            "created_on": one.created,
        }
        for one in notices
    ]
    new = insert(NOTICE_DUE).on_conflict_do_nothing().returning(NOTICE_DUE.c.id)
    return len(session.execute(new, rows).all())


def notice_due(session: Session, notice: Notice) -> bool:
    """Owe one message; False: it was owed already."""
    return notices_due(session, (notice,)) == 1
