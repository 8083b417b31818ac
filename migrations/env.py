"""Runs the numbered scripts in one transaction, on the connection it is given or as SQL text."""

from alembic import context

# Any number will do, as long as it is only used here.
ONE_AT_A_TIME = 7_205_201

WAIT_FOR_OTHERS = (
    "SET LOCAL lock_timeout = '120s'",
    f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})",
)
LIMITS = ("SET LOCAL lock_timeout = '5s'", "SET LOCAL statement_timeout = '60s'")

connection = context.config.attributes.get("connection")
online = connection is not None
context.configure(
    connection=connection,
    dialect_name=None if online else "postgresql",
    # As text, a percent sign is a percent sign.
    dialect_opts={} if online else {"paramstyle": "named"},
    literal_binds=not online,
    transactional_ddl=True,
)
with context.begin_transaction():
    for statement in (*WAIT_FOR_OTHERS, *LIMITS) if online else LIMITS:
        context.execute(statement)
    context.run_migrations()
