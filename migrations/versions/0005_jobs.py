"""The queue: the tables of Procrastinate 3.10 and the record of what was done in which period.

The text in `migrations/sql/` is the library's own, copied: this migration stays the same when the
library changes, and a later version's changes are a later migration.
"""

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SCHEMA = Path(__file__).parents[1] / "sql" / "procrastinate_3.10.sql"

TABLES = (
    "procrastinate_events",
    "procrastinate_periodic_defers",
    "procrastinate_jobs",
    "procrastinate_workers",
)
FUNCTIONS = (
    "procrastinate_defer_jobs_v1",
    "procrastinate_defer_periodic_job_v2",
    "procrastinate_fetch_job_v2",
    "procrastinate_finish_job_v1",
    "procrastinate_cancel_job_v1",
    "procrastinate_retry_job_v1",
    "procrastinate_retry_job_v2",
    "procrastinate_register_worker_v1",
    "procrastinate_unregister_worker_v1",
    "procrastinate_update_heartbeat_v1",
    "procrastinate_prune_stalled_workers_v1",
)
TRIGGER_FUNCTIONS = (
    "procrastinate_notify_queue_job_inserted_v1",
    "procrastinate_notify_queue_abort_job_v1",
    "procrastinate_trigger_function_status_events_insert_v1",
    "procrastinate_trigger_function_status_events_update_v1",
    "procrastinate_trigger_function_scheduled_events_v1",
    "procrastinate_trigger_abort_requested_events_procedure_v1",
    "procrastinate_unlink_periodic_defers_v1",
    "free_queueing_lock",
)
TYPES = (
    "procrastinate_job_to_defer_v1",
    "procrastinate_job_event_type",
    "procrastinate_job_status",
)


def upgrade() -> None:
    for statement in _statements(SCHEMA.read_text(encoding="utf-8")):
        op.execute(statement)
    _free_the_key_of_returning_jobs()
    op.create_table(
        "periodic_done",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column(
            "done_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("job", "period", name="pk_periodic_done"),
    )
    # The application hands work over and tells how much waits; workers do the rest.
    op.execute("GRANT SELECT, INSERT ON procrastinate_jobs, procrastinate_events TO shukun_app")
    op.execute(
        "GRANT USAGE ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq"
        " TO shukun_app"
    )


def _free_the_key_of_returning_jobs() -> None:
    """A job that goes back to wait must not collide with an equal one that waits already."""
    op.execute(
        """
        CREATE FUNCTION free_queueing_lock() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.queueing_lock := NULL;
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER job_returns BEFORE UPDATE OF status ON procrastinate_jobs
            FOR EACH ROW WHEN (OLD.status <> 'todo' AND NEW.status = 'todo')
            EXECUTE FUNCTION free_queueing_lock()
        """
    )


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one after another; bodies between `$$` stay whole."""
    lines: list[str] = []
    in_body = False
    for line in script.splitlines():
        lines.append(line)
        in_body ^= line.count("$$") % 2 == 1
        if line.endswith(";") and not in_body:
            yield "\n".join(lines)
            lines = []


def downgrade() -> None:
    op.drop_table("periodic_done")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    for table in TABLES:
        op.drop_table(table)
    for function in TRIGGER_FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    for kind in TYPES:
        op.execute(f"DROP TYPE {kind}")
