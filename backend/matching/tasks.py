"""任务 (tasks): a run's parts as jobs for any number of workers."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.kernel.database import transaction
from backend.kernel.jobs import defer_many, task
from backend.matching.runs import Begun, StartRun, compute_part, finish_run, start_run

QUEUE = "matching"


def begin(session: Session, command: StartRun) -> Begun:
    """Start the run, or go on with the one still computing, and leave its open parts to workers.

    A part that two workers get is computed by one of them. Raises `UnknownArea`.
    """
    begun = start_run(session, command)
    jobs = [{"run_id": begun.run_id, "number": number} for number in begun.parts]
    defer_many(session, match_part, jobs)
    return begun


@task("matching.part", queue=QUEUE)
def match_part(run_id: int, number: int) -> None:
    """One slice; then the run is called computed if it was the last."""
    with transaction() as session:
        compute_part(session, run_id, number)
    with transaction() as session:
        finish_run(session, run_id)
