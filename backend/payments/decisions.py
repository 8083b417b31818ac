"""人工决定 (decisions): what a person says on an item that the machine does not pay by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.audit import Subject, person
from backend.kernel.errors import Fault
from backend.payments.cases import SUBJECT
from backend.payments.refusals import PaymentMoved, PaymentUnknown
from backend.payments.states import ITEM_NAMES, UNPAID
from backend.payments.tables import PAYMENT_ITEM
from backend.worklist.items import Closing, close_item
from backend.worklist.tables import WORK_ITEM

REASONS: Final = {
    "paid_elsewhere": "已由他处支付",
    "nobody_to_pay": "无人可领",
    "not_recoverable": "无法追回",
    "by_mistake": "发放有误",
}
"""Why an item is closed unpaid, or a refund given up."""
_DECIDED: Final = "done"
_WORK: Final = {
    "returned": "payment_returned",
    "held": "payment_held",
    "refund_due": "refund_due",
    "refund_elsewhere": "refund_elsewhere",
}


@dataclass(frozen=True, slots=True)
class _Move:
    """A decision: from which states, to which; what a person reads where it cannot be."""

    deed: str
    origins: tuple[str, ...]
    to: str
    cannot: str


_RETRY: Final = _Move("retry", ("returned",), "due", "只有银行退回的才能再付")
_RELEASE: Final = _Move("release", ("held",), "due", "只有暂缓支付的才能放行")
_REFUNDED: Final = _Move(
    "refunded", ("refund_due", "refund_elsewhere"), "refunded", "只有应退的才能登记退回"
)
_CLOSE: Final = _Move("close", UNPAID, "closed", "不能改为不再支付")


def retry(session: Session, item: int, by: str) -> None:
    """Pay a returned item again, to the account as it is. Raises `PaymentUnknown`,
    `PaymentMoved`; the others too."""
    _decide(session, _RETRY, item, by)


def release(session: Session, item: int, by: str) -> None:
    """Pay a held item in spite of what it is held for."""
    _decide(session, _RELEASE, item, by)


def refunded(session: Session, item: int, by: str) -> None:
    """Record that the person, or who else was paid, has paid back what was paid too much."""
    _decide(session, _REFUNDED, item, by)


def close(session: Session, item: int, by: str, reason: str) -> None:
    """Pay an item no more, or give up a refund. `reason`: of `REASONS`."""
    if reason not in REASONS:
        raise KeyError(reason)
    _decide(session, _CLOSE, item, by, reason)


def _decide(session: Session, move: _Move, number: int, by: str, reason: str = "") -> None:
    item, by = _item(session, number), person(by)
    if item.state not in move.origins:
        raise _moved(item, move.cannot)
    # It was not the person alone who gave it back: what they still hold counts anew from here.
    to = "cleared_elsewhere" if item.state == "refund_elsewhere" else move.to
    values: Mapping[str, Any] = {"state": to, "hold": "", "changed_at": func.now()}
    if move is _RELEASE:
        values = {**values, "cleared": ",".join(filter(None, (item.cleared, item.hold)))}
    same = (PAYMENT_ITEM.c.id == number, PAYMENT_ITEM.c.state == item.state)
    changed = update(PAYMENT_ITEM).where(*same, PAYMENT_ITEM.c.hold == item.hold).values(values)
    if session.execute(changed.returning(PAYMENT_ITEM.c.id)).first() is None:
        raise _moved(item, "刚被他人办理，请重新查看")
    detail = {"from": item.state, "hold": item.hold, "amount": item.amount, "reason": reason}
    detail |= {"person": item.person_id}
    subject = Subject(SUBJECT, str(number))
    action = f"payment.{move.deed}"
    audit.record(session, actor=by, action=action, subject=subject, detail=detail, area=item.area)
    if kind := _WORK.get(item.state):
        _close_work(session, kind, subject, by)


def _close_work(session: Session, kind: str, subject: Subject, by: str) -> None:
    """The case that asked for the decision is done, by whoever decided."""
    work = WORK_ITEM.c
    same = (work.kind == kind, work.subject_kind == subject.kind, work.subject_id == subject.id)
    waiting = select(work.id).where(*same, work.state != "done").with_for_update()
    for number in session.execute(waiting).scalars().all():
        close_item(session, number, Closing(_DECIDED, by))


def _item(session: Session, number: int) -> Row[Any]:
    found = session.execute(select(PAYMENT_ITEM).where(PAYMENT_ITEM.c.id == number)).first()
    if found is None:
        raise PaymentUnknown(Fault("/item", "没有这一笔：请核对笔号，可用 shukun pay list 查看。"))
    return found


def _moved(item: Row[Any], cannot: str) -> PaymentMoved:
    detail = f"第 {item.id} 笔现为“{ITEM_NAMES[item.state]}”，{cannot}。"
    return PaymentMoved(Fault("/item", detail))
