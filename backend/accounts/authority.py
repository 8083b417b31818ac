"""代为办理 (authority): who may do what for whom: oneself, family of record, or by delegation.

The database says so, as it says whom a session sees (`scope_people`): of today, at every question.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor

SCOPES: Final[Mapping[str, str]] = {
    "see": "查看情况和进度",
    "apply": "代为申请",
    "materials": "代交材料",
    "receive": "代收消息和清单",
}
"""What a delegation may be for → its name. Family of record may do everything. Of the file `see`
alone shows something."""
_SPEAK: Final = "speak"
_OVER: Final = text("SELECT authority_over(:wanted)")


def people_acted_for(session: Session, scope: str) -> frozenset[int]:
    """For whom the session may do what `scope` (of `SCOPES`) names: a resident's own person and
    family, and who delegated it. Staff in their duty do their own work; for what the person would
    do they need a delegation.
    """
    return _over(session, scope)


def people_spoken_for(session: Session) -> frozenset[int]:
    """Whose word the session's word is, as for consents: oneself, and those under guardianship."""
    return _over(session, _SPEAK)


def purpose_of_look(session: Session, actor: Actor, person_id: int) -> str:
    """What a look at somebody's case is for, as the audit says it: `own`, `delegated`, or `review`
    by staff who decide.
    """
    if actor.kind == "resident":
        return "own" if person_id in people_spoken_for(session) else "delegated"
    return "delegated" if actor.visits else "review"


def _over(session: Session, wanted: str) -> frozenset[int]:
    return frozenset(session.execute(_OVER, {"wanted": wanted}).scalar_one() or ())
