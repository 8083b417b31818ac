"""申请的结果 (effects): what a granted case brings, brought once; taken back where it ends.

A job is left with the step that grants or takes back. It compares what the case's newest decision
says with what stands (`application_effect`), under the lock of the case, and makes them agree in
one transaction: done twice, or after a kill, it comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from backend.applications import amounts, certifying, handing_on, recognising, registering
from backend.applications.cases import Case, case_of, of_case
from backend.applications.claims import grant_claims, release_claims
from backend.applications.effect_tables import APPLICATION_EFFECT
from backend.applications.ground import Ground
from backend.applications.rematching import ask_to_match
from backend.applications.revoking import bar_promises
from backend.applications.tables import APPLICATION_STEP
from backend.citizens.exchange.step import take_turn
from backend.kernel import audit

EFFECT: Final = APPLICATION_EFFECT.c
STEP: Final = APPLICATION_STEP.c
GRANTING: Final = ("granted", "helped")
ENDING: Final = ("refused", "withdrawn", "revoked")
BY: Final = "worker"
Deed = Callable[[Session, Ground, Case], Sequence[int]]


def settle_effects(session: Session, ground: Ground, case_id: int) -> bool:
    """Bring what the case grants, or take back what it granted; whether anything was done.

    As `worker`. Raises `UnknownCase`.
    """
    case = case_of(session, case_id, lock=True)
    decided = _newest_decision(session, case)
    standing = _standing(session, case)
    if decided in GRANTING and standing is None:
        _bring(session, ground, case)
        return True
    if decided in ENDING and standing is not None:
        _take_back(session, ground, case)
        return True
    return False


def _bring(session: Session, ground: Ground, case: Case) -> None:
    procedure = ground.procedure(case)
    row = {"application_id": case.id, "brings": procedure.brings, "brought_on": ground.today}
    session.execute(insert(APPLICATION_EFFECT).inline().values(row))
    years = _BRINGS[procedure.brings](session, ground, case)
    ask_to_match(session, case, years, ground.today)
    _record(session, case, "application.bring", procedure.brings)


def _take_back(session: Session, ground: Ground, case: Case) -> None:
    procedure = ground.procedure(case)
    mine = (EFFECT.application_id == case.id) & EFFECT.ended_on.is_(None)
    session.execute(update(APPLICATION_EFFECT).where(mine).values(ended_on=ground.today))
    years = _TAKES_BACK[procedure.brings](session, ground, case)
    ask_to_match(session, case, years, ground.today)
    if case.state == "revoked":
        bar_promises(session, case, procedure, ground.today)
    _record(session, case, "application.take_back", procedure.brings)


def _newest_decision(session: Session, case: Case) -> str | None:
    """The state that the last step led to which granted, or ended what was granted."""
    query = select(STEP.to_state).where(
        STEP.application_id == case.id, STEP.to_state.in_((*GRANTING, *ENDING))
    )
    return session.execute(query.order_by(STEP.seq.desc()).limit(1)).scalar_one_or_none()


def _standing(session: Session, case: Case) -> int | None:
    query = select(EFFECT.id).where(EFFECT.application_id == case.id, EFFECT.ended_on.is_(None))
    found: int | None = session.execute(query).scalar_one_or_none()
    return found


def _record(session: Session, case: Case, action: str, brings: str) -> None:
    audit.record(
        session, actor=BY, action=action, subject=of_case(case),
        detail={"person": case.person_id, "brings": brings}, area=case.area,
    )  # fmt: skip


def _claims(session: Session, _ground: Ground, case: Case) -> Sequence[int]:
    return grant_claims(session, case, take_turn(session))


def _no_claims(session: Session, _ground: Ground, case: Case) -> Sequence[int]:
    return release_claims(session, case, take_turn(session))


_BRINGS: Final[Mapping[str, Deed]] = {
    "identity": recognising.recognise,
    "claim": _claims,
    "amount": amounts.ask_back_no_more,
    "entitlement": certifying.certify,
    "registration": registering.register,
    "hand_on": handing_on.hand_on,
    "judgement": handing_on.ask_for_judgement,
}
_TAKES_BACK: Final[Mapping[str, Deed]] = {
    "identity": recognising.take_back,
    "claim": _no_claims,
    "amount": amounts.ask_back,
    "entitlement": certifying.end,
    "registration": registering.end,
    "hand_on": handing_on.end,
    "judgement": handing_on.end_judgement,
}
