"""微信: the access token that all processes share, and the pushes received, each once."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    _create_token()
    _create_push()
    # Both roles call WeChat.
    op.execute("GRANT SELECT, INSERT, UPDATE ON wechat_token TO shukun_app")
    op.execute("GRANT USAGE ON SEQUENCE wechat_token_id_seq TO shukun_app")
    # The site takes pushes in and reads nothing of them but that it knows them.
    op.execute("GRANT INSERT, SELECT (dedupe_key) ON wechat_push TO shukun_app")
    op.execute("GRANT USAGE ON SEQUENCE wechat_push_id TO shukun_app")
    op.execute("ALTER TABLE wechat_push ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE wechat_push FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY taken_in ON wechat_push FOR INSERT TO shukun_app WITH CHECK (true)")
    op.execute("CREATE POLICY known ON wechat_push FOR SELECT TO shukun_app USING (true)")


def _create_token() -> None:
    op.create_table(
        "wechat_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("'-infinity'::timestamptz"),
            nullable=False,
        ),
        sa.Column("refreshing_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_wechat_token"),
        sa.UniqueConstraint("appid", name="uq_wechat_token_appid"),
    )


def _create_push() -> None:
    op.execute("CREATE SEQUENCE wechat_push_id")
    op.create_table(
        "wechat_push",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dedupe_key", sa.LargeBinary(), nullable=False),
        sa.Column("stamp", sa.LargeBinary(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.CheckConstraint("state IN ('new', 'done', 'failed')", name="ck_wechat_push_state_known"),
        sa.PrimaryKeyConstraint("id", name="pk_wechat_push"),
        sa.UniqueConstraint("dedupe_key", name="uq_wechat_push_dedupe_key"),
        sa.UniqueConstraint("stamp", name="uq_wechat_push_stamp"),
    )
    op.create_index(
        "ix_wechat_push_received_at_open",
        "wechat_push",
        ["received_at"],
        postgresql_where=sa.text("state <> 'done'"),
    )


def downgrade() -> None:
    op.drop_table("wechat_push")
    op.execute("DROP SEQUENCE wechat_push_id")
    op.drop_table("wechat_token")
