"""迁出的人: a desk knows whose a case is and owes word of it, wherever the person lives now."""

from pathlib import Path

from alembic import op

revision = "0028"
down_revision = "0027"

SCRIPT = Path(__file__).parents[1] / "sql" / "person_of_case.sql"
SEEN = "EXISTS (SELECT FROM person WHERE person.id = notice_due.person_id)"
# Asked last, and of that one person's cases: of whom the session sees it is not asked at all.
OF_CASE_AT_DESK = (
    "EXISTS (SELECT FROM application AS a WHERE a.person_id = notice_due.person_id"
    " AND starts_with(notice_due.cause, 'application:' || a.id || ':') AND a.state <> 'draft'"
    " AND a.area >= (SELECT scope_low()) AND a.area <= (SELECT scope_high()))"
)


def upgrade() -> None:
    # Owned by the role that sees every row; to own it that must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    op.execute(SCRIPT.read_text(encoding="utf-8"))
    op.execute("REVOKE EXECUTE ON FUNCTION person_of_case FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION person_of_case TO shukun_worker, shukun_app")
    op.execute("ALTER FUNCTION person_of_case OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")
    op.execute(f"ALTER POLICY owing ON notice_due WITH CHECK ({SEEN} OR {OF_CASE_AT_DESK})")


def downgrade() -> None:
    op.execute(f"ALTER POLICY owing ON notice_due WITH CHECK ({SEEN})")
    op.execute("DROP FUNCTION person_of_case(bigint)")
