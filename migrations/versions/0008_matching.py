"""免申即享: runs, their parts, the ledger of grants, entitlements in kind, rule editions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    _create_tables()
    for table in ("grant_entry", "entitlement"):
        # Rows of a run lie together: a range of pages is enough to find them.
        op.create_index(
            f"ix_{table}_run_id", table, ["run_id"], unique=False, postgresql_using="brin"
        )
    for table in ("grant_entry", "rule_edition"):
        op.execute(
            f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
                ON {table} FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()
            """
        )
    for table in ("grant_entry", "entitlement"):
        op.execute(f"SELECT protect_area('{table}')")
        op.execute(f"GRANT SELECT ON {table} TO shukun_app")
    _protect_runs()
    op.execute("GRANT SELECT ON match_run, match_part, rule_edition TO shukun_app")


def _protect_runs() -> None:
    """By those who decide in the area (six digits) or a part of it: they see their part."""
    for table in ("match_run", "match_part"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        """
        CREATE POLICY own_area ON match_run TO shukun_app USING (
            area * 1000000::bigint <= (SELECT scope_high())
            AND area * 1000000::bigint + CASE
                WHEN area % 10000 = 0 THEN 10000000000 WHEN area % 100 = 0 THEN 100000000
                ELSE 1000000 END > (SELECT scope_low()))
        """
    )
    op.execute(
        """
        CREATE POLICY own_area ON match_part TO shukun_app USING (
            area_from >= (SELECT scope_low()) AND area_from <= (SELECT scope_high()))
        """
    )


def _create_tables() -> None:
    op.create_table(
        "entitlement",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column(
            "ended_by_run",
            sa.BigInteger(),
            autoincrement=False,
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("delivery", sa.SmallInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "person_id", "year", "policy", "code", "from_on", "ended_by_run", name="pk_entitlement"
        ),
    )
    op.create_table(
        "grant_entry",
        sa.Column("bill_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("layer", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_after", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.SmallInteger(), nullable=False),
        sa.Column("identity", sa.SmallInteger(), nullable=False),
        sa.Column("rules_id", sa.Integer(), nullable=False),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind IN (1, 2) AND amount > 0) OR (kind = 3 AND amount < 0)"
            " OR (kind IN (4, 5) AND amount = 0)",
            name="ck_grant_entry_sign_of_the_kind",
        ),
        sa.CheckConstraint("amount_after >= 0", name="ck_grant_entry_never_below_zero"),
        sa.CheckConstraint("kind BETWEEN 1 AND 5", name="ck_grant_entry_kind_known"),
        sa.PrimaryKeyConstraint("bill_id", "layer", "seq", name="pk_grant_entry"),
    )
    op.create_index("ix_grant_entry_person_id", "grant_entry", ["person_id"], unique=False)
    op.create_table(
        "match_mark",
        sa.Column("area", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("rules_id", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cluster", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("seen", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("area", "year", name="pk_match_mark"),
    )
    op.create_table(
        "match_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("rules_id", sa.Integer(), nullable=False),
        sa.Column("full", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cluster", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_release_by", sa.Text(), nullable=True),
        sa.Column("first_release_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('computing', 'computed', 'released')", name="ck_match_run_state_known"
        ),
        sa.CheckConstraint("released_by <> first_release_by", name="ck_match_run_released_by_two"),
        sa.CheckConstraint(
            "state <> 'released' OR (first_release_by IS NOT NULL AND released_by IS NOT NULL)",
            name="ck_match_run_released_by_somebody",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_match_run"),
    )
    op.create_index(
        "uq_match_run_area_year_computing",
        "match_run",
        ["area", "year"],
        unique=True,
        postgresql_where=sa.text("state = 'computing'"),
    )
    op.create_table(
        "rule_edition",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("engine", sa.SmallInteger(), nullable=False),
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("confirmed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule_edition"),
        sa.UniqueConstraint("digest", name="uq_rule_edition_digest"),
    )
    op.create_table(
        "match_part",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("area_from", sa.BigInteger(), nullable=False),
        sa.Column("area_to", sa.BigInteger(), nullable=False),
        sa.Column("person_from", sa.BigInteger(), nullable=False),
        sa.Column("person_to", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "summary",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'done')", name="ck_match_part_state_known"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["match_run.id"], name="fk_match_part_run_id_match_run"
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_match_part"),
    )


def downgrade() -> None:
    op.drop_table("match_part")
    op.drop_table("rule_edition")
    op.drop_table("match_run")
    op.drop_table("match_mark")
    op.drop_table("grant_entry")
    op.drop_table("entitlement")
