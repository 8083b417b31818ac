"""交人办理 (cases): what the machine does not pay by itself, put on the work list; and taken off it
when its cause is gone."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.kernel.audit import Subject
from backend.kernel.money import format_yuan
from backend.payments.collecting import WITH_PERSON, Range
from backend.payments.states import HOLDS
from backend.worklist.items import NewItem, open_items, supersede_items

SUBJECT: Final = "payment_item"

_MISSING: Final = """
    SELECT i.person_id, max(i.area) AS area FROM (
        SELECT person_now(person_id) AS person_id, area FROM payment_item
        WHERE area BETWEEN :low AND :high AND state = 'due' AND hospital_id IS NULL
    ) i WHERE NOT EXISTS (
        SELECT FROM payee p WHERE p.person_id = i.person_id AND p.superseded_at IS NULL
    ) GROUP BY i.person_id ORDER BY i.person_id
"""
_NO_ACCOUNT: Final = """
    SELECT i.hospital_id, max(i.area) AS area FROM payment_item i
    WHERE i.area BETWEEN :low AND :high AND i.state = 'due' AND i.hospital_id IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM hospital_account a
            WHERE a.hospital_id = i.hospital_id AND a.superseded_at IS NULL
        )
    GROUP BY i.hospital_id ORDER BY i.hospital_id
"""
_OPEN: Final = f"""
    SELECT i.id, person_now(i.person_id) AS person_id, i.area, i.state, i.amount, i.hold,
        CASE WHEN i.state = 'refund_elsewhere' THEN {WITH_PERSON.format(of="i")} ELSE 0 END
            AS with_person,
        (SELECT max(seq) FROM payment_entry p WHERE p.item_id = i.id) AS seq
    FROM payment_item i
    WHERE i.area BETWEEN :low AND :high AND i.state IN ('held', 'refund_due', 'refund_elsewhere')
    ORDER BY i.id
"""
_TWICE: Final = """
    SELECT i.id, f.person_id, i.area, 'settled' AS state, sum(before.amount)::bigint AS amount
    FROM fresh_grant f JOIN payment_item i ON i.id = f.id
        JOIN payment_item before ON (before.bill_id, before.layer) = (i.bill_id, i.layer)
            AND before.state = 'paid' AND person_now(before.person_id) = f.person_id
    WHERE i.state = 'settled' GROUP BY i.id, f.person_id ORDER BY i.id
"""
_GONE: Final = """
    SELECT DISTINCT w.kind, w.subject_kind, w.subject_id FROM work_item w
        LEFT JOIN payment_item i ON w.subject_kind = 'payment_item' AND i.id::text = w.subject_id
    WHERE w.area BETWEEN :low AND :high AND w.state <> 'done' AND (
        w.kind = 'payment_held' AND i.state <> 'held'
        OR w.kind IN ('refund_due', 'refund_elsewhere') AND i.state <> w.kind
        OR w.kind = 'payment_returned' AND i.state <> 'returned'
        OR w.kind = 'payee_missing' AND w.subject_kind = 'hospital' AND EXISTS (
            SELECT FROM hospital_account a
            WHERE a.hospital_id::text = w.subject_id AND a.superseded_at IS NULL
        )
        OR w.kind = 'payee_missing' AND w.subject_kind = 'person' AND (
            w.person_id <> person_now(w.person_id) OR EXISTS (
                SELECT FROM payee p WHERE p.person_id = w.person_id AND p.superseded_at IS NULL
            )
        )
    ) ORDER BY 1, 2, 3
"""


def open_cases(session: Session, area: Range, by: str, today: date) -> int:
    """Put on the work list what waits for a person; returns how many are new.

    To be called after `collect` in its transaction.
    """
    close_cases(session, area, by)
    where = area._asdict()
    items = [_missing(row, today) for row in session.execute(text(_MISSING), where)]
    items += [_no_account(row, today) for row in session.execute(text(_NO_ACCOUNT), where)]
    items += [_item(row) for row in session.execute(text(_OPEN), where)]
    items += [_item(row) for row in session.execute(text(_TWICE))]
    return open_items(session, items, by, today)


def open_returned(session: Session, rows: list[Row[Any]], by: str) -> int:
    """The same for items that the bank just returned: `id`, `person_id`, `area`, `reason`,
    `serial`."""
    items = [
        NewItem(
            "payment_returned", Subject(SUBJECT, str(row.id)), row.person_id, row.area,
            f"银行退回（{row.reason}）：请与本人核对账户，重新登记后自动再付；账户无误的，"
            f"用 shukun pay retry {row.id} 再付。",
            period=row.serial,
        )
        for row in rows
    ]  # fmt: skip
    return open_items(session, items, by)


def close_cases(session: Session, area: Range, by: str) -> None:
    """Take off the work list what no longer waits."""
    gone = session.execute(text(_GONE), area._asdict()).all()
    for kind, rows in groupby(gone, key=lambda row: row.kind):
        subjects = [Subject(row.subject_kind, row.subject_id) for row in rows]
        supersede_items(session, kind, subjects, by)


def _missing(row: Row[Any], today: date) -> NewItem:
    return NewItem(
        "payee_missing", Subject("person", str(row.person_id)), row.person_id, row.area,
        "有应付的救助金，但没有登记收款账户：请登记本人或监护人的账户。",
        period=f"{today:%Y-%m}",
    )  # fmt: skip


def _no_account(row: Row[Any], today: date) -> NewItem:
    return NewItem(
        "payee_missing", Subject("hospital", str(row.hospital_id)), None, row.area,
        "有应付给医院的垫付款，但没有登记医院的账户：请用 shukun pay hospital 登记。",
        period=f"{today:%Y-%m}",
    )  # fmt: skip


def _item(row: Row[Any]) -> NewItem:
    kind, period, reason = _words(row)
    detail = {"item": row.id, "amount": row.amount}
    subject = Subject(SUBJECT, str(row.id))
    return NewItem(kind, subject, row.person_id, row.area, reason, period=period, detail=detail)


def _words(row: Row[Any]) -> tuple[str, str, str]:
    """Kind, period and reason of an item's case."""
    yuan = format_yuan(abs(row.amount))
    if row.state == "held":
        advice = f"放行用 shukun pay release {row.id}，不付用 shukun pay close {row.id}。"
        return "payment_held", row.hold, f"{HOLDS[row.hold]}{advice}"
    if row.state == "refund_due":
        reason = (
            f"已支付的多出 {yuan} 元：请与本人联系退回；"
            f"收到后用 shukun pay refunded {row.id} 登记。"
        )
        return "refund_due", str(row.seq), reason
    if row.state == "refund_elsewhere":
        return "refund_elsewhere", str(row.seq), _elsewhere(row, yuan)
    reason = f"结算数据显示本项已结清，而本系统此前已支付 {yuan} 元：请核实是否重复，重复的请追回。"
    return "paid_twice", "", reason


def _elsewhere(row: Row[Any], yuan: str) -> str:
    """What is to be cleared with who paid; part of it may be the person's to give back."""
    whose, own = "", ""
    if row.with_person > 0:
        whose = "其余"
        own = f"其中本系统付给本人的 {format_yuan(row.with_person)} 元，请与本人联系退回；"
    return (
        f"多付 {yuan} 元：{own}{whose}由医院或他处支付，请与支付方核对清算，不要向本人追要；"
        f"收到后用 shukun pay refunded {row.id} 登记，不追回的用 shukun pay close {row.id}。"
    )
