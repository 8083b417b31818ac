"""任务 (tasks): every day's calendar."""

from __future__ import annotations

import os
from datetime import date, time, timedelta
from pathlib import Path
from typing import Final, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.calendars.carrying_out import Errand, carry_out, places_of
from backend.calendars.duties import Duty, DutyKind, duties_on
from backend.calendars.exits import ask_to_renew, tell_exits
from backend.citizens.counties import counties
from backend.kernel import clock
from backend.kernel.database import transaction
from backend.kernel.jobs import defer, periodic_done, task
from backend.kernel.jobs_schedule import every_day
from backend.kernel.settings import Settings
from backend.matching.editions import current_edition

QUEUE: Final = "calendars"
EVERY_DAY: Final = "calendars.day"


@every_day(EVERY_DAY, queue=QUEUE, at=time(1, 30))
def every_day_of(session: Session, period: str) -> None:
    """Exits and renewals; a job for each thing that the policies' calendars ask for.

    What was due on days on which nobody worked is left too.
    """
    on = date.fromisoformat(period)
    book = current_edition(session, _catalogue()).rules.book
    tell_exits(session, on)
    ask_to_renew(session, on, book, counties(session))
    duties = (duty for day in _days_since_last(session, on) for duty in duties_on(book, day))
    for duty in dict.fromkeys(duties):
        _leave(session, duty)


@task("calendars.duty", queue=QUEUE)
def do_duty(kind: str, policy: str, layer: str, place: int, through: str) -> None:
    """One duty of a policy for a place (6 digits)."""
    with transaction() as session:
        edition = current_edition(session, _catalogue())
        area = edition.rules.book.policy(policy).area or ""
        duty = Duty(cast(DutyKind, kind), policy, layer, area, date.fromisoformat(through))
        carry_out(session, Errand(duty, f"{place:06d}", clock.today()), edition)


def _days_since_last(session: Session, on: date) -> list[date]:
    """The last day of each month since the day done before it, then the day itself.

    What a month asks for is due on its last day too; a month that passed unseen would come into
    the summary of a later one.
    """
    before = select(func.max(periodic_done.c.period)).where(
        periodic_done.c.job == EVERY_DAY, periodic_done.c.period < on.isoformat()
    )
    last = session.execute(before).scalar_one()
    if last is None:
        return [on]
    days = [on]
    while (month_end := days[0].replace(day=1) - timedelta(days=1)).isoformat() > last:
        days.insert(0, month_end)
    return days


def _leave(session: Session, duty: Duty) -> None:
    """The lock keeps the order: a summary is not made once a later one stands."""
    for place in places_of(session, duty):
        defer(
            session,
            do_duty,
            lock=f"calendars/{duty.kind}/{duty.policy}/{duty.layer}/{place}",
            kind=duty.kind,
            policy=duty.policy,
            layer=duty.layer,
            place=int(place),
            through=duty.through.isoformat(),
        )


def _catalogue() -> tuple[Path, ...]:
    return Settings.from_env(os.environ).catalogue
