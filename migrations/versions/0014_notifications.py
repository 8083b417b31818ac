"""消息推送: messages that people are owed, each attempt to deliver one, and what WeChat allows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"

HEAD = "STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$"
# Residents alone have an inbox: staff are told by work items. Who was delegated something else sees
# no messages.
INBOX_PEOPLE = f"""
    CREATE FUNCTION inbox_people() RETURNS bigint[] LANGUAGE plpgsql {HEAD}
    BEGIN
        IF scope_resident() IS NULL THEN
            RETURN '{{}}';
        END IF;
        RETURN same_people(authority_over('receive'));
    END
    $$
"""
# For the metrics, which are asked for without a session. Counted to ten thousand.
UNSENT = f"""
    CREATE FUNCTION messages_unsent(moment timestamptz, morning timestamptz, quiet boolean)
    RETURNS TABLE (waiting bigint, oldest_seconds double precision, failed bigint)
    LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN QUERY
            SELECT
                (SELECT count(*) FROM (
                    SELECT FROM message AS m
                    WHERE m.state IN ('waiting', 'sending') AND m.due_at <= moment
                        AND (m.urgent OR NOT quiet) LIMIT 10000) AS w)
                + (SELECT count(*) FROM (
                    SELECT FROM notice_due AS n
                    WHERE n.taken_at IS NULL AND NOT quiet LIMIT 10000) AS w),
                coalesce(extract(epoch FROM moment - least(
                    (SELECT m.due_at FROM message AS m
                        WHERE m.state IN ('waiting', 'sending') AND m.urgent
                            AND m.due_at <= moment ORDER BY m.due_at LIMIT 1),
                    (SELECT greatest(m.due_at, morning) FROM message AS m
                        WHERE m.state IN ('waiting', 'sending') AND NOT m.urgent AND NOT quiet
                            AND m.due_at <= moment ORDER BY m.due_at LIMIT 1),
                    (SELECT greatest(n.owed_at, morning) FROM notice_due AS n
                        WHERE n.taken_at IS NULL AND NOT quiet ORDER BY n.id LIMIT 1)
                )), 0)::float8,
                (SELECT count(*) FROM message AS f
                    WHERE f.state = 'failed' AND f.final_at > moment - interval '1 day');
    END
    $$
"""
# Read by whom it is for, or whose word that person's word is: nobody need go and tell it. Somebody
# who merely may receive messages closes nothing: it may be the warning of their own delegation.
HEARD = f"""
    CREATE FUNCTION message_heard(which bigint, moment timestamptz) RETURNS void LANGUAGE plpgsql
    {HEAD.replace("STABLE", "VOLATILE")}
    DECLARE
        own bigint[] := authority_over('speak');
    BEGIN
        IF scope_resident() IS NULL THEN
            RETURN;
        END IF;
        UPDATE message AS m SET heard_at = coalesce(m.heard_at, moment)
            WHERE m.id = which AND person_now(m.person_id) = ANY (own);
        IF NOT FOUND THEN
            RETURN;
        END IF;
        WITH told AS (
            UPDATE work_item SET state = 'done', outcome = 'read', closed_by = session_label(),
                    closed_at = now(), version = version + 1
                WHERE kind = 'tell_person' AND subject_kind = 'message'
                    AND subject_id = which::text AND state <> 'done'
                RETURNING id, area
        )
        INSERT INTO audit_event (actor, action, subject_kind, subject_id, detail, role, area)
            SELECT session_label(), 'work_item.close', 'work_item', t.id::text,
                jsonb_build_object('kind', 'tell_person', 'outcome', 'read'), 'resident', t.area
            FROM told AS t;
    END
    $$
"""
FUNCTIONS = {
    "inbox_people()": INBOX_PEOPLE,
    "message_heard(bigint, timestamptz)": HEARD,
    "messages_unsent(timestamptz, timestamptz, boolean)": UNSENT,
}
OWN = "resident_id = (SELECT scope_resident())"
POLICIES = {
    "message": "person_id = ANY ((SELECT inbox_people())::bigint[])",
    "message_read": OWN,
    "subscription": OWN,
    "subscription_accept": OWN,
}
WORKERS_ALONE = ("message_attempt", "sms_outbox")
# An account reads for itself, and what it sees.
READING = f"{OWN} AND EXISTS (SELECT FROM message AS m WHERE m.id = message_read.message_id)"
# The site owes messages to those whom the session sees, and reads none that are owed.
OWING = "EXISTS (SELECT FROM person WHERE person.id = notice_due.person_id)"
GRANTS = (
    "INSERT (person_id, kind, cause, created_on) ON notice_due",
    "SELECT ON message",
    "SELECT, INSERT ON message_read",
    "SELECT, INSERT, UPDATE (accepts, refused_at) ON subscription",
    "SELECT, INSERT, UPDATE (paired_at) ON subscription_accept",
    "SELECT ON wechat_template",
    "USAGE ON SEQUENCE subscription_accept_id_seq",
)


def upgrade() -> None:
    _create_messages()
    _create_attempts()
    _create_subscriptions()
    _create_templates()
    _create_outbox()
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    for signature, body in FUNCTIONS.items():
        op.execute(body)
        op.execute(f"REVOKE EXECUTE ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"ALTER FUNCTION {signature} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")
    for function in FUNCTIONS:
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO shukun_app")
    for table in (*POLICIES, *WORKERS_ALONE, "notice_due"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table, seen in POLICIES.items():
        op.execute(f"CREATE POLICY own_rows ON {table} TO shukun_app USING ({seen})")
    op.execute(f"ALTER POLICY own_rows ON message_read WITH CHECK ({READING})")
    op.execute(f"CREATE POLICY owing ON notice_due FOR INSERT TO shukun_app WITH CHECK ({OWING})")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO shukun_app")


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create_messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("data", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        _moment("created_at"),
        _moment("due_at"),
        _moment("next_at"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unsure", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        _moment("final_at", nullable=True),
        _moment("heard_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'delivered', 'handed_on', 'failed')",
            name="ck_message_state_known",
        ),
        sa.CheckConstraint(
            "channel IN ('subscribe', 'sms', 'task')", name="ck_message_channel_known"
        ),
        sa.CheckConstraint(
            "(final_at IS NULL) = (state IN ('waiting', 'sending'))",
            name="ck_message_final_at_its_end",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("person_id", "event", "cause", name="uq_message_person_id_event_cause"),
    )
    op.create_index(
        "ix_message_next_at_waiting",
        "message",
        [sa.text("urgent DESC"), "next_at", "id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_message_due_at_unsent",
        "message",
        ["due_at"],
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.create_index(
        "ix_message_final_at_failed",
        "message",
        ["final_at"],
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index("ix_message_person_id_id", "message", ["person_id", "id"])
    op.create_table(
        "message_read",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("resident_id", sa.BigInteger(), nullable=False),
        _moment("at"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_message_read_message_id_message"
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name="fk_message_read_resident_id_resident"
        ),
        sa.PrimaryKeyConstraint("message_id", "resident_id", name="pk_message_read"),
    )


def _create_attempts() -> None:
    op.create_table(
        "message_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("resident_id", sa.BigInteger(), nullable=True),
        sa.Column("template_id", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="claimed", nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        _moment("claimed_at"),
        _moment("ended_at", nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('claimed', 'sent', 'refused', 'unknown', 'failed', 'skipped')",
            name="ck_message_attempt_state_known",
        ),
        sa.CheckConstraint(
            "channel IN ('subscribe', 'sms', 'task')", name="ck_message_attempt_channel_known"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_message_attempt_message_id_message"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message_attempt"),
    )
    op.create_index(
        "uq_message_attempt_resident_id_claimed",
        "message_attempt",
        ["resident_id"],
        unique=True,
        postgresql_where=sa.text("state = 'claimed' AND channel = 'subscribe'"),
    )
    op.create_index("ix_message_attempt_message_id", "message_attempt", ["message_id"])
    op.create_index("ix_message_attempt_resident_id_id", "message_attempt", ["resident_id", "id"])
    op.create_index(
        "ix_message_attempt_claimed_at_open",
        "message_attempt",
        ["claimed_at"],
        postgresql_where=sa.text("state = 'claimed'"),
    )


def _create_subscriptions() -> None:
    op.create_table(
        "subscription",
        sa.Column("resident_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("accepts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sends", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("refused_at", nullable=True),
        sa.CheckConstraint("sends >= 0", name="ck_subscription_sends_counted"),
        sa.CheckConstraint("accepts >= 0", name="ck_subscription_accepts_counted"),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name="fk_subscription_resident_id_resident"
        ),
        sa.PrimaryKeyConstraint("resident_id", "template_id", name="pk_subscription"),
    )
    op.create_table(
        "subscription_accept",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("resident_id", sa.BigInteger(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=True),
        _moment("at"),
        _moment("paired_at", nullable=True),
        sa.CheckConstraint(
            "source IN ('push', 'client')", name="ck_subscription_accept_source_known"
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name="fk_subscription_accept_resident_id_resident"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_subscription_accept"),
        sa.UniqueConstraint(
            "resident_id",
            "template_id",
            "call",
            name="uq_subscription_accept_resident_id_template_id_call",
        ),
    )


def _create_templates() -> None:
    op.create_table(
        "wechat_template",
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("slots", postgresql.JSONB(), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=False),
        sa.Column("long_term", sa.Boolean(), nullable=False),
        _moment("seen_at"),
        sa.PrimaryKeyConstraint("title", name="pk_wechat_template"),
    )


def _create_outbox() -> None:
    op.create_table(
        "sms_outbox",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sms_outbox"),
        sa.UniqueConstraint("reference", name="uq_sms_outbox_reference"),
    )


def downgrade() -> None:
    op.execute("REVOKE INSERT (person_id, kind, cause, created_on) ON notice_due FROM shukun_app")
    op.execute("DROP POLICY owing ON notice_due")
    op.execute("ALTER TABLE notice_due NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE notice_due DISABLE ROW LEVEL SECURITY")
    for table in POLICIES:
        op.execute(f"DROP POLICY own_rows ON {table}")
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
    for table in (
        "sms_outbox", "wechat_template", "subscription_accept", "subscription", "message_attempt",
        "message_read", "message",
    ):  # fmt: skip
        op.drop_table(table)
