"""失信 (revoking): who made a false promise applies by promise no more, for a time.

国办发〔2020〕42号 on informed commitment; how long, says the procedure (`promise_barred`, working
days): a policy may set it otherwise.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.applications.cases import Case
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
    """The person may not apply by promise for the time being."""

    code: ClassVar[str] = "application-promise-barred"


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


def check_promise(session: Session, person_id: int, procedure: Procedure, today: date) -> None:
    """Raises `PromiseBarred` where the kind rests on a promise and the person's is not taken."""
    until = barred(session, person_id, today) if CLOCK in procedure.deadlines else None
    if until is not None:
        told = (
            f"以前的承诺经核实不实，{until:%Y年%m月%d日}以前不能用承诺的办法申请："
            "请带收入、财产的证明材料到乡镇（街道）窗口申请；认为处理有误的，可以申诉。"
        )
        raise PromiseBarred(Fault("/application", told))


def _reason(session: Session, case: Case) -> str:
    query = select(STEP.reason).where(STEP.application_id == case.id, STEP.deed == "revoke")
    return str(session.execute(query.order_by(STEP.seq.desc()).limit(1)).scalar_one_or_none() or "")
