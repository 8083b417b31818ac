"""垫付与权益转让: what a hospital advanced against an assigned claim is paid to the hospital."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

OPEN = "'due', 'held', 'returned', 'refund_due', 'refund_elsewhere', 'ordered'"
ITEM = "state,amount,person_id,area,hold,cleared,changed_at"
# The moves stay; whom an item pays, and what it passed on, may change while it is open.
REMADE = """
    DO $$
    DECLARE
        was text := (SELECT pg_get_triggerdef(oid) FROM pg_trigger
            WHERE tgname = 'payment_item_moves');
    BEGIN
        EXECUTE 'DROP TRIGGER payment_item_moves ON payment_item';
        EXECUTE replace(was, '{before}', '{after}');
    END
    $$
"""
WIDER = ITEM + ",hospital_id,assigned"
GOING = "'submitted', 'accepted', 'supplement', 'helped', 'reviewed', 'noticed', 'granted'"
OF_CASE = (
    "EXISTS (SELECT FROM application AS a WHERE a.id = claim_assignment.application_id"
    f" AND a.state IN ({GOING})"
    " AND {})"
)
APPLICANT = "a.person_id = ANY ((SELECT same_people(authority_over('apply')))::bigint[])"
COUNTY = (
    "a.area BETWEEN (SELECT scope_low()) AND (SELECT scope_high())"
    " AND (SELECT scope_role()) IN ('county_officer', 'city_officer')"
)
OWN = OF_CASE.format(APPLICANT) + " AND advanced IS NULL"
POLICIES = (
    "made_to_assign ON letter FOR INSERT TO shukun_app WITH CHECK (template = 'claim_assignment'"
    " AND EXISTS (SELECT FROM application AS a WHERE a.id = letter.application_id"
    f" AND a.state IN ({GOING}) AND a.person_id = letter.person_id AND a.area = letter.area"
    f" AND {APPLICANT}))",
    f"assigned ON claim_assignment FOR INSERT TO shukun_app WITH CHECK ({OWN})",
    f"assigned_anew ON claim_assignment FOR UPDATE TO shukun_app USING ({OWN}) WITH CHECK ({OWN})",
    "recorded ON claim_assignment FOR UPDATE TO shukun_app"
    f" USING ({OF_CASE.format(COUNTY)} AND advanced IS NULL)"
    f" WITH CHECK ({OF_CASE.format(COUNTY)})",
)
# The row says what the letter says, whoever writes it; an advance needs the letter sealed, and
# then stays: a notified assignment is not taken back (民法典 art. 546).
CHECKED = """
    CREATE FUNCTION check_claim_assignment() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        said letter;
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.advanced IS NOT NULL
            AND to_jsonb(OLD) - 'paid' IS DISTINCT FROM to_jsonb(NEW) - 'paid' THEN
            RAISE EXCEPTION 'an advance stays' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'claim_assignment_stays';
        END IF;
        SELECT * INTO said FROM letter AS l WHERE l.id = NEW.letter_id
            AND l.application_id = NEW.application_id AND l.template = 'claim_assignment'
            AND l.subject_sha256 = sha256(convert_to(concat_ws(':', NEW.application_id,
                NEW.bill_id, NEW.hospital_id, NEW.cap), 'UTF8'));
        IF said.id IS NULL THEN
            RAISE EXCEPTION 'not what the letter says' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'claim_assignment_said';
        END IF;
        IF NEW.advanced IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.advanced IS NULL)
            AND said.state NOT IN ('sealed', 'delivered') THEN
            RAISE EXCEPTION 'not signed' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'claim_assignment_signed';
        END IF;
        RETURN NEW;
    END
    $$
"""
CHECKS = (
    ("advanced_within", "advanced BETWEEN 1 AND cap"),
    ("noted_by_somebody", "(advanced IS NULL) = (noted_by = '')"),
    ("noted_on_a_day", "(advanced IS NULL) = (noted_on IS NULL)"),
    ("paid_within", "paid BETWEEN 0 AND advanced"),
)
# Made anew at once, for people and hospitals apart: nobody has relied on it in between.
APART = "-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {}"
ONE_OPEN = "uq_payment_item_bill_id_layer_person_id_open"
HOSPITAL_OPEN = "uq_payment_item_hospital_open"


def upgrade() -> None:
    _create_accounts()
    _widen_items()
    # An order goes to a person or to a hospital's account: ck_payment_order_to_one, below.
    op.execute(
        "-- squawk-ignore ban-drop-not-null\n"
        "ALTER TABLE payment_order ALTER COLUMN payee_id DROP NOT NULL"
    )
    op.add_column("payment_order", sa.Column("hospital_account_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        "fk_payment_order_hospital_account_id_hospital_account", "payment_order",
        "hospital_account", ["hospital_account_id"], ["id"],
    )  # fmt: skip
    op.create_check_constraint(
        "ck_payment_order_to_one", "payment_order",
        "num_nonnulls(payee_id, hospital_account_id) = 1",
    )  # fmt: skip
    _widen_assignments()


def _create_accounts() -> None:
    op.create_table(
        "hospital_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hospital_id", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("bank", "holder", "account")),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column(
            "loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_hospital_account"),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["hospital.id"], name="fk_hospital_account_hospital_id_hospital"
        ),
    )
    op.create_index(
        "uq_hospital_account_hospital_id_current", "hospital_account", ["hospital_id"],
        unique=True, postgresql_where=sa.text("superseded_at IS NULL"),
    )  # fmt: skip
    op.execute(
        "CREATE TRIGGER hospital_account_moves BEFORE UPDATE ON hospital_account"
        " FOR EACH ROW EXECUTE FUNCTION only_moves('', 'superseded_at')"
    )
    op.execute(
        "CREATE TRIGGER hospital_account_kept BEFORE DELETE OR TRUNCATE ON hospital_account"
        " FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
    )


def _widen_items() -> None:
    op.add_column("payment_item", sa.Column("hospital_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "payment_item",
        sa.Column("assigned", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.create_foreign_key(
        "fk_payment_item_hospital_id_hospital", "payment_item", "hospital", ["hospital_id"], ["id"]
    )
    op.create_check_constraint(
        "ck_payment_item_hospital_owes_nothing", "payment_item",
        "hospital_id IS NULL OR amount >= 0",
    )  # fmt: skip
    op.execute(REMADE.format(before=ITEM, after=WIDER))
    op.execute(APART.format(ONE_OPEN))
    _one_open(ONE_OPEN, f"state IN ({OPEN}) AND hospital_id IS NULL")
    _one_open(HOSPITAL_OPEN, f"state IN ({OPEN}) AND hospital_id IS NOT NULL")


def _one_open(name: str, where: str) -> None:
    op.create_index(
        name, "payment_item", ["bill_id", "layer", "person_id"],
        unique=True, postgresql_where=sa.text(where),
    )  # fmt: skip


def _widen_assignments() -> None:
    # Nothing was ever written there.
    op.execute(
        "-- squawk-ignore adding-required-field\n"
        "ALTER TABLE claim_assignment ADD COLUMN bill_id bigint NOT NULL"
    )
    for column in (
        sa.Column("advanced", sa.BigInteger(), nullable=True),
        sa.Column("noted_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("noted_on", sa.Date(), nullable=True),
        sa.Column("paid", sa.BigInteger(), nullable=True),
    ):
        op.add_column("claim_assignment", column)
    for name, rule in CHECKS:
        op.create_check_constraint(f"ck_claim_assignment_{name}", "claim_assignment", rule)
    op.create_index("ix_claim_assignment_bill_id", "claim_assignment", ["bill_id"])
    op.execute(CHECKED)
    op.execute(
        "CREATE TRIGGER claim_assignment_checked BEFORE INSERT OR UPDATE ON claim_assignment"
        " FOR EACH ROW EXECUTE FUNCTION check_claim_assignment()"
    )
    op.execute("DROP POLICY assigned ON claim_assignment")
    for policy in POLICIES:
        op.execute(f"CREATE POLICY {policy}")
    op.execute(
        "GRANT UPDATE (bill_id, hospital_id, cap, letter_id, made_on, advanced, noted_by, noted_on)"
        " ON claim_assignment TO shukun_app"
    )


def downgrade() -> None:
    op.execute("DROP POLICY made_to_assign ON letter")
    for policy in ("recorded", "assigned_anew", "assigned"):
        op.execute(f"DROP POLICY {policy} ON claim_assignment")
    may_apply = APPLICANT
    op.execute(
        "CREATE POLICY assigned ON claim_assignment FOR INSERT TO shukun_app WITH CHECK (EXISTS"
        " (SELECT FROM application AS a WHERE a.id = claim_assignment.application_id"
        f" AND a.state IN ('draft', 'supplement') AND {may_apply}))"
    )
    op.execute("DROP TRIGGER claim_assignment_checked ON claim_assignment")
    op.execute("DROP FUNCTION check_claim_assignment()")
    op.drop_index("ix_claim_assignment_bill_id", "claim_assignment")
    for name, _ in CHECKS:
        op.drop_constraint(f"ck_claim_assignment_{name}", "claim_assignment")
    op.execute(
        "REVOKE UPDATE (bill_id, hospital_id, cap, letter_id, made_on, advanced, noted_by,"
        " noted_on) ON claim_assignment FROM shukun_app"
    )
    for name in ("paid", "noted_on", "noted_by", "advanced", "bill_id"):
        op.drop_column("claim_assignment", name)
    op.drop_constraint("ck_payment_order_to_one", "payment_order")
    op.drop_column("payment_order", "hospital_account_id")
    op.alter_column("payment_order", "payee_id", nullable=False)
    for name in (HOSPITAL_OPEN, ONE_OPEN):
        op.execute(APART.format(name))
    op.execute(REMADE.format(before=WIDER, after=ITEM))
    op.drop_constraint("ck_payment_item_hospital_owes_nothing", "payment_item")
    for name in ("assigned", "hospital_id"):
        op.drop_column("payment_item", name)
    _one_open(ONE_OPEN, f"state IN ({OPEN})")
    op.drop_table("hospital_account")
