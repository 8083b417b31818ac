"""待告知 (notices): messages that a person is owed; whoever delivers messages takes them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

# Nothing is read: the site may owe people messages, and not know what else they are owed.
_OWE: Final = text(
    """
    INSERT INTO notice_due (person_id, kind, cause, created_on)
    SELECT * FROM unnest(
        CAST(:people AS bigint[]), CAST(:kinds AS text[]), CAST(:causes AS text[]),
        CAST(:days AS date[])
    ) ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person is to be told. `kind`: what about (`exit`); `cause`: `identity:123`, once."""

    person_id: int
    kind: str
    cause: str
    created: date


def notices_due(session: Session, notices: Sequence[Notice]) -> int:
    """Owe the people these messages, each cause once, in the transaction of the cause; returns how
    many are new. A session of the site may owe them to those whom it sees.
    """
    if not notices:
        return 0
    columns = {
        "people": [one.person_id for one in notices],
        "kinds": [one.kind for one in notices],
        "causes": [one.cause for one in notices],
        "days": [one.created for one in notices],
    }
    count: int = session.execute(_OWE, columns).rowcount  # type: ignore[attr-defined]
    return count


def notice_due(session: Session, notice: Notice) -> bool:
    """Owe one message; False: it was owed already."""
    return notices_due(session, (notice,)) == 1
