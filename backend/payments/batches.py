"""支付批次 (batches): made of what is due, reviewed and approved by two others, or withdrawn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.orm import Session

from backend.kernel import areas, audit
from backend.kernel.audit import Subject, person
from backend.kernel.errors import Fault
from backend.payments import cases
from backend.payments.collecting import KINDS, Range, be_patient, collect, take_turn, weighed_items
from backend.payments.refusals import BatchOutdated, OneWithItself, PaymentMoved, PaymentUnknown
from backend.payments.states import BATCH_NAMES
from backend.payments.tables import PAYMENT_BATCH

_SERIAL: Final = re.compile(r"([0-9]{6})-([0-9]{1,9})", re.ASCII)
_APPROVALS: Final = {"made": "reviewed", "reviewed": "approved"}
"""State → the state after one more approval (复核, then 审批)."""

_PAYABLE: Final = """
    CREATE TEMP TABLE payable ON COMMIT DROP AS
    SELECT i.id AS item_id, p.id AS payee_id, NULL::bigint AS hospital_account_id, i.amount
    FROM payment_item i
        JOIN payee p ON p.person_id = person_now(i.person_id) AND p.superseded_at IS NULL
    WHERE i.state = 'due' AND i.area BETWEEN :low AND :high AND i.hospital_id IS NULL
    UNION ALL
    SELECT i.id, NULL, a.id, i.amount FROM payment_item i
        JOIN hospital_account a ON a.hospital_id = i.hospital_id AND a.superseded_at IS NULL
    WHERE i.state = 'due' AND i.area BETWEEN :low AND :high
"""
_ORDERS: Final = """
    INSERT INTO payment_order
        (batch_id, item_id, payee_id, hospital_account_id, amount, state)
    SELECT :batch, item_id, payee_id, hospital_account_id, amount, 'ordered'
    FROM payable ORDER BY item_id
"""
_ORDERED: Final = """
    UPDATE payment_item i SET state = 'ordered', changed_at = now()
    FROM payable WHERE i.id = payable.item_id AND i.state = 'due'
"""
_DISAGREEING: Final = """
    SELECT count(*) FROM payment_order o JOIN payment_item i ON i.id = o.item_id
    WHERE o.batch_id = :batch AND (o.amount <> i.amount OR i.amount <> i.assigned + (
        SELECT coalesce(sum(e.amount), 0)
        FROM payment_entry p JOIN grant_entry e USING (bill_id, layer, seq)
        WHERE p.item_id = i.id
    ))
"""
_OUTDATED: Final = """
    SELECT count(*) FROM payment_order o JOIN payment_item i ON i.id = o.item_id
        JOIN ({weighed}) w ON w.id = i.id LEFT JOIN payee y ON y.id = o.payee_id
        LEFT JOIN hospital_account a ON a.id = o.hospital_account_id
    WHERE o.batch_id = :batch AND (
        w.hold <> '' OR coalesce(y.superseded_at, a.superseded_at) IS NOT NULL OR EXISTS (
            SELECT FROM grant_entry e LEFT JOIN payment_entry p USING (bill_id, layer, seq)
            WHERE (e.bill_id, e.layer) = (i.bill_id, i.layer) AND p.item_id IS NULL
                AND e.kind IN ({refund}, {settled})
                AND person_now(e.person_id) = person_now(i.person_id)
        )
    )
"""
_OF_BATCH: Final = "i.id IN (SELECT item_id FROM payment_order WHERE batch_id = :batch)"
_STANDING: Final = """
    SELECT state, count(*) AS orders, sum(amount)::bigint AS total FROM payment_item
    WHERE area BETWEEN :low AND :high GROUP BY state
"""


@dataclass(frozen=True, slots=True)
class Sum:
    """How many, and fen."""

    orders: int
    total: int


@dataclass(frozen=True, slots=True)
class Made:
    """What came of putting payments together. `serial` None: there was nothing to pay.

    `standing`: all items of the area by state; `opened`: new work items for people.
    """

    serial: str | None
    ordered: Sum
    standing: Mapping[str, Sum]
    opened: int


def serial_of(batch: Row[Any]) -> str:
    """The batch's serial: `320281-000007`."""
    return f"{batch.area:06d}-{batch.number:06d}"


def make_batch(session: Session, area: str, by: str, today: date) -> Made:
    """Take what the ledger says is due in the area (6 digits) and order it for the bank.

    What a person must decide goes to the work list. Raises `PaymentUnknown` for an unknown area.
    """
    if len(area) != 6 or not areas.is_area(area):
        raise PaymentUnknown(Fault("/area", "没有这个地区：请填写六位行政区划代码，例如 320281。"))
    within = Range(*areas.code_range(area))
    take_turn(session)
    collect(session, within)
    session.execute(text(_PAYABLE), within._asdict())
    totals = text("SELECT count(*), coalesce(sum(amount), 0)::bigint FROM payable")
    orders, total = session.execute(totals).one()
    ordered = Sum(orders, total)
    serial = _order(session, area, person(by), ordered) if ordered.orders else None
    opened = cases.open_cases(session, within, person(by), today)
    standing = session.execute(text(_STANDING), within._asdict())
    found = {row.state: Sum(row.orders, row.total) for row in standing}
    return Made(serial, ordered, found, opened)


def _order(session: Session, area: str, by: str, ordered: Sum) -> str:
    last = select(func.coalesce(func.max(PAYMENT_BATCH.c.number), 0))
    number = session.execute(last.where(PAYMENT_BATCH.c.area == int(area))).scalar_one() + 1
    row = {
        "area": int(area), "number": number, "state": "made", "orders": ordered.orders,
        "total": ordered.total, "made_by": by,
    }  # fmt: skip
    made = session.execute(insert(PAYMENT_BATCH).values(row).returning(*PAYMENT_BATCH.c)).one()
    session.execute(text(_ORDERS), {"batch": made.id})
    session.execute(text(_ORDERED))
    check_sums(session, made)
    _audit(session, made, by, "made")
    return serial_of(made)


def approve(session: Session, serial: str, by: str) -> str:
    """One of the two approvals (复核, then 审批); returns the batch's new state.

    Raises `PaymentUnknown`, `PaymentMoved`, `OneWithItself`, `BatchOutdated`.
    """
    batch, by = find_batch(session, serial), person(by)
    state = _APPROVALS.get(batch.state)
    if state is None:
        raise _moved(batch, "不能再审批")
    if by in (batch.made_by, batch.reviewed_by):
        detail = "经办、复核、审批须是三个不同的人：请由另一人审批。"
        raise OneWithItself(Fault("/by", detail))
    check_current(session, batch)
    move(session, batch, state, {f"{state}_by": by, f"{state}_at": func.now()})
    _audit(session, batch, by, state)
    return state


def withdraw(session: Session, serial: str, by: str) -> int:
    """Take back a batch that was not written yet: what it would pay is due again.

    Returns the number of items. Raises `PaymentUnknown`, `PaymentMoved`.
    """
    batch, by = find_batch(session, serial), person(by)
    if batch.state not in ("made", "reviewed", "approved"):
        raise _moved(batch, "不能撤销")
    be_patient(session)
    move(session, batch, "withdrawn", {"withdrawn_by": by, "withdrawn_at": func.now()})
    orders = "UPDATE payment_order SET state = 'withdrawn' WHERE batch_id = :batch"
    session.execute(text(orders), {"batch": batch.id})
    items = (
        "UPDATE payment_item i SET state = 'due', changed_at = now()"
        f" WHERE {_OF_BATCH} AND i.state = 'ordered'"
    )
    freed: int = session.execute(text(items), {"batch": batch.id}).rowcount  # type: ignore[attr-defined]
    _audit(session, batch, by, "withdrawn")
    return freed


def find_batch(session: Session, serial: str) -> Row[Any]:
    """The batch of a serial. Raises `PaymentUnknown`."""
    named = _SERIAL.fullmatch(serial.strip())
    if named is not None:
        area, number = int(named[1]), int(named[2])
        query = select(PAYMENT_BATCH).where(
            PAYMENT_BATCH.c.area == area, PAYMENT_BATCH.c.number == number
        )
        found = session.execute(query).first()
        if found is not None:
            return found
    raise PaymentUnknown(
        Fault("/serial", "没有这个支付批次：批次号形如 320281-000001，可用 shukun pay list 查看。")
    )


def move(session: Session, batch: Row[Any], state: str, values: Mapping[str, Any]) -> None:
    """Compare-and-set the batch's state; raises `PaymentMoved` where somebody was quicker."""
    moved = (
        update(PAYMENT_BATCH)
        .where(PAYMENT_BATCH.c.id == batch.id, PAYMENT_BATCH.c.state == batch.state)
        .values(state=state, **values)
        .returning(PAYMENT_BATCH.c.id)
    )
    if session.execute(moved).first() is None:
        raise _moved(batch, "刚被他人办理，请重新查看")


def check_sums(session: Session, batch: Row[Any]) -> None:
    """Orders, items and the ledger say the same; raises `BatchOutdated`."""
    be_patient(session)
    query = (
        "SELECT count(*) AS orders, coalesce(sum(amount), 0)::bigint AS total"
        " FROM payment_order WHERE batch_id = :batch"
    )
    found = session.execute(text(query), {"batch": batch.id}).one()
    wrong = session.execute(text(_DISAGREEING), {"batch": batch.id}).scalar_one()
    if wrong or (found.orders, found.total) != (batch.orders, batch.total):
        detail = f"批次 {serial_of(batch)} 与台账不符，已停止：请联系维护人员核查。"
        raise BatchOutdated(Fault("/serial", detail))


def check_current(session: Session, batch: Row[Any]) -> None:
    """Nothing changed since the batch was made; raises `BatchOutdated`."""
    be_patient(session)
    weighed = weighed_items(session, _OF_BATCH)
    query = text(_OUTDATED.format(weighed=weighed, **KINDS))
    outdated = session.execute(query, {"batch": batch.id}).scalar_one()
    if outdated:
        serial = serial_of(batch)
        detail = (
            f"批次 {serial} 中有 {outdated} 笔的情况已变（死亡、已结算、应退或账户变更）："
            f"请用 shukun pay withdraw {serial} 撤销，再重新生成批次。"
        )
        raise BatchOutdated(Fault("/serial", detail))
    check_sums(session, batch)


def _moved(batch: Row[Any], cannot: str) -> PaymentMoved:
    detail = f"批次 {serial_of(batch)} 现为“{BATCH_NAMES[batch.state]}”，{cannot}。"
    return PaymentMoved(Fault("/serial", detail))


def _audit(session: Session, batch: Row[Any], by: str, deed: str) -> None:
    detail = {"orders": batch.orders, "total": batch.total, "from": batch.state}
    subject = Subject("payment_batch", serial_of(batch))
    audit.record(session, actor=by, action=f"payment.{deed}", subject=subject, detail=detail)
