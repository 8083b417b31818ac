"""公示: the lists that are up page by page, the newest in front."""

from alembic import op

revision = "0036"
down_revision = "0035"

OLD = "public_notices_up(bigint, bigint)"
NEW = "public_notices_up(bigint, bigint, bigint, integer)"
FUNCTION = """
    CREATE FUNCTION public_notices_up({asked})
    RETURNS TABLE (id bigint, area bigint, first_day date, last_day date, people bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        RETURN QUERY
            SELECT n.id, n.area, n.first_day, n.last_day, count(*)
            FROM public_notice AS n
            JOIN public_notice_entry AS e ON e.notice_id = n.id
            JOIN application AS a ON a.id = e.application_id AND a.state = 'noticed'
                AND e.seq = noticed_by(a.id)
            WHERE n.area BETWEEN low AND high
                AND (now() AT TIME ZONE 'Asia/Shanghai')::date BETWEEN n.first_day AND n.last_day
            {page};
    END
    $$
"""


def upgrade() -> None:
    _replace(
        OLD, NEW, "low bigint, high bigint, below bigint, most integer",
        "AND (below IS NULL OR n.id < below) GROUP BY n.id ORDER BY n.id DESC LIMIT most",
    )  # fmt: skip


def downgrade() -> None:
    _replace(
        NEW, OLD, "low bigint, high bigint",
        "GROUP BY n.id ORDER BY n.area, n.first_day, n.id LIMIT 200",
    )  # fmt: skip


def _replace(old: str, new: str, asked: str, page: str) -> None:
    # Owned by the role that sees every row; to own it that must be allowed to create, just now.
    op.execute(f"-- squawk-ignore ban-drop-function\nDROP FUNCTION {old}")
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    op.execute(FUNCTION.format(asked=asked, page=page))
    op.execute(f"REVOKE EXECUTE ON FUNCTION {new} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {new} TO shukun_worker, shukun_app")
    op.execute(f"ALTER FUNCTION {new} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")
