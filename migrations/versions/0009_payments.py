"""支付: payees, batches, returns of the bank; the database refuses to pay anything twice."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ITEM_MOVES = """{
    "due": ["due", "ordered", "held", "refund_due", "refund_elsewhere", "netted", "settled",
        "closed"],
    "held": ["held", "due", "refund_due", "refund_elsewhere", "netted", "settled", "closed"],
    "returned": ["returned", "due", "held", "refund_due", "refund_elsewhere", "netted", "settled",
        "closed"],
    "refund_due": ["refund_due", "due", "held", "refund_elsewhere", "netted", "settled", "refunded",
        "closed"],
    "refund_elsewhere": ["refund_elsewhere", "due", "held", "refund_due", "netted", "settled",
        "cleared_elsewhere"],
    "ordered": ["due", "paid", "returned"],
    "settled": ["held"]
}"""
ORDER_MOVES = """{"ordered": ["paid", "returned", "withdrawn"]}"""
BATCH_MOVES = """{
    "made": ["reviewed", "withdrawn"],
    "reviewed": ["approved", "withdrawn"],
    "approved": ["written", "withdrawn"]
}"""
MOVABLE = {
    "payment_item": (ITEM_MOVES, "state,amount,person_id,area,hold,cleared,changed_at"),
    "payment_order": (ORDER_MOVES, "state,reason,return_id"),
    "payment_batch": (
        BATCH_MOVES,
        "state,sha256,reviewed_by,reviewed_at,approved_by,approved_at,written_by,written_at,"
        "withdrawn_by,withdrawn_at",
    ),
    # Not a process: a version is superseded once. The index follows the keys.
    "payee": ("", "superseded_at,account_index"),
}


def upgrade() -> None:
    _create_tables()
    op.execute(
        """
        CREATE FUNCTION only_moves() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            moves jsonb := nullif(TG_ARGV[0], '')::jsonb;
            free text[] := string_to_array(TG_ARGV[1], ',');
            old_row jsonb := to_jsonb(OLD);
            new_row jsonb := to_jsonb(NEW);
        BEGIN
            IF old_row - free <> new_row - free
                OR NOT coalesce(moves IS NULL
                    OR moves -> (old_row ->> 'state') ? (new_row ->> 'state'), false)
                OR old_row ->> 'superseded_at' IS NOT NULL
                    AND new_row ->> 'superseded_at' IS DISTINCT FROM old_row ->> 'superseded_at'
                -- What the bank was told stays as it was.
                OR old_row ->> 'state' = 'ordered'
                    AND old_row -> 'amount' IS DISTINCT FROM new_row -> 'amount'
            THEN
                RAISE EXCEPTION 'illegal move of %', TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END
        $$
        """
    )
    for table, (moves, free) in MOVABLE.items():
        op.execute(
            f"CREATE TRIGGER {table}_moves BEFORE UPDATE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION only_moves('{moves}', '{free}')"
        )
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
        )
    for table in ("payment_entry", "payment_return"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
        )


def _create_tables() -> None:
    op.create_table(
        "payment_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_by", sa.Text(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "CASE state WHEN 'reviewed' THEN reviewed_by IS NOT NULL WHEN 'approved' THEN "
            "approved_by IS NOT NULL AND reviewed_by IS NOT NULL WHEN 'written' THEN "
            "approved_by IS NOT NULL AND reviewed_by IS NOT NULL AND sha256 IS NOT NULL ELSE "
            "true END",
            name="ck_payment_batch_approved_by_two",
        ),
        sa.CheckConstraint(
            "state IN ('made', 'reviewed', 'approved', 'written', 'withdrawn')",
            name="ck_payment_batch_state_known",
        ),
        sa.CheckConstraint("orders > 0 AND total > 0", name="ck_payment_batch_not_empty"),
        sa.CheckConstraint(
            "reviewed_by <> made_by AND approved_by <> made_by AND approved_by <> reviewed_by",
            name="ck_payment_batch_different_people",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_batch"),
        sa.UniqueConstraint("area", "number", name="uq_payment_batch_area_number"),
    )
    op.create_table(
        "payment_return",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("paid", sa.Integer(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column(
            "loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_return"),
        sa.UniqueConstraint("sha256", name="uq_payment_return_sha256"),
    )
    op.create_table(
        "payee",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("relationship", sa.Text(), nullable=False),
        sa.Column("guardian_id", sa.BigInteger(), nullable=True),
        sa.Column("bank", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("account_index", sa.LargeBinary(), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column(
            "loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'guardian') = (guardian_id IS NOT NULL)", name="ck_payee_guardian_named"
        ),
        sa.CheckConstraint("kind IN ('own', 'guardian')", name="ck_payee_kind_known"),
        sa.ForeignKeyConstraint(["guardian_id"], ["person.id"], name="fk_payee_guardian_id_person"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_payee_person_id_person"),
        sa.PrimaryKeyConstraint("id", name="pk_payee"),
    )
    op.create_index("ix_payee_account_index", "payee", ["account_index"], unique=False)
    op.create_index(
        "uq_payee_person_id_current",
        "payee",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "payment_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("bill_id", sa.BigInteger(), nullable=False),
        sa.Column("layer", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hold", sa.Text(), server_default="", nullable=False),
        sa.Column("cleared", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(state = 'held') = (hold <> '')", name="ck_payment_item_held_for_a_reason"
        ),
        sa.CheckConstraint(
            "CASE WHEN state IN ('due', 'held', 'returned', 'ordered', 'paid') THEN amount > 0 "
            "WHEN state IN ('refund_due', 'refunded', 'refund_elsewhere', 'cleared_elsewhere') "
            "THEN amount < 0 WHEN state = 'netted' THEN amount = 0 ELSE true END",
            name="ck_payment_item_sign_of_the_state",
        ),
        sa.CheckConstraint(
            "state IN ('due', 'held', 'returned', 'refund_due', 'refund_elsewhere', 'ordered', "
            "'paid', 'refunded', 'cleared_elsewhere', 'closed', 'netted', 'settled')",
            name="ck_payment_item_state_known",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_payment_item_person_id_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_item"),
    )
    op.create_index(
        "ix_payment_item_area_open",
        "payment_item",
        ["area"],
        unique=False,
        postgresql_where=sa.text(
            "state IN ('due', 'held', 'returned', 'refund_due', 'refund_elsewhere', 'ordered')"
        ),
    )
    op.create_index("ix_payment_item_bill_id", "payment_item", ["bill_id", "layer"], unique=False)
    op.create_index(
        "uq_payment_item_bill_id_layer_person_id_open",
        "payment_item",
        ["bill_id", "layer", "person_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('due', 'held', 'returned', 'refund_due', 'refund_elsewhere', 'ordered')"
        ),
    )
    op.create_table(
        "payment_entry",
        sa.Column("bill_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("layer", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill_id", "layer", "seq"],
            ["grant_entry.bill_id", "grant_entry.layer", "grant_entry.seq"],
            name="fk_payment_entry_bill_id_grant_entry",
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["payment_item.id"], name="fk_payment_entry_item_id_payment_item"
        ),
        sa.PrimaryKeyConstraint("bill_id", "layer", "seq", name="pk_payment_entry"),
    )
    op.create_index("ix_payment_entry_item_id", "payment_entry", ["item_id"], unique=False)
    op.create_table(
        "payment_order",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("payee_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("return_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('ordered', 'paid', 'returned', 'withdrawn')",
            name="ck_payment_order_state_known",
        ),
        sa.CheckConstraint("amount > 0", name="ck_payment_order_amount_positive"),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["payment_batch.id"], name="fk_payment_order_batch_id_payment_batch"
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["payment_item.id"], name="fk_payment_order_item_id_payment_item"
        ),
        sa.ForeignKeyConstraint(["payee_id"], ["payee.id"], name="fk_payment_order_payee_id_payee"),
        sa.ForeignKeyConstraint(
            ["return_id"], ["payment_return.id"], name="fk_payment_order_return_id_payment_return"
        ),
        sa.PrimaryKeyConstraint("batch_id", "item_id", name="pk_payment_order"),
    )
    op.create_index("ix_payment_order_item_id", "payment_order", ["item_id"], unique=False)
    op.create_index(
        "uq_payment_order_item_id_live",
        "payment_order",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('ordered', 'paid')"),
    )


def downgrade() -> None:
    op.drop_table("payment_order")
    op.drop_table("payment_entry")
    op.drop_table("payment_item")
    op.drop_table("payee")
    op.drop_table("payment_return")
    op.drop_table("payment_batch")
    op.execute("DROP FUNCTION only_moves()")
