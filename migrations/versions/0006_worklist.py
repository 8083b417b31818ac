"""待办: what people must decide or do, each in one list, and messages that people are owed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

ROLES = ("village_coordinator", "township_reviewer", "county_officer", "city_officer")


def upgrade() -> None:
    _create_notices()
    _create_items()
    _create_indexes()
    op.execute(
        """
        CREATE TRIGGER work_item_done_stays BEFORE UPDATE OF
            state, outcome, closed_by, closed_at, role, area, due_on, reason
            ON work_item FOR EACH ROW
            WHEN (OLD.state = 'done' AND OLD.outcome <> 'superseded')
            EXECUTE FUNCTION forbid_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER work_item_kept BEFORE DELETE OR TRUNCATE
            ON work_item FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()
        """
    )
    # Not by person: what waits for one role is no other role's to see.
    op.execute("SELECT protect_area('work_item', '')")
    op.execute("GRANT SELECT ON work_item TO shukun_app")


def _create_notices() -> None:
    op.create_table(
        "notice_due",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column(
            "owed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice_due"),
        sa.UniqueConstraint(
            "person_id", "kind", "cause", name="uq_notice_due_person_id_kind_cause"
        ),
    )


def _create_items() -> None:
    op.create_table(
        "work_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), server_default="", nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("list_area", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column(
            "opened_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False),
        *_item_constraints(),
    )


def _item_constraints() -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name="pk_work_item"),
        sa.UniqueConstraint(
            "kind",
            "subject_kind",
            "subject_id",
            "period",
            name="uq_work_item_kind_subject_kind_subject_id_period",
        ),
        sa.CheckConstraint(
            "(state = 'done') = (outcome IS NOT NULL AND closed_by IS NOT NULL"
            " AND closed_at IS NOT NULL)",
            name="ck_work_item_done_with_outcome",
        ),
        sa.CheckConstraint(
            "list_area = area - mod(area, CASE role WHEN 'village_coordinator' THEN 1"
            " WHEN 'township_reviewer' THEN 1000 WHEN 'county_officer' THEN 1000000"
            " WHEN 'city_officer' THEN 100000000 END)",
            name="ck_work_item_in_the_list_of_its_role",
        ),
        sa.CheckConstraint(f"role IN {ROLES}", name="ck_work_item_role_known"),
        sa.CheckConstraint(
            "state IN ('open', 'escalated', 'done')", name="ck_work_item_state_known"
        ),
        sa.CheckConstraint(
            "area BETWEEN 110000000000 AND 999999999999", name="ck_work_item_area_known"
        ),
    )


def _create_indexes() -> None:
    op.create_index(
        "ix_notice_due_id_open", "notice_due", ["id"], postgresql_where=sa.text("taken_at IS NULL")
    )
    still_open = sa.text("state <> 'done'")
    op.create_index("ix_work_item_area", "work_item", ["area"], postgresql_where=still_open)
    op.create_index("ix_work_item_person_id", "work_item", ["person_id"])
    op.create_index(
        "ix_work_item_role_list_area_due_on",
        "work_item",
        ["role", "list_area", "due_on"],
        postgresql_where=still_open,
    )


def downgrade() -> None:
    op.drop_table("work_item")
    op.drop_table("notice_due")
