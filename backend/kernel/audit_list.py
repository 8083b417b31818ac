"""审计查询 (audit list): what happened, newest first, for auditors and on the command line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

MOST: Final = 1_000
_LISTED: Final = text("SELECT * FROM audit_listed(:asked, :most)").bindparams(
    bindparam("asked", type_=JSONB)
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; None: whatever it is. `before`: an event's id, to page on; `person`: what
    was done to this person's file, also under numbers that were merged into it since.
    """

    actor: str | None = None
    person: int | None = None
    action: str | None = None
    kind: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was written."""

    id: int
    at: datetime
    actor: str
    role: str
    action: str
    subject_kind: str
    subject_id: str
    purpose: str
    area: int | None
    detail: dict[str, Any]


def events(session: Session, asked: Asked, most: int = MOST) -> list[Event]:
    """The newest events of that sort.

    The database gives auditors those that concern the places of their duty (where somebody acted,
    or the person is registered) and those of no place, commands all of them, everybody else none.
    """
    wanted = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(asked).items()
        if value is not None
    }
    rows = session.execute(_LISTED, {"asked": wanted, "most": most}).mappings()
    return [Event(**row) for row in rows]
