"""预警、经办日历: warnings and home visits; review lists, summaries by institution."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

AREAS = ("warning", "warning_visit", "draft_application_wanted", "review_row")


def upgrade() -> None:
    _create_warnings()
    _create_calendars()
    for table in (
        "warning_visit",
        "review_list",
        "review_row",
        "institution_summary",
        "institution_summary_row",
    ):
        op.execute(
            f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
                ON {table} FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()
            """
        )
    op.execute(
        """
        CREATE TRIGGER warning_decided_stays BEFORE UPDATE OF state
            ON warning FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION forbid_change()
        """
    )
    for table in AREAS:
        person = "" if table == "warning_visit" else "person_id"
        op.execute(f"SELECT protect_area('{table}', '{person}')")
        op.execute(f"GRANT SELECT ON {table} TO shukun_app")
    op.execute(
        """
        CREATE POLICY own_people ON warning_visit TO shukun_app USING (EXISTS (
            SELECT FROM warning WHERE warning.id = warning_id))
        """
    )


def _create_warnings() -> None:
    op.create_table(
        "warning",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("burden", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("income", sa.BigInteger(), nullable=False),
        sa.Column("income_year", sa.SmallInteger(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("clause", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column(
            "found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "kind IN ('falling_into', 'falling_back')", name="ck_warning_kind_known"
        ),
        sa.CheckConstraint(
            "rule IN ('income_share', 'watched_burden')", name="ck_warning_rule_known"
        ),
        sa.CheckConstraint(
            "state IN ('open', 'confirmed', 'not_confirmed', 'superseded')",
            name="ck_warning_state_known",
        ),
        sa.CheckConstraint("burden > line", name="ck_warning_above_the_line"),
        sa.PrimaryKeyConstraint("id", name="pk_warning"),
        sa.UniqueConstraint(
            "rule", "subject_id", "year", "round", name="uq_warning_rule_subject_id_year_round"
        ),
    )
    op.create_index("ix_warning_area", "warning", ["area"], unique=False)
    op.create_index(
        "uq_warning_rule_subject_id_year_open",
        "warning",
        ["rule", "subject_id", "year"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'confirmed')"),
    )
    op.create_table(
        "draft_application_wanted",
        sa.Column("warning_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("wanted_on", sa.Date(), nullable=False),
        sa.Column("wanted_by", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["warning_id"], ["warning.id"], name="fk_draft_application_wanted_warning_id_warning"
        ),
        sa.PrimaryKeyConstraint("warning_id", name="pk_draft_application_wanted"),
    )
    op.create_index(
        "ix_draft_application_wanted_wanted_on",
        "draft_application_wanted",
        ["wanted_on"],
        unique=False,
        postgresql_where=sa.text("taken_at IS NULL"),
    )
    op.create_table(
        "warning_visit",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("warning_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("visited_by", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "outcome IN ('confirmed', 'not_confirmed', 'no_answer')",
            name="ck_warning_visit_outcome_known",
        ),
        sa.ForeignKeyConstraint(
            ["warning_id"], ["warning.id"], name="fk_warning_visit_warning_id_warning"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_warning_visit"),
    )
    op.create_index("ix_warning_visit_warning_id", "warning_visit", ["warning_id"], unique=False)


def _create_calendars() -> None:
    op.create_table(
        "institution_summary",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("kind IN ('month', 'year')", name="ck_institution_summary_kind_known"),
        sa.PrimaryKeyConstraint("id", name="pk_institution_summary"),
        sa.UniqueConstraint(
            "policy",
            "layer",
            "area",
            "kind",
            "period",
            name="uq_institution_summary_policy_layer_area_kind_period",
        ),
    )
    op.create_table(
        "review_list",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("rules_id", sa.Integer(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_list"),
        sa.UniqueConstraint(
            "policy", "layer", "area", "year", name="uq_review_list_policy_layer_area_year"
        ),
    )
    op.create_table(
        "institution_summary_row",
        sa.Column("summary_id", sa.BigInteger(), nullable=False),
        sa.Column("hospital_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bills", sa.Integer(), nullable=False),
        sa.Column("advanced", sa.BigInteger(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["summary_id"],
            ["institution_summary.id"],
            name="fk_institution_summary_row_summary_id_institution_summary",
        ),
        sa.PrimaryKeyConstraint("summary_id", "hospital_id", name="pk_institution_summary_row"),
    )
    op.create_table(
        "review_row",
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("bills", sa.SmallInteger(), nullable=False),
        sa.Column("burden", sa.BigInteger(), nullable=False),
        sa.Column("deductible", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "burden > 0 AND burden <= deductible", name="ck_review_row_under_the_deductible"
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["review_list.id"], name="fk_review_row_list_id_review_list"
        ),
        sa.PrimaryKeyConstraint("list_id", "person_id", name="pk_review_row"),
    )


def downgrade() -> None:
    op.drop_table("warning_visit")
    op.drop_table("review_row")
    op.drop_table("institution_summary_row")
    op.drop_table("draft_application_wanted")
    op.drop_table("warning")
    op.drop_table("review_list")
    op.drop_table("institution_summary")
