"""退出告知、续办 (exits): who no longer qualifies is told, online and in person (plan-2026 一); who
is recognised year by year is asked to renew before the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.kernel.areas import code_range
from backend.kernel.audit import Subject
from backend.policies.book import PolicyBook
from backend.policies.policy import Policy
from backend.worklist.items import NewItem, open_items, supersede_items
from backend.worklist.notices import Notice, notices_due

BY: Final = "calendar"
TOLD_WITHIN: Final = timedelta(days=92)
"""An older end is news where a new file brought it and we believed till then that it went on: not
the ends in the rosters of years ago, and not what an earlier file had told."""
RENEW_BEFORE: Final = timedelta(days=30)
YEARLY: Final = "identity.recognition.years"

_HERE: Final = "p.known AND p.died_on > :on AND p.left_on > :on"
_GOES_ON: Final = """EXISTS (
    SELECT FROM identity n WHERE n.person_id = i.person_id AND n.category = i.category
        AND n.from_on <= i.to_on + 1 AND n.to_on > i.to_on
)"""
_CAME_SINCE: Final = "(f.started_at AT TIME ZONE 'Asia/Shanghai')::date >= :since"
_NEW_FILES: Final = f"(SELECT f.id FROM data_file f WHERE {_CAME_SINCE})"
_KNOWN_BEFORE: Final = f"""EXISTS (
    SELECT FROM identity_history h JOIN data_file f ON f.id = h.file_id
    WHERE h.person_id = i.person_id AND h.id = i.id AND h.to_on = i.to_on AND NOT {_CAME_SINCE}
)"""
_WENT_ON_AS_WE_KNEW: Final = """EXISTS (
    SELECT FROM identity_history h
    WHERE h.person_id = i.person_id AND h.id = i.id AND h.to_on > i.to_on
)"""
_ENDED: Final = text(
    f"""
    SELECT i.id, i.person_id, p.area, i.to_on AS last FROM identity i
        JOIN person p ON p.id = i.person_id
    WHERE i.to_on < :on AND {_HERE} AND NOT {_GOES_ON}
        AND (i.to_on >= :since
            OR i.file_id IN {_NEW_FILES} AND {_WENT_ON_AS_WE_KNEW} AND NOT {_KNOWN_BEFORE})
    ORDER BY i.id
    """
)
_HELD_THEN: Final = """EXISTS (
    SELECT FROM identity i WHERE i.person_id = p.id
        AND i.from_on < p.left_on AND i.to_on >= p.left_on
)"""
_MOVED: Final = text(
    f"""
    SELECT p.id, p.id AS person_id, p.area, p.left_on AS last FROM person p
    WHERE p.known AND p.died_on > :on AND p.left_on <= :on AND {_HELD_THEN}
        AND (p.left_on >= :since OR EXISTS (
            SELECT FROM vital_event v WHERE v.person_id = p.id AND v.event = 'moved_away'
                AND v.on_day = p.left_on AND v.file_id IN {_NEW_FILES}))
    ORDER BY p.id
    """
)
_RENEWABLE: Final = text(
    f"""
    SELECT i.id, i.person_id, p.area, i.to_on AS last FROM identity i
        JOIN person p ON p.id = i.person_id
        JOIN jsonb_to_recordset(:yearly) AS y (low bigint, high bigint, category smallint)
            ON i.category = y.category AND p.area BETWEEN y.low AND y.high
    WHERE i.to_on BETWEEN :on AND :until AND {_HERE} AND NOT {_GOES_ON}
    ORDER BY i.id
    """
).bindparams(bindparam("yearly", type_=JSONB))
_SETTLED: Final = text(
    f"""
    SELECT w.subject_kind, w.subject_id, w.period FROM work_item w
    WHERE w.kind = :kind AND w.state <> 'done' AND NOT CASE w.subject_kind
        WHEN 'identity' THEN EXISTS (
            SELECT FROM identity i JOIN person p ON p.id = i.person_id
            WHERE i.id = w.subject_id::bigint AND i.to_on::text = w.period AND p.died_on > :on
                AND NOT {_GOES_ON})
        WHEN 'person' THEN EXISTS (
            SELECT FROM person p
            WHERE p.id = w.subject_id::bigint AND p.left_on::text = w.period AND p.died_on > :on
                AND {_HELD_THEN})
        ELSE true END
    ORDER BY w.period
    """
)


@dataclass(frozen=True, slots=True)
class Counted:
    """New messages, new tasks, and tasks whose cause is gone."""

    notices: int
    tasks: int
    superseded: int


def tell_exits(session: Session, on: date) -> Counted:
    """Owe a message to, and send somebody to, everybody whose identity ended before the day.

    An identity that goes on, by another interval of the same category, has not ended; each end is
    told once. Who moved away while holding one is told too; the dead are not.
    """
    session.execute(text("SET LOCAL statement_timeout = 0"))  # a province takes longer than a page
    span = {"on": on, "since": on - TOLD_WITHIN}
    superseded = _supersede(session, "exit_told", on)
    ended = session.execute(_ENDED, span).all()
    moved = session.execute(_MOVED, span).all()
    items = [*_exit_items(ended, "identity"), *_exit_items(moved, "person")]
    notices = [*_exit_notices(ended, "identity", on), *_exit_notices(moved, "moved", on)]
    return Counted(notices_due(session, notices), open_items(session, items, BY), superseded)


def ask_to_renew(session: Session, on: date, book: PolicyBook, counties: Iterable[str]) -> Counted:
    """Open a task for every yearly recognition that ends within 30 days (Tinghu 三(一)2).

    Only where the data name an end: the roster, not the rule, says when one ended.
    """
    superseded = _supersede(session, "renew_recognition", on)
    yearly = list(_yearly(session, on, book, counties))
    if not yearly:
        return Counted(0, 0, superseded)
    values = {"on": on, "until": on + RENEW_BEFORE, "yearly": yearly}
    items = [
        NewItem(
            kind="renew_recognition",
            subject=Subject("identity", str(row.id)),
            person_id=row.person_id,
            area=row.area,
            reason=f"身份一年一认定，{row.last} 到期：请联系本人续办认定。",
            due_on=row.last,
            period=row.last.isoformat(),
        )
        for row in session.execute(_RENEWABLE, values)
    ]
    return Counted(0, open_items(session, items, BY), superseded)


def _exit_items(rows: Sequence[Row[Any]], subject: str) -> Iterator[NewItem]:
    reasons = {
        "identity": "一项困难身份到 {} 为止：请当面告知本人，并说明原因和还能得到哪些帮助。",
        "person": "已迁出，迁出日 {}：请告知本人原来的待遇到此为止，到新的户籍地办理。",
    }
    for row in rows:
        yield NewItem(
            kind="exit_told",
            subject=Subject(subject, str(row.id)),
            person_id=row.person_id,
            area=row.area,
            reason=reasons[subject].format(row.last),
            period=row.last.isoformat(),
        )


def _exit_notices(rows: Sequence[Row[Any]], cause: str, on: date) -> Iterator[Notice]:
    for row in rows:
        yield Notice(row.person_id, "exit", f"{cause}:{row.id}:{row.last}", on)


def _supersede(session: Session, kind: str, on: date) -> int:
    """Tasks about ends that were corrected, taken back or continued since."""
    settled = session.execute(_SETTLED, {"kind": kind, "on": on}).all()
    return sum(
        supersede_items(
            session, kind, [Subject(row.subject_kind, row.subject_id) for row in rows], BY, end
        )
        for end, rows in groupby(settled, key=lambda row: row.period)
    )


def _yearly(
    session: Session, on: date, book: PolicyBook, counties: Iterable[str]
) -> Iterator[dict[str, int]]:
    """The categories that are recognised year by year, by county."""
    numbers = Codes.all(session, "category")
    for county in counties:
        policy = book.of_area(county, on)
        low, high = code_range(county)
        for code in _recognised_yearly(policy):
            if code in numbers:
                yield {"low": low, "high": high, "category": numbers[code]}


def _recognised_yearly(policy: Policy | None) -> list[str]:
    """大重病患者: those to whom the policy's retroactive rule applies are recognised yearly."""
    if policy is None or YEARLY not in policy.parameters:
        return []
    return [code for rule in policy.benefits.identities.retroactive for code in rule.categories]
