"""保存年限: whoever sees a case sees that it was laid to rest, and on which day."""

from alembic import op

revision = "0032"
down_revision = "0031"

SEEN = "EXISTS (SELECT FROM application AS a WHERE a.id = application_rested.application_id)"


def upgrade() -> None:
    op.execute("GRANT SELECT ON application_rested TO shukun_app")
    op.execute(f"CREATE POLICY seen ON application_rested FOR SELECT TO shukun_app USING ({SEEN})")


def downgrade() -> None:
    op.execute("DROP POLICY seen ON application_rested")
    op.execute("REVOKE SELECT ON application_rested FROM shukun_app")
