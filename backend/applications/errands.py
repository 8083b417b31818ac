"""后续 (errands): the jobs that are left with what happens to a case, for workers."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from backend.kernel.jobs import defer, task

QUEUE: Final = "applications"
GRANTED: Final = ("granted", "helped", "revoked")
HELPED_BEFORE: Final = ("refused", "withdrawn")
"""In the fast lane help may have come before: then it ends with these."""


@task("applications.effects", queue=QUEUE, retry=12)
def settle(case: int) -> None:
    """Bring what the case grants, or take it back; then the runs it asks for, and its end."""
    # Steps leave this job, and what it does makes steps: imported when it is done.
    from backend.applications.effect_tasks import settle_case

    settle_case(case)


def leave_effects(session: Session, case_id: int, to_state: str, *, fast_lane: bool) -> None:
    """In the transaction of a step to the state."""
    if to_state in GRANTED or (fast_lane and to_state in HELPED_BEFORE):
        defer(session, settle, case=case_id)


def leave_finishing(session: Session, case_id: int) -> None:
    """In the transaction of what may end the case: whether it is paid is looked at soon."""
    from backend.applications.effect_tasks import finish_case

    defer(session, finish_case, case=case_id)


def leave_handed_back(session: Session, case_id: int) -> None:
    """In the transaction of what a charity said: nobody needs to hand the case on any more."""
    from backend.applications.effect_tasks import close_handed_on

    defer(session, close_handed_on, case=case_id)
