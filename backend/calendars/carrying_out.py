"""办理 (carrying out): what is due on a day is done, each period once, or found done already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from backend.calendars.duties import Duty
from backend.calendars.review import make_review_list
from backend.calendars.summaries import summarise
from backend.calendars.tables import INSTITUTION_SUMMARY, REVIEW_LIST
from backend.citizens.counties import counties
from backend.kernel import areas, audit
from backend.kernel.audit import Subject
from backend.matching.editions import Edition

SCHEDULED: Final = "calendar"
"""Who does what nobody asked for."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One duty to be done. `place`: whose review list; for a summary the duty's own area."""

    duty: Duty
    place: str
    on: date
    by: str = SCHEDULED


def carry_out(session: Session, errand: Errand, edition: Edition) -> int | None:
    """Do one duty: how many rows it made, None where it was done before; audited."""
    duty = errand.duty
    if duty.kind == "review":
        rows = make_review_list(session, duty, errand.place, edition, errand.on)
    else:
        rows = summarise(session, duty, edition.rules.book, errand.on)
    if rows is not None:
        detail = {"kind": duty.kind, "policy": duty.policy, "period": duty.period, "rows": rows}
        subject = Subject("area", errand.place)
        audit.record(
            session, actor=errand.by, action="calendar.done", subject=subject, detail=detail
        )
    return rows


def places_of(session: Session, duty: Duty) -> list[str]:
    """The counties, or for a summary the one area, for which a duty is still to be done."""
    if duty.kind != "review":
        return [duty.area] if session.execute(_summary(duty)).first() is None else []
    done = set(session.execute(_reviewed(duty)).scalars())
    within = [code for code in counties(session) if duty.area in areas.chain(code)]
    return [code for code in within if int(code) not in done]


def _summary(duty: Duty) -> Select[Any]:
    head = INSTITUTION_SUMMARY.c
    return select(head.id).where(
        head.policy == duty.policy,
        head.layer == duty.layer,
        head.area == int(duty.area),
        head.kind == duty.kind,
        head.period == duty.period,
    )


def _reviewed(duty: Duty) -> Select[Any]:
    head = REVIEW_LIST.c
    return select(head.area).where(
        head.policy == duty.policy, head.layer == duty.layer, head.year == duty.year
    )
