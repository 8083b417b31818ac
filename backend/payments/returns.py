"""银行回盘 (returns): what the bank says became of each payment, taken once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, insert, select, text
from sqlalchemy.orm import Session

from backend.citizens.exchange.chunk import Reject
from backend.kernel import audit
from backend.kernel.audit import Subject, person
from backend.kernel.money import format_yuan
from backend.payments import cases
from backend.payments.collecting import take_turn
from backend.payments.rows import Column, Line, read_rows
from backend.payments.states import ORDER_NAMES
from backend.payments.tables import PAYMENT_RETURN

COLUMNS: Final = (
    Column("serial", ("批次号",)),
    Column("item", ("笔号", "序号")),
    Column("result", ("结果", "处理结果")),
    Column("reason", ("原因", "失败原因", "退回原因"), needed=False),
    Column("amount", ("金额",), needed=False),
)
RESULTS: Final = {
    "paid": ("成功", "已支付", "支付成功", "交易成功"),
    "returned": ("失败", "退回", "退票", "支付失败", "交易失败"),
}
REASONS: Final = {
    "户名不符": ("户名", "姓名"),
    "账户已销户": ("销户", "注销"),
    "账户冻结或状态异常": ("冻结", "挂失", "睡眠", "状态"),
    "账号不存在或有误": ("账号", "账户", "卡号", "不存在"),
}
"""What the bank's words are taken for. The words themselves are not kept: they may name people."""
OTHER_REASON: Final = "其他原因"
_WORDS: Final = {word: code for code, words in RESULTS.items() for word in (code, *words)}

_ORDERS: Final = text(
    """
    SELECT lpad(b.area::text, 6, '0') || '-' || lpad(b.number::text, 6, '0') AS serial,
        o.item_id, o.batch_id, o.amount, o.state, b.state = 'written' AS written
    FROM payment_order o JOIN payment_batch b ON b.id = o.batch_id WHERE o.item_id = ANY(:items)
    """
)
_SETTLE_ORDERS: Final = text(
    """
    UPDATE payment_order o SET state = g.state, reason = g.reason, return_id = :return_id
    FROM unnest(cast(:batches AS bigint[]), cast(:items AS bigint[]), cast(:states AS text[]),
        cast(:reasons AS text[])) AS g(batch_id, item_id, state, reason)
    WHERE (o.batch_id, o.item_id, o.state) = (g.batch_id, g.item_id, 'ordered')
    """
)
_SETTLE_ITEMS: Final = text(
    """
    UPDATE payment_item i SET state = o.state, changed_at = now() FROM payment_order o
    WHERE o.return_id = :return_id AND o.item_id = i.id AND i.state = 'ordered'
    """
)
_RETURNED: Final = text(
    """
    SELECT i.id, i.person_id, i.area, o.reason,
        lpad(b.area::text, 6, '0') || '-' || lpad(b.number::text, 6, '0') AS serial
    FROM payment_order o JOIN payment_item i ON i.id = o.item_id
        JOIN payment_batch b ON b.id = o.batch_id
    WHERE o.return_id = :return_id AND o.state = 'returned' ORDER BY i.id
    """
)


@dataclass(frozen=True, slots=True)
class ReturnTaken:
    """What came of a return file. `known`: it was taken before, nothing changed now; its rejects
    are told again."""

    number: int
    known: bool
    paid: int
    returned: int
    unchanged: int
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True)
class _Result:
    """What the bank says of one order that waits for it."""

    batch: int
    item: int
    state: str
    reason: str


def take_return(session: Session, path: Path, by: str) -> ReturnTaken:
    """Take a return file: each payment that waits becomes paid or returned.

    A row about an unknown payment, or against what the bank said before, is refused with its
    reason. The same file again changes nothing and tells its rejects again. Raises
    `FileError` where it cannot be used.
    """
    take_turn(session)
    digest = hashlib.sha256(path.read_bytes()).digest()
    lines, rejects = read_rows(path, COLUMNS)
    before = session.execute(select(PAYMENT_RETURN).where(PAYMENT_RETURN.c.sha256 == digest))
    known = before.first()
    reader = _Reader(_orders(session, lines))
    if known is not None:
        reader.read_again(lines)
        refused = _by_line(rejects + reader.rejects)
        return ReturnTaken(known.id, True, known.paid, known.returned, known.unchanged, refused)
    results = [result for line in lines if (result := reader.result(line)) is not None]
    refused = _by_line(rejects + reader.rejects)
    paid, returned = (sum(one.state == state for one in results) for state in RESULTS)
    row = {
        "sha256": digest,
        "paid": paid,
        "returned": returned,
        "unchanged": reader.unchanged,
        "rejected": len({one.line for one in refused}),
        "loaded_by": person(by),
    }
    number = _settle(session, row, results)
    return ReturnTaken(number, False, paid, returned, reader.unchanged, refused)


def _by_line(rejects: list[Reject]) -> tuple[Reject, ...]:
    return tuple(sorted(rejects, key=lambda one: one.line))


def _orders(session: Session, lines: Sequence[Line]) -> Mapping[tuple[str, int], Row[Any]]:
    items = {int(line["item"]) for line in lines if _is_number(line["item"])}
    rows = session.execute(_ORDERS, {"items": list(items)})
    return {(row.serial, row.item_id): row for row in rows}


def _settle(session: Session, row: dict[str, Any], results: Sequence[_Result]) -> int:
    number: int = session.execute(
        insert(PAYMENT_RETURN).values(row).returning(PAYMENT_RETURN.c.id)
    ).scalar_one()
    given = {
        "return_id": number,
        "batches": [one.batch for one in results],
        "items": [one.item for one in results],
        "states": [one.state for one in results],
        "reasons": [one.reason for one in results],
    }
    for statement in (_SETTLE_ORDERS, _SETTLE_ITEMS):
        moved = session.execute(statement, given).rowcount  # type: ignore[attr-defined]
        if moved != len(results):
            raise RuntimeError("orders and items moved although this was their turn")
    returned = list(session.execute(_RETURNED, given))
    cases.open_returned(session, returned, row["loaded_by"])
    detail = {name: row[name] for name in ("paid", "returned", "unchanged", "rejected")}
    subject = Subject("payment_return", str(number))
    audit.record(
        session, actor=row["loaded_by"], action="payment.return", subject=subject, detail=detail
    )
    return number


class _Reader:
    """Reads rows one after another against the orders; gathers what is refused."""

    def __init__(self, orders: Mapping[tuple[str, int], Row[Any]]) -> None:
        self._orders = orders
        self._seen: dict[tuple[int, int], str] = {}
        self.rejects: list[Reject] = []
        self.unchanged = 0

    def result(self, line: Line) -> _Result | None:
        """What the row changes; None: nothing, or it is refused."""
        state, order = _WORDS.get(line["result"]), self._order(line)
        if state is None:
            words = "、".join((RESULTS["paid"][0], RESULTS["returned"][0]))
            self._refuse(line, "result", f"看不懂处理结果：请填写 {words} 之一。")
        if order is None or state is None or not self._fits(line, order, state):
            return None
        key = (order.batch_id, order.item_id)
        if self._seen.setdefault(key, order.state) != "ordered":
            self.unchanged += 1
            return None
        self._seen[key] = state
        reason = _reason(line["reason"]) if state == "returned" else ""
        return _Result(*key, state, reason)

    def read_again(self, lines: Sequence[Line]) -> None:
        """Gather what is refused of a file that was taken before, and what is not to be taken so:
        rows that were refused then and would fit now."""
        for line in lines:
            if self.result(line) is not None:
                advice = "首次处理时不能登记，现在可以：请把这一行另存成文件再处理。"
                self._refuse(line, "item", advice)

    def _order(self, line: Line) -> Row[Any] | None:
        item = int(line["item"]) if _is_number(line["item"]) else 0
        order = self._orders.get((line["serial"], item))
        if order is None or not order.written:
            advice = "没有向银行报过这一笔：请核对批次号和笔号，确认回盘文件属于本单位。"
            self._refuse(line, "item", advice)
            return None
        return order

    def _fits(self, line: Line, order: Row[Any], state: str) -> bool:
        stands = self._seen.get((order.batch_id, order.item_id), order.state)
        if stands not in ("ordered", state):
            name = ORDER_NAMES[stands]
            self._refuse(line, "result", f"这一笔已登记为“{name}”：请与银行核对后再处理。")
            return False
        if line["amount"] and line["amount"] != format_yuan(order.amount):
            self._refuse(line, "amount", "金额与出盘时不同：请与银行核对。")
            return False
        return True

    def _refuse(self, line: Line, column: str, reason: str) -> None:
        self.rejects.append(Reject(line.number, column, reason))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _reason(words: str) -> str:
    for reason, signs in REASONS.items():
        if any(sign in words for sign in signs):
            return reason
    return OTHER_REASON
