"""A trigger function that forbids changing or deleting rows, for tables that are records."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are a record: % is forbidden', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'restrict_violation';
        END
        $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION forbid_change()")
