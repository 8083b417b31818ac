"""任务 (tasks): what WeChat told is handled; every night what is long over is forgotten."""

from __future__ import annotations

import logging
from datetime import datetime, time
from typing import Final

from sqlalchemy.orm import Session

from backend.kernel import keys
from backend.kernel.clock import CHINA
from backend.kernel.database import transaction
from backend.kernel.jobs import task
from backend.kernel.jobs_schedule import every_day
from backend.wechat.received import (
    forget_over,
    give_up_received,
    handle_received,
    note_failed,
)

log = logging.getLogger(__name__)

QUEUE: Final = "wechat"


def give_up_push(push_id: int) -> None:
    """It could not be handled to the last."""
    log.error("push given up", extra={"number": push_id})
    with transaction() as session:
        note_failed(session, push_id)
    with transaction() as session:
        give_up_received(session, keys.keyring(), push_id)


@task("wechat.push", queue=QUEUE, given_up=give_up_push)
def process_push(push_id: int) -> None:
    """Once in effect: the mark is written with it."""
    with transaction() as session:
        handle_received(session, keys.keyring(), push_id)


@every_day("wechat.forget_pushes", queue=QUEUE, at=time(3))
def forget_pushes(session: Session, period: str) -> None:
    """On the day of the period."""
    forget_over(session, datetime.fromisoformat(period).replace(tzinfo=CHINA))
