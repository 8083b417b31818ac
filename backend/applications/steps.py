"""办理步骤 (steps): the one way in which a case moves: a step is written, the database decides.

With the step, in the same transaction: its clocks start, stop or end, the person is owed a message,
and the audit has a row. A refusal of the database becomes a refusal with words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.applications import clocks
from backend.applications.cases import Case, case_of, cipher_of, of_case
from backend.applications.errands import leave_effects
from backend.applications.moves import APPLICANT, DEEDS, STATES, Move, moves_of
from backend.applications.tables import APPLICATION_STEP
from backend.kernel import audit
from backend.kernel.crypto import Keyring, Place
from backend.kernel.database import constraint_of
from backend.kernel.errors import DomainError, Fault
from backend.kernel.row_ids import next_id
from backend.policies.procedures import Procedure
from backend.worklist.notices import Notice, notice_due

STEP: Final = APPLICATION_STEP.c
PAID_TO_HOSPITAL: Final = "paid_to_hospital"
"""Told of a payment that went, at least in part, to a hospital that had advanced it."""
GRANTED_IN_KIND: Final = "granted_in_kind"
"""Told of a grant of which no money comes."""
WITH_MONEY: Final = ("identity", "claim", "amount")
"""What a kind brings that money comes of: the person is told of the account."""
_TO_HOSPITAL: Final = text(
    "SELECT EXISTS (SELECT FROM claim_assignment WHERE application_id = :case AND paid > 0)"
)
SYSTEM: Final = audit.Operator("worker", role="operator")
"""Who makes the moves that come by themselves."""


class CaseMoved(DomainError):
    """Somebody was faster: the case is not where it was."""

    code: ClassVar[str] = "application-moved"


class DeedImpossible(DomainError):
    """The deed is not possible in the state of the case, or for its kind."""

    code: ClassVar[str] = "application-deed-impossible"


class NotYourDesk(DomainError):
    """The case lies at another desk, or somebody else has claimed it."""

    code: ClassVar[str] = "application-not-your-desk"


class AnotherPersonNeeded(DomainError):
    """Who acts did another step of the case, helped to apply, or is related to it."""

    code: ClassVar[str] = "application-another-person"


class ReasonMissing(DomainError):
    """The deed needs a reason, or a proposal."""

    code: ClassVar[str] = "application-reason-missing"


class AlreadyApplied(DomainError):
    """The same is going on already for the person."""

    code: ClassVar[str] = "application-already-going"


class AnotherGoing(DomainError):
    """The same is going on for the person in another case: told to staff."""

    code: ClassVar[str] = "application-another-going"


class BillClaimed(DomainError):
    """Another application names a bill for the same layer."""

    code: ClassVar[str] = "application-bill-claimed"


@dataclass(frozen=True, slots=True)
class Step:
    """What is done. `reason`: a code of the procedure; `note`: words to it, sealed; `proposal`: of
    a review (`grant`, `refuse`)."""

    deed: str
    reason: str = ""
    note: str = ""
    proposal: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """In whose name, on which day and by which procedure a step is made."""

    who: audit.Who
    keyring: Keyring
    procedure: Procedure
    today: date


def take_step(session: Session, case: Case, step: Step, given: Circumstances) -> Case:
    """Make the step, with all that belongs to it; the case as it stands then.

    Raises `DeedImpossible`, `CaseMoved`, `NotYourDesk`, `AnotherPersonNeeded`, `ReasonMissing`,
    `AlreadyApplied`, `AnotherGoing`, `BillClaimed`.
    """
    move = _move(session, case, step)
    own = next_id(session)
    note = cipher_of(session, given.keyring, case).seal(place(own), step.note) if step.note else b""
    row = {
        "id": own, "application_id": case.id, "seq": case.seq + 1, "deed": step.deed,
        "from_state": move.from_state, "to_state": move.to_state, "proposal": step.proposal,
        "reason": step.reason, "note": note, "by": given.who.label,
    }  # fmt: skip
    try:
        session.execute(insert(APPLICATION_STEP).inline().values(row))
    except DBAPIError as error:
        raise _refusal(error, move) from error
    clocks.turn(session, case, step.deed, given.procedure, given.today)
    _tell(session, case, step.deed, move, given)
    audit.deed(
        session, given.who, f"application.{step.deed}", of_case(case),
        person=case.person_id, to=move.to_state, seq=case.seq + 1,
    )  # fmt: skip
    leave_effects(session, case.id, move.to_state, fast_lane=case.fast_lane)
    moved = replace(case, state=move.to_state, seq=case.seq + 1)
    return case_of(session, case.id) if STATES[move.to_state].desk else moved


def place(step_id: int) -> Place:
    """Where a step's note is sealed."""
    return Place("application_step", "note", step_id)


def event_of(deed: str, to_state: str) -> str | None:
    """Which message a step is told by; None: nobody is told."""
    return _EVENTS.get(deed, f"application_{to_state}")


_EVENTS: Final[Mapping[str, str | None]] = {
    "discard": None,
    "escalate": None,
    "return": None,
    "expire": "application_expired",
    "lapse": "application_lapsed",
    "keep": "application_kept",
    "overturn": "application_overturned",
    "stop": "application_stopped",
    "uphold": "application_upheld",
}


def _move(session: Session, case: Case, step: Step) -> Move:
    possible = moves_of(step.deed, case.state)
    if step.deed == "approve" and possible:
        wanted = "notice" if case.notice else "no_notice"
        return next(move for move in possible if move.given == wanted)
    if step.deed == "keep" and possible:
        before = _before_proposal(session, case)
        return next(move for move in possible if move.to_state == before)
    if not possible:
        raise _impossible(case, step)
    return possible[0]


def _before_proposal(session: Session, case: Case) -> str:
    query = select(STEP.from_state).where(STEP.application_id == case.id, STEP.deed == "propose")
    return str(session.execute(query.order_by(STEP.seq.desc()).limit(1)).scalar_one())


def _tell(session: Session, case: Case, deed: str, move: Move, given: Circumstances) -> None:
    event = event_of(deed, move.to_state)
    if deed == "pay" and session.execute(_TO_HOSPITAL, {"case": case.id}).scalar_one():
        event = PAID_TO_HOSPITAL
    if event == "application_granted" and given.procedure.brings not in WITH_MONEY:
        event = GRANTED_IN_KIND
    if event is not None:
        cause = f"application:{case.id}:{case.seq + 1}"
        notice_due(session, Notice(case.person_id, event, cause, given.today))


def _impossible(case: Case, step: Step) -> DeedImpossible:
    told = (
        f"这件申请现在是“{STATES[case.state].name}”，不能{DEEDS.get(step.deed, step.deed)}："
        "请刷新后再看。"
    )
    return DeedImpossible(Fault("/deed", told))


_MOVED: Final = "别人刚办过这件申请：请刷新，看过新的进展再办。"
_CONSTRAINTS: Final[Mapping[str, DomainError]] = {
    "application_step_next": CaseMoved(Fault("/seq", _MOVED)),
    "uq_application_step_application_id_seq": CaseMoved(Fault("/seq", _MOVED)),
    "application_step_legal": DeedImpossible(Fault("/deed", "这一步现在不能办：请刷新后再看。")),
    "application_step_given": DeedImpossible(
        Fault("/deed", "这类申请不走这一步：请按页面列出的办法办理。")
    ),
    "application_step_apart": AnotherPersonNeeded(
        Fault(
            "/deed",
            "须由另一个人办理：您办过这件申请的前一步，帮忙申请过，或者与申请人有亲属关系。请交给同事。",
        )
    ),
    "application_step_notice_over": DeedImpossible(
        Fault("/deed", "公示还没有期满，或者还有异议没有处理完：请先处理异议，等公示期满。")
    ),
    "application_step_advanced": DeedImpossible(
        Fault("/deed", "医院已经垫付，县里登记过：这件申请不能撤回。有疑问请打经办机构的电话。")
    ),
    "application_step_amount": DeedImpossible(
        Fault("/deed", "还没有定救助金额：请先定金额，再批准。")
    ),
    "application_step_reasoned": ReasonMissing(
        Fault("/reason", "请选择理由，初审请写明拟同意还是拟不同意。")
    ),
    "uq_application_one_going": AlreadyApplied(
        Fault("/application", "同一件事已经有一件申请在办：请从“我的申请”里打开那一件，不用再交。")
    ),
    "uq_bill_claim_live": BillClaimed(
        Fault(
            "/application",
            "要复查的费用单，有的已经在另一件申请里：请先撤回那一件，再申诉；"
            "那一件已经批准的，请打经办机构的电话问。",
        )
    ),
}
_ANOTHER: Final = AnotherGoing(
    Fault(
        "/deed",
        "同一件事，申请人另有一件申请在办：请等那一件办结、不予批准或者撤回以后，再办这一件。",
    )
)
_ELSEWHERE: Final = NotYourDesk(
    Fault("/deed", "这件申请现在不在您这里办，或者已由同事领办：请刷新清单后再看。")
)


def _refusal(error: DBAPIError, move: Move) -> Exception:
    if isinstance(error.orig, InsufficientPrivilege):
        return _ELSEWHERE
    known = _CONSTRAINTS.get(constraint_of(error))
    if isinstance(known, AlreadyApplied) and move.seat != APPLICANT:
        return _ANOTHER
    return known or error
