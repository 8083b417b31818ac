"""自动核查: identities, bills and claims of cases at a desk, wherever they are kept now."""

import re
from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0021"

SCRIPT = Path(__file__).parents[1] / "sql" / "checked_register.sql"


def upgrade() -> None:
    # Owned by the role that sees every row; to own them it must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    for statement in SCRIPT.read_text(encoding="utf-8").split("$$;\n"):
        found = re.search(r"CREATE FUNCTION (\w+)", statement)
        if found is None:
            continue
        name = found[1]
        op.execute(f"{statement}$$")
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO shukun_worker, shukun_app")
        op.execute(f"ALTER FUNCTION {name} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def downgrade() -> None:
    op.execute("DROP FUNCTION checked_bills(bigint[], bigint[], text[])")
    op.execute("DROP FUNCTION checked_identities(bigint[])")
    op.execute("DROP FUNCTION checked_cases(bigint[])")
