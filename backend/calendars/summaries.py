"""按月汇总、年度结算 (summaries): what institutions advanced, and what was granted on their bills.

Each summary holds what all bills up to its last day come to now, less what the summaries of its
kind before it held: a correction of an earlier month comes in as a difference, each fen once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.calendars.duties import Duty
from backend.calendars.tables import INSTITUTION_ROW, INSTITUTION_SUMMARY
from backend.citizens.codes import Codes
from backend.citizens.tables import HOSPITAL, LAYERS
from backend.kernel.areas import code_range
from backend.policies.book import PolicyBook

_ROWS: Final = """
    WITH last AS (
        SELECT DISTINCT ON (g.bill_id) g.bill_id, g.policy, g.amount_after FROM grant_entry g
            JOIN match_run r ON r.id = g.run_id AND r.state = 'released'
        WHERE g.layer = :layer AND g.area BETWEEN :low AND :high
        ORDER BY g.bill_id, g.seq DESC
    ), standing AS (
        SELECT bill_id, amount_after FROM last WHERE policy = :policy
    ), paid AS (
        SELECT b.hospital_id, greatest(b.{column}, 0) AS advanced,
            CASE WHEN b.{column} = -1 THEN coalesce(s.amount_after, 0) ELSE 0 END AS granted
        FROM bill b LEFT JOIN standing s ON s.bill_id = b.id
        WHERE b.area BETWEEN :low AND :high AND b.discharged_on BETWEEN :first AND :through
            AND (b.{column} > 0 OR s.amount_after > 0)
    ), now AS (
        SELECT hospital_id, count(*) FILTER (WHERE advanced + granted > 0) AS bills,
            sum(advanced) AS advanced, sum(granted) AS granted FROM paid GROUP BY hospital_id
    ), earlier AS (
        SELECT hospital_id, sum(bills) AS bills, sum(advanced) AS advanced,
            sum(granted) AS granted
        FROM institution_summary_row JOIN institution_summary i ON i.id = summary_id
        WHERE i.policy = :policy_id AND i.layer = :layer_id AND i.area = :area
            AND i.kind = :kind AND i.through < :through
        GROUP BY hospital_id
    )
    INSERT INTO institution_summary_row (summary_id, hospital_id, bills, advanced, granted)
    SELECT :summary, hospital_id, coalesce(now.bills, 0) - coalesce(earlier.bills, 0),
        coalesce(now.advanced, 0) - coalesce(earlier.advanced, 0),
        coalesce(now.granted, 0) - coalesce(earlier.granted, 0)
    FROM now FULL JOIN earlier USING (hospital_id)
    WHERE (coalesce(now.bills, 0), coalesce(now.advanced, 0), coalesce(now.granted, 0))
        <> (coalesce(earlier.bills, 0), coalesce(earlier.advanced, 0), coalesce(earlier.granted, 0))
    RETURNING hospital_id
"""


@dataclass(frozen=True, slots=True)
class InstitutionSum:
    """A row of a summary, fen. `name` is empty where no file has brought the institution yet."""

    layer: str
    code: str
    name: str
    bills: int
    advanced: int
    granted: int


def summarise(session: Session, duty: Duty, book: PolicyBook, on: date) -> int | None:
    """Make a summary once; the number of its rows, None where it, or a later one, stands already.

    Granted is what released runs decided and no institution has paid.
    """
    if _later(session, duty):
        return None
    session.execute(text("SET LOCAL statement_timeout = 0"))  # an area takes longer than a page
    made = session.execute(
        insert(INSTITUTION_SUMMARY)
        .values(
            policy=duty.policy,
            layer=duty.layer,
            area=int(duty.area),
            kind=duty.kind,
            period=duty.period,
            through=duty.through,
            made_on=on,
        )
        .on_conflict_do_nothing()
        .returning(INSTITUTION_SUMMARY.c.id)
    ).scalar_one_or_none()
    if made is None:
        return None
    return _write_rows(session, duty, book, made)


def summary_rows(session: Session, area: str, period: str) -> Sequence[InstitutionSum] | None:
    """The rows of an area's month (`2023-05`) or year (`2023`) by layer and institution code.

    None where no such summary has been made.
    """
    head, row = INSTITUTION_SUMMARY.c, INSTITUTION_ROW.c
    made = select(head.id).where(head.area == int(area), head.period == period)
    if session.execute(made).first() is None:
        return None
    query = (
        select(head.layer, HOSPITAL.c.code, HOSPITAL.c.name, row.bills, row.advanced, row.granted)
        .join(HOSPITAL, HOSPITAL.c.id == row.hospital_id)
        .join(INSTITUTION_SUMMARY, head.id == row.summary_id)
        .where(head.area == int(area), head.period == period)
        .order_by(head.layer, HOSPITAL.c.code)
    )
    return [InstitutionSum(*one) for one in session.execute(query)]


def _later(session: Session, duty: Duty) -> bool:
    """A later summary holds these bills already."""
    head = INSTITUTION_SUMMARY.c
    same = (head.policy == duty.policy, head.layer == duty.layer, head.area == int(duty.area))
    query = select(head.id).where(*same, head.kind == duty.kind, head.through > duty.through)
    return session.execute(query).first() is not None


def _write_rows(session: Session, duty: Duty, book: PolicyBook, summary: int) -> int:
    if duty.layer not in LAYERS:
        raise ValueError(f"{duty.layer} is no column of a bill")
    low, high = code_range(duty.area)
    values = {
        "summary": summary, "low": low, "high": high, "area": int(duty.area),
        "policy": Codes.numbers(session, "policy", [duty.policy])[duty.policy],
        "layer": Codes.numbers(session, "layer", [duty.layer])[duty.layer],
        "policy_id": duty.policy, "layer_id": duty.layer, "kind": duty.kind,
        "first": book.policy(duty.policy).first_day or date(1900, 1, 1),
        "through": duty.through,
    }  # fmt: skip
    rows = session.execute(text(_ROWS.format(column=f"paid_{duty.layer}")), values)
    return len(rows.all())
