"""查询码: which period runs, and not what kind of application it is."""

from alembic import op

revision = "0035"
down_revision = "0034"

NAME = "case_by_code(bytea[])"
FUNCTION = """
    CREATE FUNCTION case_by_code(indexes bytea[]) RETURNS TABLE ({returns})
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        RETURN QUERY
            SELECT {columns}
            FROM application AS a
            LEFT JOIN application_step AS last
                ON last.application_id = a.id AND last.seq = a.seq
            LEFT JOIN LATERAL (SELECT c.clock, c.provisional, c.due_on FROM application_clock AS c
                WHERE c.application_id = a.id AND c.ended_on IS NULL AND c.stopped_on IS NULL
                ORDER BY c.due_on, c.id LIMIT 1) AS running ON true
            WHERE a.code_index = ANY (indexes) AND a.code_index <> '' AND a.state <> 'draft';
    END
    $$
"""
SINCE = "(coalesce(last.at, a.begun_at) AT TIME ZONE 'Asia/Shanghai')::date"


def upgrade() -> None:
    _replace(
        "state text, deed text, since date, clock text, provisional boolean, due_on date",
        f"a.state, coalesce(last.deed, ''), {SINCE}, running.clock, running.provisional,"
        " running.due_on",
    )


def downgrade() -> None:
    _replace(
        "kind text, state text, since date, provisional boolean, due_on date",
        f"a.kind, a.state, {SINCE}, running.provisional, running.due_on",
    )


def _replace(returns: str, columns: str) -> None:
    # Owned by the role that sees every row; to own it that must be allowed to create, just now.
    op.execute(f"-- squawk-ignore ban-drop-function\nDROP FUNCTION {NAME}")
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    op.execute(FUNCTION.format(returns=returns, columns=columns))
    op.execute(f"REVOKE EXECUTE ON FUNCTION {NAME} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {NAME} TO shukun_worker, shukun_app")
    op.execute(f"ALTER FUNCTION {NAME} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")
