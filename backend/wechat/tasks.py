"""任务 (tasks): what WeChat told is handled; every night what was done long ago is forgotten."""

from __future__ import annotations

from datetime import datetime, time
from typing import Final

from sqlalchemy.orm import Session

from backend.kernel import keys
from backend.kernel.clock import CHINA
from backend.kernel.database import transaction
from backend.kernel.jobs import task
from backend.kernel.jobs_schedule import every_day
from backend.wechat.received import forget_done, handle_received, note_failed

QUEUE: Final = "wechat"


@task("wechat.push", queue=QUEUE)
def process_push(push_id: int) -> None:
    """Once in effect: the mark is written with it."""
    try:
        with transaction() as session:
            handle_received(session, keys.keyring(), push_id)
    except Exception:  # whatever it is, it is counted, and the library tries again
        with transaction() as session:
            note_failed(session, push_id)
        raise


@every_day("wechat.forget_pushes", queue=QUEUE, at=time(3))
def forget_pushes(session: Session, period: str) -> None:
    """On the day of the period."""
    forget_done(session, datetime.fromisoformat(period).replace(tzinfo=CHINA))
