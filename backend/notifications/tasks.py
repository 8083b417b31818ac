"""任务 (tasks): notices become messages, messages are delivered, templates are looked up."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from backend.kernel import clock, keys
from backend.kernel.database import transaction
from backend.kernel.jobs import Task, defer, task
from backend.kernel.jobs_watch import every_seconds
from backend.notifications import reports as reports  # its handlers of pushes
from backend.notifications import watching
from backend.notifications.breaker import Breaker
from backend.notifications.delivery import Means
from backend.notifications.delivery import deliver as deliver_batch
from backend.notifications.taking import AT_ONCE, take_notices, unknown_kinds
from backend.notifications.ways import wechat_connected
from backend.notifications.wechat_templates import are_fresh, keep_templates
from backend.wechat import connection
from backend.wechat.calls import templates
from backend.wechat.errors import WeChatError

log = logging.getLogger(__name__)

QUEUE: Final = "notifications"
LOOK_SECONDS: Final = 2.0
AHEAD: Final = 5
"""Every message sent makes WeChat push one: sending does not wait behind the reports."""
ASK_AGAIN: Final = timedelta(minutes=1)
_breaker: Final = Breaker()


@every_seconds("notifications.look", queue=QUEUE, seconds=LOOK_SECONDS)
def look(session: Session) -> None:
    """Leave jobs for what waits; end what died; say so where it takes too long."""
    if not watching.alone(session):
        return
    moment = clock.now()
    watching.bury(session, moment)
    waits = watching.what_waits(session, moment)
    if waits.notices:
        _wake(session, take)
    if waits.messages:
        _wake(session, deliver)
    if wechat_connected() and not are_fresh(session, moment):
        _wake(session, look_up_templates)
    watching.raise_alarm(session, moment)


@task("notifications.take", queue=QUEUE, priority=AHEAD)
def take() -> None:
    """The next notices."""
    with transaction() as session:
        taken = take_notices(session, clock.now())
        _wake(session, deliver)
        if taken == AT_ONCE:
            _wake(session, take)
        elif unknown := unknown_kinds(session):
            log.error("notices that no event stands for", extra={"kinds": unknown})


@task("notifications.deliver", queue=QUEUE, priority=AHEAD)
def deliver() -> None:
    """The next batch of messages."""
    if deliver_batch(Means(keys.keyring(), lambda: clock.now(), _breaker)):
        with transaction() as session:
            _wake(session, deliver)


@task("notifications.templates", queue=QUEUE, priority=AHEAD)
def look_up_templates() -> None:
    """Ask WeChat for its templates; a minute later again where it does not answer."""
    try:
        listed = templates(connection.mini_program())
    except WeChatError as error:
        log.warning("templates not looked up", extra={"reason": str(error)})
        with transaction() as session:
            _later(session)
        return
    with transaction() as session:
        missing = keep_templates(session, listed, clock.now())
        if len(missing) > 0:
            log.error("templates missing at WeChat", extra={"titles": sorted(missing)})
        if not are_fresh(session, clock.now()):
            _later(session)


def _wake(session: Session, which: Task[[]]) -> None:
    """One job waiting is enough: whoever takes it takes what is there then."""
    defer(session, which, queueing_lock=which.name)


def _later(session: Session) -> None:
    at = clock.now() + ASK_AGAIN
    defer(session, look_up_templates, queueing_lock=look_up_templates.name, at=at)
