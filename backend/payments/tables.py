"""表 (tables): payees, what is owed by the ledger, batches for the bank, what the bank returned.

Money is fen. `area`: 12 digits. The database forbids what must not be: an entry of the ledger in
two items, two open items of one grant to a person, two live orders of one item, and moves other
than those of `states.py` (triggers of migration 0009).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from backend.kernel.database import Base

_OPEN: Final = "'due', 'held', 'returned', 'refund_due', 'refund_elsewhere', 'ordered'"


def _now(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _person() -> Column[Any]:
    return Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False)


PAYEE: Final = Table(
    "payee",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _person(),
    Column("kind", Text, nullable=False),
    Column("relationship", Text, nullable=False),
    Column("guardian_id", BigInteger, ForeignKey("person.id")),
    Column("bank", LargeBinary, nullable=False),
    Column("holder", LargeBinary, nullable=False),
    Column("account", LargeBinary, nullable=False),
    Column("account_index", LargeBinary, nullable=False),
    Column("loaded_by", Text, nullable=False),
    _now("loaded_at"),
    Column("superseded_at", DateTime(timezone=True)),
    CheckConstraint("kind IN ('own', 'guardian')", name="kind_known"),
    CheckConstraint("(kind = 'guardian') = (guardian_id IS NOT NULL)", name="guardian_named"),
    Index(
        "uq_payee_person_id_current", "person_id",
        unique=True, postgresql_where=text("superseded_at IS NULL"),
    ),
    Index("ix_payee_account_index", "account_index"),
)  # fmt: skip
"""收款人: to whom a person's money goes, a row a version. Bank, holder and account are sealed with
the key of the person (not of the guardian)."""

HOSPITAL_ACCOUNT: Final = Table(
    "hospital_account",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("hospital_id", BigInteger, ForeignKey("hospital.id"), nullable=False),
    Column("bank", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("loaded_by", Text, nullable=False),
    _now("loaded_at"),
    Column("superseded_at", DateTime(timezone=True)),
    Index(
        "uq_hospital_account_hospital_id_current", "hospital_id",
        unique=True, postgresql_where=text("superseded_at IS NULL"),
    ),
)  # fmt: skip
"""医院账户: to where goes what a hospital advanced (垫付), a row a version. An account of an
institution is nobody's personal data: it is kept in plain, and never changed."""

PAYMENT_ITEM: Final = Table(
    "payment_item",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("bill_id", BigInteger, nullable=False),
    Column("layer", SmallInteger, nullable=False),
    _person(),
    Column("area", BigInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("hospital_id", BigInteger, ForeignKey("hospital.id")),
    Column("assigned", BigInteger, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False),
    Column("hold", Text, nullable=False, server_default=""),
    Column("cleared", Text, nullable=False, server_default=""),
    _now("created_at"),
    _now("changed_at"),
    CheckConstraint(
        f"state IN ({_OPEN}, 'paid', 'refunded', 'cleared_elsewhere', 'closed', 'netted',"
        " 'settled')",
        name="state_known",
    ),
    CheckConstraint("(state = 'held') = (hold <> '')", name="held_for_a_reason"),
    CheckConstraint(
        "CASE WHEN state IN ('due', 'held', 'returned', 'ordered', 'paid') THEN amount > 0"
        " WHEN state IN ('refund_due', 'refunded', 'refund_elsewhere', 'cleared_elsewhere')"
        " THEN amount < 0"
        " WHEN state = 'netted' THEN amount = 0 ELSE true END",
        name="sign_of_the_state",
    ),
    CheckConstraint("hospital_id IS NULL OR amount >= 0", name="hospital_owes_nothing"),
    Index(
        "uq_payment_item_bill_id_layer_person_id_open", "bill_id", "layer", "person_id",
        unique=True,
        postgresql_where=text(f"state IN ({_OPEN}) AND hospital_id IS NULL"),
    ),
    Index(
        "uq_payment_item_hospital_open", "bill_id", "layer", "person_id",
        unique=True,
        postgresql_where=text(f"state IN ({_OPEN}) AND hospital_id IS NOT NULL"),
    ),
    Index("ix_payment_item_bill_id", "bill_id", "layer"),
    Index(
        "ix_payment_item_area_open", "area",
        postgresql_where=text(f"state IN ({_OPEN})"),
    ),
)  # fmt: skip
"""应付项: what is owed to one person on one grant (bill and layer) beyond what was paid before: the
sum of the person's entries and `assigned`. A bill that was found to be another person's has items
of both. `hospital_id`: it is paid to the hospital that advanced it (权益转让); `assigned`: fen that
came from, or went to, the other item of such a grant. `hold`: why a person must decide
(`states.HOLDS`); `cleared`: the holds, by commas, in spite of which a person said to pay."""

PAYMENT_ENTRY: Final = Table(
    "payment_entry",
    Base.metadata,
    Column("bill_id", BigInteger, primary_key=True, autoincrement=False),
    Column("layer", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", SmallInteger, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, ForeignKey("payment_item.id"), nullable=False, index=True),
    ForeignKeyConstraint(
        ["bill_id", "layer", "seq"],
        ["grant_entry.bill_id", "grant_entry.layer", "grant_entry.seq"],
        name="fk_payment_entry_bill_id_grant_entry",
    ),
)
"""Which entries of the ledger an item pays: each at most one. Never changed."""

PAYMENT_BATCH: Final = Table(
    "payment_batch",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("area", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("sha256", LargeBinary),
    Column("made_by", Text, nullable=False),
    _now("made_at"),
    Column("reviewed_by", Text),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("approved_by", Text),
    Column("approved_at", DateTime(timezone=True)),
    Column("written_by", Text),
    Column("written_at", DateTime(timezone=True)),
    Column("withdrawn_by", Text),
    Column("withdrawn_at", DateTime(timezone=True)),
    UniqueConstraint("area", "number"),
    CheckConstraint(
        "state IN ('made', 'reviewed', 'approved', 'written', 'withdrawn')", name="state_known"
    ),
    CheckConstraint(
        "reviewed_by <> made_by AND approved_by <> made_by AND approved_by <> reviewed_by",
        name="different_people",
    ),
    CheckConstraint(
        "CASE state WHEN 'reviewed' THEN reviewed_by IS NOT NULL"
        " WHEN 'approved' THEN approved_by IS NOT NULL AND reviewed_by IS NOT NULL"
        " WHEN 'written' THEN approved_by IS NOT NULL AND reviewed_by IS NOT NULL"
        " AND sha256 IS NOT NULL ELSE true END",
        name="approved_by_two",
    ),
    CheckConstraint("orders > 0 AND total > 0", name="not_empty"),
)
"""支付批次: orders for the bank, in one file. `area`: 6 digits; the serial is area and number."""

PAYMENT_ORDER: Final = Table(
    "payment_order",
    Base.metadata,
    Column("batch_id", BigInteger, ForeignKey("payment_batch.id"), primary_key=True),
    Column("item_id", BigInteger, ForeignKey("payment_item.id"), primary_key=True),
    Column("payee_id", BigInteger, ForeignKey("payee.id")),
    Column("hospital_account_id", BigInteger, ForeignKey("hospital_account.id")),
    Column("amount", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("return_id", BigInteger, ForeignKey("payment_return.id")),
    CheckConstraint(
        "state IN ('ordered', 'paid', 'returned', 'withdrawn')", name="state_known"
    ),
    CheckConstraint("amount > 0", name="amount_positive"),
    CheckConstraint("num_nonnulls(payee_id, hospital_account_id) = 1", name="to_one"),
    Index(None, "item_id"),
    Index(
        "uq_payment_order_item_id_live", "item_id",
        unique=True, postgresql_where=text("state IN ('ordered', 'paid')"),
    ),
)  # fmt: skip
"""One attempt to pay an item, to the payee, or to the hospital's account, as it was then. `reason`:
the bank's words on a return."""

PAYMENT_RETURN: Final = Table(
    "payment_return",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("sha256", LargeBinary, nullable=False, unique=True),
    Column("paid", Integer, nullable=False),
    Column("returned", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("loaded_by", Text, nullable=False),
    _now("loaded_at"),
)
"""银行回盘: a return file of the bank, known again by its digest."""
