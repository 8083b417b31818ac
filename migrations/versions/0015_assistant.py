"""客服对话: conversations with customer service, and what was said in them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

NEVER = sa.text("'epoch'::timestamptz")
# Whose list the conversation was handed over to, as long as it lies there: other roles of the area
# see that there is an item, not what was said.
SEEN = """
    resident_id = (SELECT scope_resident()) OR EXISTS (
        SELECT FROM work_item AS w
        WHERE w.kind = 'chat_handover' AND w.subject_kind = 'chat'
            AND w.subject_id = conversation.id::text AND w.state <> 'done'
            AND w.role = (SELECT scope_role())
            AND w.list_area BETWEEN (SELECT duty_low()) AND (SELECT duty_high())
    )
"""
OF_CONVERSATION = "EXISTS (SELECT FROM conversation AS c WHERE c.id = utterance.conversation_id)"
# Also one from before there was an account: it is known by the WeChat user of the account.
ENDING = """
    CREATE FUNCTION end_conversations() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        UPDATE conversation SET ended_at = now(), resident_id = NEW.id, openid = '',
            openid_index = NULL, memory = '', messages_left = 0, open_until = 'epoch'
            WHERE ended_at IS NULL AND (resident_id = NEW.id OR openid_index IN (
                SELECT w.openid_index FROM wechat_user AS w WHERE w.resident_id = NEW.id));
        RETURN NULL;
    END
    $$
"""
# All that is open of a conversation, for whoever has some of it in the own list and has read it up
# to the person's last word. Whoever writes such a word down holds the conversation, so none comes
# in between; NULL: there is one that was not seen.
CLOSING = """
    CREATE FUNCTION close_handovers(chat bigint, seen bigint) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        closed bigint;
    BEGIN
        IF NOT EXISTS (
            SELECT FROM work_item AS w WHERE w.kind = 'chat_handover' AND w.subject_kind = 'chat'
                AND w.subject_id = chat::text AND w.state <> 'done' AND w.role = scope_role()
                AND w.list_area BETWEEN duty_low() AND duty_high()
        ) THEN
            RETURN 0;
        END IF;
        PERFORM FROM conversation AS c WHERE c.id = chat FOR NO KEY UPDATE;
        IF NOT EXISTS (SELECT FROM utterance AS u WHERE u.conversation_id = chat AND u.id = seen)
            OR EXISTS (SELECT FROM utterance AS u WHERE u.conversation_id = chat
                AND u.said_by = 'resident' AND u.id > seen)
        THEN
            RETURN NULL;
        END IF;
        WITH ended AS (
            UPDATE work_item AS w SET state = 'done', outcome = 'done',
                    closed_by = session_label(), closed_at = now(), version = w.version + 1
                WHERE w.kind = 'chat_handover' AND w.subject_kind = 'chat'
                    AND w.subject_id = chat::text AND w.state <> 'done'
                    AND w.period::bigint <= seen
                RETURNING w.id, w.area
        ), audited AS (
            INSERT INTO audit_event (actor, action, subject_kind, subject_id, detail, role, area)
                SELECT session_label(), 'work_item.close', 'work_item', e.id::text,
                    jsonb_build_object('kind', 'chat_handover', 'outcome', 'done'),
                    scope_role(), e.area
                FROM ended AS e
        )
        SELECT count(*) INTO closed FROM ended;
        RETURN closed;
    END
    $$
"""
REPLY = f"""
    said_by = 'staff' AND state IN ('due', 'waiting')
    AND staff_no = (SELECT actor.staff_no FROM session_actor() AS actor)
    AND {OF_CONVERSATION}
"""


def upgrade() -> None:
    _create_conversation()
    _create_utterance()
    for table in ("conversation", "utterance"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY seen ON conversation FOR SELECT TO shukun_app USING ({SEEN})")
    op.execute(
        f"CREATE POLICY seen ON utterance FOR SELECT TO shukun_app USING ({OF_CONVERSATION})"
    )
    op.execute(f"CREATE POLICY reply ON utterance FOR INSERT TO shukun_app WITH CHECK ({REPLY})")
    _end_with_the_account()
    # The site answers nobody by itself: the openid and the memory are the worker's.
    op.execute(
        "GRANT SELECT (id, resident_id, started_at, said_at, open_until, messages_left, ended_at)"
        " ON conversation TO shukun_app"
    )
    op.execute("GRANT SELECT, INSERT ON utterance TO shukun_app")


def _end_with_the_account() -> None:
    op.execute(ENDING)
    op.execute("REVOKE EXECUTE ON FUNCTION end_conversations() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER resident_closed_conversations AFTER UPDATE OF closed_at ON resident"
        " FOR EACH ROW WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL)"
        " EXECUTE FUNCTION end_conversations()"
    )
    # To own it the role must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    op.execute("ALTER FUNCTION end_conversations() OWNER TO shukun_worker")
    op.execute(CLOSING)
    closing = "FUNCTION close_handovers(bigint, bigint)"
    op.execute(f"REVOKE EXECUTE ON {closing} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON {closing} TO shukun_app, shukun_worker")
    op.execute(f"ALTER {closing} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")


def _at(name: str, default: sa.TextClause) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=False)


def _create_conversation() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("openid", sa.LargeBinary(), nullable=False),
        sa.Column("openid_index", sa.LargeBinary(), nullable=True),
        sa.Column("resident_id", sa.BigInteger(), nullable=True),
        sa.Column("memory", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False),
        _at("started_at", sa.text("now()")),
        _at("said_at", NEVER),
        _at("opened_at", NEVER),
        _at("open_until", NEVER),
        sa.Column("messages_left", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("messages_left >= 0", name="ck_conversation_never_below_zero"),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (openid_index IS NOT NULL)",
            name="ck_conversation_ended_knows_nobody",
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name="fk_conversation_resident_id_resident"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
        sa.UniqueConstraint("openid_index", name="uq_conversation_openid_index"),
    )
    op.create_index("ix_conversation_resident_id", "conversation", ["resident_id"])


def _create_utterance() -> None:
    op.create_table(
        "utterance",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.LargeBinary(), nullable=True),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("intent", sa.Text(), server_default="", nullable=False),
        _at("at", sa.text("now()")),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "said_by IN ('resident', 'assistant', 'staff')", name="ck_utterance_said_by_known"
        ),
        sa.CheckConstraint(
            "(said_by = 'staff') = (staff_no IS NOT NULL)", name="ck_utterance_staff_named"
        ),
        sa.CheckConstraint("kind IN ('text', 'card', 'other')", name="ck_utterance_kind_known"),
        sa.CheckConstraint(
            "CASE said_by WHEN 'resident' THEN state IN ('heard', 'answered')"
            " ELSE state IN ('due', 'sending', 'sent', 'waiting', 'unknown', 'refused') END",
            name="ck_utterance_state_known",
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name="fk_utterance_conversation_id_conversation",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_utterance"),
        sa.UniqueConstraint("cause", name="uq_utterance_cause"),
    )
    op.create_index("ix_utterance_conversation_id_id", "utterance", ["conversation_id", "id"])
    op.create_index(
        "ix_utterance_conversation_id_unsent",
        "utterance",
        ["conversation_id"],
        postgresql_where=sa.text("state IN ('due', 'sending', 'waiting')"),
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER resident_closed_conversations ON resident")
    op.execute("DROP FUNCTION end_conversations()")
    op.execute("DROP FUNCTION close_handovers(bigint, bigint)")
    op.drop_table("utterance")
    op.drop_table("conversation")
