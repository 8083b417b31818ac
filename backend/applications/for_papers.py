"""代交材料 (for papers): the cases of those who asked somebody to hand papers in, and nothing else.

Such a delegate sees no file: which case it is, and not what is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.kernel import audit

_CASES: Final = text("SELECT * FROM cases_for_papers()")


@dataclass(frozen=True, slots=True)
class ForPapers:
    """A case that papers are taken for."""

    id: int
    person_id: int
    kind: str
    policy: str
    state: str
    begun_at: datetime


def cases_for_papers(session: Session, actor: Actor) -> Sequence[ForPapers]:
    """Those that the session may hand papers in for and do no more, the newest in front; the look
    is written down.
    """
    found = [ForPapers(*row) for row in session.execute(_CASES)]
    people = [one.person_id for one in found]
    audit.read_people(session, actor, people, "delegated", ["applications"])
    return found
