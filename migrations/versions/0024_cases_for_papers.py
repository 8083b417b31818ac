"""代交材料: the cases that somebody may hand papers in for, told to who may do no more."""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"

SCRIPT = Path(__file__).parents[1] / "sql" / "cases_for_papers.sql"


def upgrade() -> None:
    # Owned by the role that sees every row; to own it that must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    op.execute(SCRIPT.read_text(encoding="utf-8"))
    op.execute("REVOKE EXECUTE ON FUNCTION cases_for_papers FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION cases_for_papers TO shukun_worker, shukun_app")
    op.execute("ALTER FUNCTION cases_for_papers OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def downgrade() -> None:
    op.execute("DROP FUNCTION cases_for_papers()")
