"""任务 (tasks): files are looked at, what was taken back is forgotten, leftovers are swept."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from typing import Final

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from backend.kernel import clock, keys
from backend.kernel.crypto import SealedBroken
from backend.kernel.database import transaction
from backend.kernel.jobs import task
from backend.kernel.jobs_schedule import every_day
from backend.papers import keeping
from backend.papers.cleaning import cleaned
from backend.papers.reasons import NotTaken
from backend.papers.store import store
from backend.papers.tables import PAPER, PAPER_CONTENT, PAPER_PIECE

log = logging.getLogger(__name__)

QUEUE: Final = "papers"
UNFINISHED: Final = timedelta(days=14)
"""After so long a file that nobody finished is given up."""
LEFT_OVER: Final = timedelta(days=1)
"""Nothing that is being kept takes so long."""
_P: Final = PAPER.c
# What was before the eyes of those who decide stays on file, though nobody is shown it any more.
_HANDED_OVER: Final = text(
    "SELECT EXISTS (SELECT FROM paper AS o JOIN application_step AS s USING (application_id)"
    " WHERE o.id = :paper AND s.deed IN ('submit', 'supply') AND s.at > o.begun_at)"
)


def give_up(paper_id: int) -> None:
    """It could not be looked at to the last: the person shall hear of it, and photograph anew."""
    log.error("paper not looked at", extra={"number": paper_id})
    with transaction() as session:
        one = keeping.unchecked(session, keys.keyring(), paper_id)
        if one is not None:
            keeping.refuse(session, one, "too_heavy")


@task("papers.clean", queue=QUEUE, priority=1, retry=3, given_up=give_up)
def clean_paper(paper_id: int) -> None:
    """Have the cleaner look at a file; keep what it made of it, or refuse it."""
    with transaction() as session:
        one = keeping.unchecked(session, keys.keyring(), paper_id)
    if one is None:
        return
    try:
        found = cleaned(keeping.pieces_of(one))
    except (NotTaken, SealedBroken) as refusal:
        reason = refusal.reason if isinstance(refusal, NotTaken) else "unreadable"
        with transaction() as session:
            keeping.refuse(session, one, reason)
        return
    name = keeping.put(keys.keyring(), store(), one, found)
    with transaction() as session:
        kept = keeping.keep(session, one, found, name)
    if not kept:
        with transaction() as session:
            keeping.drop_unkept(session, store(), name)


@task("papers.forget", queue=QUEUE)
def forget_paper(paper_id: int) -> None:
    """What was taken back before anybody decided by it is gone, its pieces in any case."""
    with transaction() as session:
        removed = select(_P.id).where(_P.id == paper_id, _P.state == "removed")
        if session.execute(removed).first() is None:
            return
        session.execute(delete(PAPER_PIECE).where(PAPER_PIECE.c.paper_id == paper_id))
        if session.execute(_HANDED_OVER, {"paper": paper_id}).scalar_one():
            return
        content = PAPER_CONTENT.c
        gone = delete(PAPER_CONTENT).where(content.paper_id == paper_id).returning(content.name)
        names = list(session.scalars(gone))
    for name in names:  # after the commit: what is named is there; what is left over is swept
        store().remove(name)


@every_day("papers.sweep", queue=QUEUE, at=time(3, 40))
def sweep(session: Session, period: str) -> None:
    """Once a day."""
    sweep_leftovers(session, clock.now())
    log.info("papers swept", extra={"period": period})


def sweep_leftovers(session: Session, moment: datetime) -> None:
    """Files that nobody finished, pieces of what has ended, stored files that are no paper's."""
    given_up = update(PAPER).where(_P.state == "taking", _P.begun_at < moment - UNFINISHED)
    session.execute(given_up.values(state="removed"))
    over = select(_P.id).where(_P.state.in_(("kept", "refused", "removed")))
    session.execute(delete(PAPER_PIECE).where(PAPER_PIECE.c.paper_id.in_(over)))
    known = set(session.scalars(select(PAPER_CONTENT.c.name)))
    for name in list(store().names(moment - LEFT_OVER)):
        if name not in known:
            store().remove(name)
