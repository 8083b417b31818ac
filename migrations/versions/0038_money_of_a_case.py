"""在线申请: how much a case brought and how much of it was paid, told to whoever sees the case."""

from pathlib import Path

from alembic import op

revision = "0038"
down_revision = "0037"

SCRIPT = Path(__file__).parents[1] / "sql" / "money_of_case.sql"


def upgrade() -> None:
    # Owned by the role that sees every row; to own it that must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    op.execute(SCRIPT.read_text(encoding="utf-8"))
    op.execute("REVOKE EXECUTE ON FUNCTION money_of_case FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION money_of_case TO shukun_worker, shukun_app")
    op.execute("ALTER FUNCTION money_of_case OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def downgrade() -> None:
    op.execute("DROP FUNCTION money_of_case(bigint)")
