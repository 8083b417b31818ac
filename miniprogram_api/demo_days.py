"""演示里过几天 (demo days): what waits for days is due now, in a demo alone.

The lists that are up are taken for put up so many days earlier; then comes what comes by itself:
cases go on lists, those whose list is down are granted, and what is granted goes on to its end, a
step a day. What else waits for days (deadlines, appeals, years) stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from backend.applications.effect_tasks import ground
from backend.applications.finishing import finish, granted_cases
from backend.applications.tasks import book_of
from backend.applications.upkeep import Rounds
from backend.citizens.file_tables import DATA_FILE
from backend.kernel import audit, keys
from backend.kernel.audit import Subject
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.errors import CannotRun
from backend.kernel.settings import Settings
from backend.public_notices import publishing
from miniprogram_api import demo_people
from miniprogram_api.demo_people import BY

MOST: Final = 60
_FAR: Final = 100_000
_MOVE: Final = text(
    "UPDATE public_notice SET first_day = first_day + :days, last_day = last_day + :days"
)
PRODUCTION: Final = "正式运行时不能让日子过去：这是演示用的。"
OTHERS: Final = "这里的数据不是演示的：只有 script/demo 自己编造的数据，才能让日子过去。"


class NotADemo(CannotRun):
    """Real people are served here, or others than the demo's; the message says so."""

    code: ClassVar[str] = "not-a-demo"


@dataclass(frozen=True, slots=True)
class Passed:
    """What came of it: cases put on a list, granted after their notice, and steps to the end."""

    published: int = 0
    granted: int = 0
    steps: int = 0


def pass_days(settings: Settings, keyring: Keyring, days: int) -> Passed:
    """Let them pass, as `worker`. Opens its own transactions. Raises `NotADemo`."""
    if settings.production:
        raise NotADemo(PRODUCTION)
    with transaction() as session:
        _check(session)
    with keys.bound(keyring):
        with transaction() as session:
            published = _publish(session)
        with transaction() as session:
            granted = _notices_over(session, days)
        steps = sum(_finish_all() for _ in range(days))
    return Passed(published, granted, steps)


def _check(session: Session) -> None:
    others = exists().where(DATA_FILE.c.loaded_by != BY)
    if not demo_people.are_there(session) or session.execute(select(others)).scalar_one():
        raise NotADemo(OTHERS)


def _rounds(session: Session) -> Rounds:
    return Rounds(book_of(session), keys.keyring(), today())


def _publish(session: Session) -> int:
    rounds = _rounds(session)
    return sum(
        publishing.publish(session, one, rounds) is not None for one in publishing.waiting(session)
    )


def _notices_over(session: Session, days: int) -> int:
    # There and back: one step would pass over lists of the same place that begin a day apart.
    for move in (-_FAR, _FAR - days):
        session.execute(_MOVE, {"days": move})
    detail = {"days": days}
    audit.record(
        session, actor=BY, action="demo.days", subject=Subject("demo", "days"), detail=detail
    )
    rounds = _rounds(session)
    over = publishing.over(session, rounds.today)
    return sum(publishing.confirm(session, one, rounds) is not None for one in over)


def _finish_all() -> int:
    last, steps = 0, 0
    with transaction() as session:
        found = granted_cases(session)
    while found:
        for case in found:
            with transaction() as session:
                steps += bool(finish(session, ground(session), case))
        last = found[-1]
        with transaction() as session:
            found = granted_cases(session, last)
    return steps
