"""失信 (revoking): who made a false promise applies by promise no more, for a time: with the papers
that the promise stands in for.

国办发〔2020〕42号 on informed commitment; how long, says the procedure (`promise_barred`, working
days): a policy may set it otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.applications.completeness import NO_PROMISE
from backend.applications.effect_tables import PROMISE_BARRED
from backend.applications.tables import APPLICATION_STEP
from backend.kernel.calendar import add_working_days
from backend.kernel.errors import DomainError, Fault
from backend.policies.procedures import Procedure

CLOCK: Final = "promise_barred"
BARRED: Final = PROMISE_BARRED.c
STEP: Final = APPLICATION_STEP.c
OFFICE_ERROR: Final = "office_error"
"""The reason of a revocation that the office has to answer for: nobody is barred by it."""


class PromiseBarred(DomainError):
    """The person may not apply by promise for the time being: papers take its place."""

    code: ClassVar[str] = "application-promise-barred"


@dataclass(frozen=True, slots=True)
class Proof:
    """What takes the place of the promise. `until`: the last day of that; `papers`: their codes;
    `told`: in the applicant's words."""

    until: date
    papers: tuple[str, ...]
    told: str


def bar_promises(session: Session, case: Case, procedure: Procedure, today: date) -> date | None:
    """After a revocation: until when; None where the kind rests on no promise, or the office was
    wrong."""
    deadline = procedure.deadlines.get(CLOCK)
    if deadline is None or _reason(session, case) == OFFICE_ERROR:
        return None
    until = add_working_days(today, deadline.working_days).day
    row = {
        "application_id": case.id, "person_id": case.person_id, "from_on": today,
        "until_on": until,
    }  # fmt: skip
    new = insert(PROMISE_BARRED).values(row)
    session.execute(new.on_conflict_do_nothing())
    return until


def barred(session: Session, person_id: int, today: date) -> date | None:
    """Until when the person may not apply by promise; None: they may."""
    of = func.person_now(BARRED.person_id) == func.person_now(person_id)
    query = select(func.max(BARRED.until_on)).where(of, BARRED.until_on >= today)
    found: date | None = session.execute(query).scalar_one()
    return found


def proof_instead(session: Session, case: Case, procedure: Procedure, today: date) -> Proof | None:
    """What the person hands in instead of the letter; None: the letter is signed as usual, or the
    kind rests on no promise."""
    until = barred(session, case.person_id, today) if CLOCK in procedure.deadlines else None
    if until is None:
        return None
    wanted = [one for one in procedure.papers.values() if one.required == NO_PROMISE]
    named = "、".join(f"“{one.label}”" for one in wanted)
    when = "先凭诊断证明救助，以后补交" if case.fast_lane else "请上传"
    told = (
        f"您这次不能用承诺书代替材料，{when}{named}，不用签承诺书。以前的承诺经核实不实，"
        f"到{until:%Y年%m月%d日}为止都这样办；认为处理有误的，可以申诉。"
    )
    return Proof(until, tuple(one.code for one in wanted), told)


def check_promise(session: Session, case: Case, procedure: Procedure, today: date) -> None:
    """Raises `PromiseBarred` where the kind rests on a promise and the person's is not taken."""
    if proof := proof_instead(session, case, procedure, today):
        raise PromiseBarred(Fault("/application", proof.told))


def _reason(session: Session, case: Case) -> str:
    query = select(STEP.reason).where(STEP.application_id == case.id, STEP.deed == "revoke")
    return str(session.execute(query.order_by(STEP.seq.desc()).limit(1)).scalar_one_or_none() or "")
