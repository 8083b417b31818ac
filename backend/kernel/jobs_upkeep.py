"""任务的照管 (jobs upkeep): take back what dead workers held, and tell how much waits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

SILENCE_SECONDS: Final = 30.0
"""A worker that has said nothing for so long is dead."""
MOST_ATTEMPTS: Final = 200
"""A job that took so many workers with it is given up: it may be what kills them."""

_BURY: Final = text("SELECT count(*) FROM procrastinate_prune_stalled_workers_v1(:silence)")
_TAKE_BACK: Final = text(
    """
    WITH orphan AS (
        SELECT id, attempts FROM procrastinate_jobs
        WHERE status = 'doing' AND worker_id IS NULL
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
    UPDATE procrastinate_jobs AS job
    SET status = (CASE WHEN orphan.attempts < :most THEN 'todo' ELSE 'failed' END)
            ::procrastinate_job_status,
        attempts = orphan.attempts + 1,
        scheduled_at = NULL,
        abort_requested = false
    FROM orphan WHERE job.id = orphan.id
    RETURNING job.status = 'todo'
    """
)
_OPEN: Final = text(
    """
    SELECT count(*) FROM procrastinate_jobs WHERE queue_name = ANY(:queues) AND (
        status = 'doing'
        OR status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now() OR attempts > 0)
    )
    """
)
_FAILED: Final = text(
    "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = ANY(:queues) AND status = 'failed'"
)
_MAY_LEAVE: Final = text(
    "SELECT has_table_privilege('procrastinate_jobs', 'SELECT')"
    " AND has_table_privilege('procrastinate_jobs', 'INSERT')"
    " AND EXISTS (SELECT FROM pg_proc WHERE proname = 'procrastinate_defer_jobs_v1')"
    " AND (SELECT count(*) FROM (SELECT FROM procrastinate_jobs LIMIT 1) AS one) >= 0"
)
_RETRY: Final = text(
    """
    WITH given_up AS (
        SELECT id FROM procrastinate_jobs
        WHERE status = 'failed' AND queue_name = ANY(:queues) FOR UPDATE SKIP LOCKED
    )
    UPDATE procrastinate_jobs AS job
    SET status = 'todo', attempts = 0, scheduled_at = NULL, worker_id = NULL
    FROM given_up WHERE job.id = given_up.id RETURNING job.id
    """
)
_BY_QUEUE: Final = text(
    """
    SELECT queue_name,
        count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now())
            AS waiting,
        count(*) FILTER (WHERE status = 'todo' AND scheduled_at > now()) AS later,
        count(*) FILTER (WHERE status = 'doing') AS running,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        min(id) FILTER (WHERE status = 'todo' AND scheduled_at IS NULL) AS oldest,
        min(scheduled_at) FILTER (WHERE status = 'todo' AND scheduled_at <= now()) AS due
    FROM procrastinate_jobs GROUP BY queue_name
    """
)
_QUEUES: Final = text(
    f"""
    SELECT queue_name AS queue, waiting, later, running, failed,
        extract(epoch FROM now() - least(due, (
            SELECT min(at) FROM procrastinate_events WHERE job_id = oldest AND type = 'deferred'
        )))::float AS oldest_seconds
    FROM ({_BY_QUEUE.text}) AS one ORDER BY queue_name
    """
)


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue now. `waiting`: due and not begun; `later`: not due yet."""

    queue: str
    waiting: int
    later: int
    running: int
    failed: int
    oldest_seconds: float
    """How long the oldest due job has waited; 0 where none does."""


def take_back_stalled(session: Session, silence: float = SILENCE_SECONDS) -> int:
    """Let other workers have the jobs of those that were silent for `silence` seconds.

    Returns how many jobs wait again. A worker that was only slow may still be at its job: that the
    job's effect happens once is the task's own care.
    """
    session.execute(_BURY, {"silence": silence})
    again = list(session.execute(_TAKE_BACK, {"most": MOST_ATTEMPTS}).scalars())
    if again:
        log.warning("jobs of dead workers taken back", extra={"jobs": len(again)})
    if lost := again.count(False):
        log.error("jobs given up: too many workers died of them", extra={"jobs": lost})
    return again.count(True)


def open_jobs(session: Session, queues: Sequence[str]) -> int:
    """How many jobs are due, running or to be tried again; those set for later do not count."""
    return int(session.execute(_OPEN, {"queues": list(queues)}).scalar_one())


def failed_jobs(session: Session, queues: Sequence[str]) -> int:
    """How many jobs were given up."""
    return int(session.execute(_FAILED, {"queues": list(queues)}).scalar_one())


def retry_failed(session: Session, queues: Sequence[str]) -> int:
    """Let the jobs that were given up begin anew; how many there were."""
    return len(session.execute(_RETRY, {"queues": list(queues)}).all())


def usable(engine: Engine) -> bool:
    """Whether jobs can be left and looked at by the engine's role."""
    try:
        with engine.connect() as connection:
            return bool(connection.execute(_MAY_LEAVE).scalar_one())
    except SQLAlchemyError as error:
        log.warning("queue unusable", extra={"reason": type(error).__name__})
        return False


def queue_states(session: Session) -> list[QueueState]:
    """Every queue that holds a job; the application's role may ask."""
    rows = session.execute(_QUEUES).mappings()
    return [QueueState(**{**row, "oldest_seconds": row["oldest_seconds"] or 0.0}) for row in rows]
