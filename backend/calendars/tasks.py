"""任务 (tasks): every day's calendar."""

from __future__ import annotations

import os
from datetime import date, time
from pathlib import Path
from typing import Final, cast

from sqlalchemy.orm import Session

from backend.calendars.carrying_out import carry_out, places_of
from backend.calendars.duties import Duty, DutyKind, duties_on
from backend.calendars.exits import ask_to_renew, tell_exits
from backend.citizens.counties import counties
from backend.kernel import clock
from backend.kernel.database import transaction
from backend.kernel.jobs import Argument, defer_many, task
from backend.kernel.jobs_schedule import every_day
from backend.kernel.settings import Settings
from backend.matching.editions import current_edition

QUEUE: Final = "calendars"


@every_day("calendars.day", queue=QUEUE, at=time(1, 30))
def every_day_of(session: Session, period: str) -> None:
    """Exits and renewals; a job for each thing that the policies' calendars ask for."""
    on = date.fromisoformat(period)
    book = current_edition(session, _catalogue()).rules.book
    tell_exits(session, on)
    ask_to_renew(session, on, book, counties(session))
    for duty in duties_on(book, on):
        _leave(session, duty)


@task("calendars.duty", queue=QUEUE)
def do_duty(kind: str, policy: str, layer: str, place: int, through: str) -> None:
    """One duty of a policy for a place (6 digits)."""
    with transaction() as session:
        edition = current_edition(session, _catalogue())
        area = edition.rules.book.policy(policy).area or ""
        duty = Duty(cast(DutyKind, kind), policy, layer, area, date.fromisoformat(through))
        carry_out(session, duty, f"{place:06d}", edition, clock.today())


def _leave(session: Session, duty: Duty) -> None:
    jobs: list[dict[str, Argument]] = [
        {
            "kind": duty.kind,
            "policy": duty.policy,
            "layer": duty.layer,
            "place": int(place),
            "through": duty.through.isoformat(),
        }
        for place in places_of(session, duty)
    ]
    defer_many(session, do_duty, jobs)


def _catalogue() -> tuple[Path, ...]:
    return Settings.from_env(os.environ).catalogue
