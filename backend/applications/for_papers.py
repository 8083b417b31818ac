"""代交材料 (for papers): the cases of those who asked somebody to hand papers in, and nothing else.

Such a delegate sees no file: which case it is, and not what is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.kernel import audit
from backend.kernel.errors import DomainError, Fault
from backend.policies.book import PolicyBook

_CASES: Final = text("SELECT * FROM cases_for_papers()")
_OF_CASE: Final = text(
    "SELECT policy, kind FROM application WHERE id = :case"
    " UNION ALL SELECT policy, kind FROM cases_for_papers() WHERE id = :case LIMIT 1"
)


class UnknownPaperKind(DomainError):
    """The kind of application asks for no such paper."""

    code: ClassVar[str] = "unknown-paper-kind"


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


def check_paper_kind(session: Session, book: PolicyBook, case_id: int, kind: str) -> None:
    """Raises `UnknownPaperKind` for a paper that the procedure of the case does not name. Of a case
    that the session does not see nothing is said."""
    row = session.execute(_OF_CASE, {"case": case_id}).first()
    procedure = None if row is None else book.procedures.get(row.policy, {}).get(row.kind)
    if procedure is None or kind in procedure.papers:
        return
    listed = "、".join(f"{one.label}（{code}）" for code, one in procedure.papers.items())
    told = f"请从这些材料里选，填括号里的代码：{listed}。" if listed else "这类申请不用交材料。"
    raise UnknownPaperKind(Fault("/kind", told))
