"""日期确认: days of force that a document does not state, confirmed by the locality."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "policy_confirmation",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("policy_id", sa.Text, nullable=False),
        sa.Column("in_force_from", sa.Date, nullable=False),
        sa.Column("in_force_to", sa.Date),
        sa.Column("confirmed_by", sa.Text, nullable=False),
        sa.Column(
            "confirmed_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.Column("note", sa.Text, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_policy_confirmation"),
        sa.CheckConstraint(
            "in_force_to >= in_force_from", name="ck_policy_confirmation_days_in_order"
        ),
    )
    op.create_index(
        "ix_policy_confirmation_policy_id_id", "policy_confirmation", ["policy_id", "id"]
    )
    op.execute(
        """
        CREATE TRIGGER policy_confirmation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
            ON policy_confirmation FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()
        """
    )


def downgrade() -> None:
    op.drop_table("policy_confirmation")
