"""办理 (deciding): what staff do with a case at their desk, each deed once.

`seq` is the number of steps that who acts has seen: if somebody was faster, nothing is done. Who
may act, and that two people are needed, the database decides with the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.applications.amounts import check_decided
from backend.applications.cases import Case, case_of
from backend.applications.moves import DEEDS, MOVES
from backend.applications.owing import check_owed
from backend.applications.steps import (
    CaseMoved,
    Circumstances,
    ReasonMissing,
    Step,
    take_step,
)
from backend.kernel.crypto import Keyring
from backend.kernel.errors import DomainError, Fault
from backend.policies.book import PolicyBook
from backend.policies.procedures import Procedure

STAFF_DEEDS: Final = (
    "accept", "ask", "file", "help", "review", "return", "approve", "refuse", "stop", "confirm",
    "overturn", "uphold", "propose", "revoke", "keep",
)  # fmt: skip
NOTED: Final = ("ask", "refuse", "stop", "propose", "revoke", "return", "overturn", "uphold")
"""Deeds that need words besides."""
OTHER: Final = "other"
MOST_AT_ONCE: Final = 200


class UnknownReason(DomainError):
    """The procedure has no such reason."""

    code: ClassVar[str] = "application-unknown-reason"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with which case. `seq`: the number of steps that was seen."""

    case_id: int
    seq: int
    step: Step


@dataclass(frozen=True, slots=True)
class Office:
    """Who decides, with which keys and rules, on which day."""

    actor: Actor
    keyring: Keyring
    book: PolicyBook
    today: date


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one of many. `refusal` None: it was filed."""

    case_id: int
    refusal: DomainError | None


def decide(session: Session, office: Office, decision: Decision) -> Case:
    """Do it; the case as it stands then.

    Raises `UnknownCase`, `CaseMoved`, `DeedImpossible`, `NotYourDesk`, `AnotherPersonNeeded`,
    `AnotherGoing`, `ReasonMissing`, `UnknownReason`, `PapersOwed`, `GrantWrong`.
    """
    case = case_of(session, decision.case_id)
    if case.seq != decision.seq:
        raise CaseMoved(Fault("/seq", "别人刚办过这件申请：请刷新，看过新的进展再办。"))
    procedure = procedure_of(office.book, case)
    check_reason(decision.step, procedure)
    check_owed(session, case, decision.step, procedure)
    check_decided(session, case, decision.step, procedure)
    given = Circumstances(office.actor, office.keyring, procedure, office.today)
    return take_step(session, case, decision.step, given)


def file_many(session: Session, office: Office, decisions: Sequence[Decision]) -> Sequence[Filed]:
    """备案: many cases of the filing kind at once, each on its own: what is refused stays as it
    was, and is told with its reason.
    """
    return [_file_one(session, office, one) for one in decisions[:MOST_AT_ONCE]]


def procedure_of(book: PolicyBook, case: Case) -> Procedure:
    """By which procedure the case runs: that of its policy."""
    return book.procedure(case.policy, case.kind)


def check_reason(step: Step, procedure: Procedure) -> None:
    """Raises `UnknownReason` for a refusal with a reason that the procedure does not have, or where
    more is asked for and the code is neither a reason nor a field or paper of it; `ReasonMissing`
    where words are missing.
    """
    known = {code: one.label for code, one in procedure.refusal_reasons.items()}
    if step.deed == "ask":
        known |= {code: one.label for code, one in procedure.fields.items()}
        known |= {code: one.label for code, one in procedure.papers.items()}
    if step.deed in ("refuse", "ask") and step.reason not in known:
        listed = "、".join(f"{label}（{code}）" for code, label in known.items())
        raise UnknownReason(Fault("/reason", f"请从这些里选，填括号里的代码：{listed}。"))
    if step.deed in NOTED and not step.note.strip():
        raise ReasonMissing(Fault("/note", "请写明情况和理由，申请人会看到。"))


def _file_one(session: Session, office: Office, decision: Decision) -> Filed:
    try:
        with session.begin_nested():
            decide(session, office, decision)
    except DomainError as refusal:
        return Filed(decision.case_id, refusal)
    return Filed(decision.case_id, None)


def moves_open_to(case: Case) -> Mapping[str, str]:
    """Deed → name of what could be done from the state with a case of its kind, whoever it is."""
    lacking = {given for given in ("filing", "fast_lane") if not getattr(case, given)}
    possible = {
        move.deed
        for move in MOVES.values()
        if move.from_state == case.state and move.given not in lacking
    }
    return {deed: DEEDS[deed] for deed in STAFF_DEEDS if deed in possible}
