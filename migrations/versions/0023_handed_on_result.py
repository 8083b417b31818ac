"""转办结果: what a charity reported of a case that was handed on."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

# A few rows, written since yesterday: their checks are made in a moment.
CHECKS = (
    ("ck_handed_on_reported_by_somebody", "(result = '') = (reported_by = '')"),
    ("ck_handed_on_over_with_a_result", "result = '' OR ended_on IS NOT NULL"),
)


def upgrade() -> None:
    for name in ("result", "reported_by"):
        op.add_column("handed_on", sa.Column(name, sa.Text(), server_default="", nullable=False))
    for name, rule in CHECKS:
        op.create_check_constraint(name, "handed_on", rule)
    op.execute("GRANT UPDATE (ended_on, result, reported_by) ON handed_on TO shukun_app")
    op.execute(
        "CREATE POLICY reported ON handed_on FOR UPDATE TO shukun_app USING (EXISTS ("
        "SELECT FROM application AS a WHERE a.id = handed_on.application_id"
        " AND a.area BETWEEN (SELECT scope_low()) AND (SELECT scope_high())"
        " AND (SELECT scope_role()) IN ('county_officer', 'city_officer')))"
    )


def downgrade() -> None:
    op.execute("DROP POLICY reported ON handed_on")
    op.execute("REVOKE UPDATE (ended_on, result, reported_by) ON handed_on FROM shukun_app")
    for name, _ in CHECKS:
        op.drop_constraint(name, "handed_on")
    for name in ("reported_by", "result"):
        op.drop_column("handed_on", name)
