"""后台任务 (jobs): work that is left for a worker, as a row in the transaction of its cause.

A job exists exactly when its cause does: committed with it, gone with its rollback. It is done at
least once: a worker may be killed after its work and before it says so. What must happen once is
therefore written in one transaction with its own mark (`once`, or a compare-and-set on the row).
A job names a task and ids; what they mean is read when it runs, so no personal data waits here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, ParamSpec, TypeAlias

import msgspec
from sqlalchemy import Column, DateTime, Table, Text, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.kernel.database import Base, constraint_of
from backend.kernel.row_ids import LARGEST_ID

P = ParamSpec("P")
Argument: TypeAlias = int | bool | str

RETRIES: Final = 5
_CODE: Final = re.compile(r"[a-z][a-z0-9_.-]{0,39}", re.ASCII).fullmatch
_DAY: Final = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII).fullmatch
_MANY_DIGITS: Final = re.compile(r"\d{7}", re.ASCII).search
_WAITING_KEY: Final = "procrastinate_jobs_queueing_lock_idx_v1"

periodic_done = Table(
    "periodic_done",
    Base.metadata,
    Column("job", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("done_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""What was done in which period (`2026-11-21`, `2026-11`, `2026`), for what must happen once."""

_DEFER: Final = text(
    """
    SELECT unnest(procrastinate_defer_jobs_v1(ARRAY(
        SELECT ROW(
            CAST(:queue AS varchar), CAST(:task AS varchar), CAST(:priority AS integer),
            CAST(:lock AS text),
            CAST(:queueing_lock AS text), CAST(one.args AS jsonb), CAST(:at AS timestamptz)
        )::procrastinate_job_to_defer_v1
        FROM unnest(CAST(:args AS text[])) WITH ORDINALITY AS one(args, place) ORDER BY place
    )))
    """
)


class PersonalArgument(ValueError):
    """A job was given what is no id, short code or day. The value is not repeated."""


@dataclass(frozen=True)
class Task(Generic[P]):
    """A function that workers run, by its name. `retry`: how often an error is tried again;
    `priority`: jobs of a higher one are taken first, else the older ones; `given_up`: what is done
    after the last error, with the same ids; it may happen twice.
    """

    name: str
    queue: str
    retry: int
    run: Callable[P, None]
    priority: int = 0
    given_up: Callable[..., None] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run it here and now."""
        self.run(*args, **kwargs)


TASKS: Final[dict[str, Task[Any]]] = {}
"""Every task of the modules imported so far, by name."""


def task(
    name: str,
    *,
    queue: str,
    retry: int = RETRIES,
    priority: int = 0,
    given_up: Callable[..., None] | None = None,
) -> Callable[[Callable[P, None]], Task[P]]:
    """Make a function a task. It takes ids, short codes and days by keyword, opens its own
    transaction, and may run twice, as does `given_up`. Raises `ValueError` for a name taken.
    """

    def registered(run: Callable[P, None]) -> Task[P]:
        if name in TASKS:
            raise ValueError(f"two tasks are called {name}")
        made = Task(name, queue, retry, run, priority, given_up)
        TASKS[name] = made
        return made

    return registered


def queues() -> tuple[str, ...]:
    """The queues of all tasks known: what a worker consumes."""
    return tuple(sorted({one.queue for one in TASKS.values()}))


def defer(
    session: Session,
    task: Task[Any],
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    at: datetime | None = None,
    **ids: Argument,
) -> int | None:
    """Leave a job for a worker, from `at` on (aware), when the session's transaction commits.

    `lock`: jobs of one lock run one after another. `queueing_lock`: None is returned, and nothing
    left, where a job with it waits already. Returns the job's id. Raises `PersonalArgument`, and
    `TypeError` where the task does not take these ids.
    """
    options = {"lock": lock, "queueing_lock": queueing_lock, "at": at}
    if queueing_lock is None:
        return _insert(session, task, [ids], options)[0]
    try:
        with session.begin_nested():
            return _insert(session, task, [ids], options)[0]
    except IntegrityError as error:
        if constraint_of(error) != _WAITING_KEY:
            raise
        return None


def defer_many(
    session: Session, task: Task[Any], jobs: Sequence[Mapping[str, Argument]]
) -> list[int]:
    """Leave one job for each set of ids, in their order; the ids of the jobs."""
    return _insert(session, task, jobs, {}) if jobs else []


def once(session: Session, job: str, period: str) -> bool:
    """Whether this transaction is the one that does `job` for `period`: the others see False.

    Call it first, and do the work in the same transaction: both are committed or neither. A second
    caller waits here until the first has committed or failed.
    """
    mark = insert(periodic_done).values(job=job, period=period)
    made = session.execute(mark.on_conflict_do_nothing().returning(periodic_done.c.job))
    return made.first() is not None


def _insert(
    session: Session,
    task: Task[Any],
    jobs: Sequence[Mapping[str, Argument]],
    options: Mapping[str, Any],
) -> list[int]:
    known = {"lock": None, "queueing_lock": None, "at": None}
    arguments = [msgspec.json.encode(_checked(task, ids)).decode() for ids in jobs]
    values = {**known, **options, "queue": task.queue, "task": task.name, "args": arguments}
    values["priority"] = task.priority
    return list(session.execute(_DEFER, values).scalars())


def _checked(task: Task[Any], ids: Mapping[str, Argument]) -> Mapping[str, Argument]:
    inspect.signature(task.run).bind(**ids)
    for name, value in ids.items():
        if not _harmless(value):
            raise PersonalArgument(f"{task.name}: {name} is no id, short code or day")
    return ids


def _harmless(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) <= LARGEST_ID
    if not isinstance(value, str):
        return False
    return bool(_DAY(value) or (_CODE(value) and not _MANY_DIGITS(value)))
