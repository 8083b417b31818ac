"""补交材料 (owing): what who was helped first in an emergency still has to hand in, and that nobody
grants before it is there.

Who may not promise hands the papers in that the letter stands in for: in the fast lane afterwards,
within the period `papers_owed`.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.applications.completeness import papers_owed
from backend.applications.revoking import CLOCK
from backend.applications.steps import Step
from backend.kernel.errors import DomainError, Fault
from backend.letters.presenting import letter_of
from backend.policies.procedures import Paper, Procedure


class PapersOwed(DomainError):
    """In the fast lane, papers that were to follow are not there: nothing is granted before."""

    code: ClassVar[str] = "application-papers-owed"


def owed(session: Session, case: Case, procedure: Procedure) -> tuple[Paper, ...]:
    """Papers that were to follow and are not there. Of whom no letter stands, those too that it
    stands in for: whether the bar is over meanwhile is not asked.
    """
    if not case.fast_lane:
        return ()
    return papers_owed(session, case.id, procedure, promises=promised(session, case, procedure))


def check_owed(session: Session, case: Case, step: Step, procedure: Procedure) -> None:
    """Raises `PapersOwed` where a step would grant, or propose to, while papers are owed. To refuse
    stays possible: for papers that never came.
    """
    grants = step.deed == "approve" or (step.deed, step.proposal) == ("review", "grant")
    if not grants:
        return
    if papers := owed(session, case, procedure):
        named = "、".join(f"“{one.label}”" for one in papers)
        then = _WAIT if case.state == "helped" else _ASK
        raise PapersOwed(Fault("/deed", f"急重病先行救助以后要补交的材料还没有交：{named}。{then}"))


_WAIT = "请等申请人补交，交齐了再拟同意；到期没有交的，可以拟不同意，写明情况。"
_ASK = "请先要求补正，等申请人交齐再办。"


def promised(session: Session, case: Case, procedure: Procedure) -> bool:
    """Whether nothing is owed for want of a letter: one stands, or the kind asks for none."""
    if CLOCK not in procedure.deadlines or procedure.letter is None:
        return True
    return letter_of(session, case.id, procedure.letter) is not None
