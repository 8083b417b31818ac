"""进度: the request is counted first, so that one statement is the whole transaction.

`progress_at_once` stays for the site of the release before.
"""

from pathlib import Path

from alembic import op

revision = "0037"
down_revision = "0036"

SCRIPT = Path(__file__).parents[1] / "sql" / "look_at_progress.sql"
LOOK = "look_at_progress(text, bigint, text, integer, integer, smallint, text[])"
COUNT = "count_hit(bytea, integer, integer, integer)"


def upgrade() -> None:
    # Owned by the role that sees every row; to own it that must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    op.execute(SCRIPT.read_text(encoding="utf-8"))
    op.execute(f"REVOKE EXECUTE ON FUNCTION {LOOK} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {LOOK} TO shukun_app")
    op.execute(f"GRANT EXECUTE ON FUNCTION {COUNT} TO shukun_worker")
    op.execute(f"ALTER FUNCTION {LOOK} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def downgrade() -> None:
    op.execute(f"REVOKE EXECUTE ON FUNCTION {COUNT} FROM shukun_worker")
    op.execute(f"DROP FUNCTION {LOOK}")
