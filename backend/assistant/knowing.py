"""认得是谁 (knowing): whom a conversation is with, as far as the answer may depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.assistant.progress import stages_of
from backend.assistant.replies import Known

CHAT: Final = "chat"
HANDOVER: Final = "chat_handover"
_WHO: Final = text(
    """
    SELECT person_now(r.person_id) AS person_id, p.area,
        ARRAY(
            SELECT person_now(f.person_id) FROM family_authority AS f
            WHERE f.resident_id = r.id AND authority_holds(f)
            UNION SELECT person_now(d.person_id) FROM delegation AS d
            WHERE d.resident_id = r.id AND 'see' = ANY (d.scope) AND delegation_holds(d)
        ) AS family
    FROM resident AS r LEFT JOIN person AS p ON p.id = person_now(r.person_id)
    WHERE r.id = :resident AND r.closed_at IS NULL AND coalesce(p.died_on > :today, true)
    """
)
_OPEN: Final = text(
    "SELECT EXISTS (SELECT FROM work_item WHERE kind = :kind AND subject_kind = :subject"
    " AND subject_id = :id AND state <> 'done')"
)


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose conversation it is, for the audit. `people`: whose progress the account may ask."""

    resident: int | None = None
    person: int | None = None
    people: tuple[int, ...] = ()
    role: str | None = "resident"
    area_from: int | None = None

    @property
    def label(self) -> str:
        """The account, as in other audit rows."""
        return f"resident:{self.resident}"


def known_of(session: Session, conversation: Row[Any], today: date) -> tuple[Known, Whose]:
    """What is known of who speaks; as `worker`, which sees everybody.

    The people whose progress is told are those whom the resident may act for, now.
    """
    handed = is_handed_over(session, conversation.id)
    asked = {"resident": conversation.resident_id, "today": today}
    who = session.execute(_WHO, asked).one_or_none() if conversation.resident_id else None
    if who is None:
        return Known(handed_over=handed), Whose()
    people = (*([who.person_id] if who.person_id else []), *who.family)
    stages = stages_of(session, who.person_id, people, today) if people else ()
    area = f"{who.area:012d}" if who.area else None
    whose = Whose(conversation.resident_id, who.person_id, people)
    return Known(bool(people), area, stages, handed), whose


def is_handed_over(session: Session, conversation: int) -> bool:
    """Whether it lies in somebody's list."""
    asked = {"kind": HANDOVER, "subject": CHAT, "id": str(conversation)}
    return bool(session.execute(_OPEN, asked).scalar_one())
