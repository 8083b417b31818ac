"""说明 (explaining): every entry of the ledger just as it was decided, from the rules and the data
of then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import numpy as np
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.citizens.history import HISTORIES
from backend.citizens.tables import BILL
from backend.estimation.estimate import Payment, estimate_payments
from backend.estimation.terms import Rules
from backend.kernel import audit
from backend.kernel.copy import raw
from backend.kernel.errors import DomainError, Fault
from backend.matching.as_of import person_as_of
from backend.matching.cases import cases_of
from backend.matching.deciding import barred
from backend.matching.editions import ENGINE, edition
from backend.matching.ledger import EntryKind, Reason
from backend.matching.numbers import Numbers, numbers_of
from backend.matching.on_application import as_applied_for
from backend.matching.slice_data import SliceData
from backend.matching.spans import spans_of
from backend.matching.tables import GRANT_ENTRY, MATCH_RUN

REASONS: Final = {
    Reason.FIRST: "第一次计算",
    Reason.BILL: "这张结算单有更正或撤回",
    Reason.IDENTITY: "困难身份有变化",
    Reason.PERSON: "个人登记信息有变化",
    Reason.OTHER_BILL: "当年别的结算单有变化",
    Reason.RULES: "政策数据的版本有变化",
}


OTHER_ENGINE: Final = "这一笔由本程序以前的算法决定：金额和依据照旧，步骤请用当时的程序查看。"


class UnknownBill(DomainError):
    """No bill has this number."""

    code: ClassVar[str] = "unknown-bill"


@dataclass(frozen=True, slots=True)
class EntryExplained:
    """One entry. Money in fen; `reasons`: what was otherwise than at the entry before; `payment`:
    how the amount came about, with its steps, None where nothing was due; `barred`: why then."""

    layer: str
    seq: int
    kind: EntryKind
    amount: int
    amount_after: int
    decided_at: datetime
    run_id: int
    rules_id: int
    data_version: int
    reasons: tuple[str, ...]
    payment: Payment | None
    barred: str | None


def explain_grants(session: Session, who: audit.Who, bill_no: str) -> list[EntryExplained]:
    """Every entry of the bill, by layer, oldest first. Raises `UnknownBill`.

    Computed again from the kept edition of the rules and the data as they stood; that it comes to
    the amount of the entry is checked. That `who` looked is told to whose bill it is, or was.
    """
    bill = _bill(session, bill_no)
    if bill is None:
        raise UnknownBill(Fault("/bill_no", "没有这张结算单，请核对单号。"))
    query = (
        select(GRANT_ENTRY, MATCH_RUN.c.started_at)
        .join(MATCH_RUN, MATCH_RUN.c.id == GRANT_ENTRY.c.run_id)
        .where(GRANT_ENTRY.c.bill_id == bill.id)
        .order_by(GRANT_ENTRY.c.layer, GRANT_ENTRY.c.seq)
    )
    layers, rows = Codes.names(session, "layer"), session.execute(query).all()
    people = (bill.person_id, *(row.person_id for row in rows))
    audit.read_people(session, who, people, "explain", ("bills", "grants", "identities"))
    return [_explained(session, row, layers[row.layer]) for row in rows]


def _bill(session: Session, bill_no: str) -> Row[Any] | None:
    """The bill of that number, also one that was taken back: it keeps its id."""
    for table in (BILL, HISTORIES[BILL.name]):
        wanted: Select[Any] = select(table.c.id, table.c.person_id)
        found = session.execute(wanted.where(table.c.bill_no == bill_no).limit(1)).first()
        if found is not None:
            return found
    return None


class NotAsDecided(RuntimeError):
    """The kept rules and data no longer give what the ledger says: something was tampered with."""


def _explained(session: Session, row: Row[Any], layer: str) -> EntryExplained:
    payment, why = _decided_again(session, row, layer)
    kind = EntryKind(row.kind)
    again = payment.amount if payment else 0
    # Nothing is computed where somebody says what was paid: settled, or taken to another year.
    given = kind == EntryKind.RESTATED and payment is not None and payment.explained is None
    known = why != OTHER_ENGINE
    if known and kind != EntryKind.SETTLED and not given and again != row.amount_after:
        raise NotAsDecided(f"bill {row.bill_id}, layer {layer}, entry {row.seq}")
    return EntryExplained(
        layer=layer,
        seq=row.seq,
        kind=kind,
        amount=row.amount,
        amount_after=row.amount_after,
        decided_at=row.started_at,
        run_id=row.run_id,
        rules_id=row.rules_id,
        data_version=row.data_version,
        reasons=tuple(REASONS[bit] for bit in REASONS if row.reason & bit),
        payment=payment,
        barred=why,
    )


def _decided_again(
    session: Session, row: Row[Any], layer: str
) -> tuple[Payment | None, str | None]:
    kept = edition(session, row.rules_id)
    if kept.engine != ENGINE:
        return None, OTHER_ENGINE
    rules = kept.rules
    data, numbers = _data_of_then(session, row, rules)
    place = np.flatnonzero(data.bills["id"] == row.bill_id)
    if not len(place):
        return None, "这张结算单已经撤回，或者不再属于这个人、这一年。"
    why = _why_barred(data, int(place[0]))
    if why is not None:
        return None, why
    at = np.flatnonzero(~barred(data).any)
    for own, case in cases_of(data, numbers, at):
        settled = estimate_payments(case, rules).bills[own.tolist().index(int(place[0]))]
        return next(_of_layer(settled.payments, layer), None), None
    return None, None


def _data_of_then(session: Session, row: Row[Any], rules: Rules) -> tuple[SliceData, Numbers]:
    data = person_as_of(raw(session), row.person_id, row.year, row.data_version)
    numbers = numbers_of(session, rules.book)
    return as_applied_for(data, spans_of(rules, data.county, row.year), numbers), numbers


def _of_layer(payments: tuple[Payment, ...], layer: str) -> Iterator[Payment]:
    return (payment for payment in payments if payment.layer == layer)


def _why_barred(data: SliceData, place: int) -> str | None:
    barring = barred(data)
    for flags, sentence in (
        (barring.uninsured, "当时没有参保：先办参保，不由系统支付。"),
        (barring.elsewhere, "当时参保在外地：由工作人员核实，不由系统支付。"),
        (barring.gone, "死亡以后入院或者迁出以后的费用：由工作人员核实。"),
    ):
        if flags[place]:
            return sentence
    return None
