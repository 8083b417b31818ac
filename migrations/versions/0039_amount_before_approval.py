"""金额: decided before the case is approved, and from then on it stays."""

from alembic import op

revision = "0039"
down_revision = "0038"

GRANT_BY_TWO = """
    CREATE OR REPLACE FUNCTION grant_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_user = 'shukun_app'
            AND concerned_in(NEW.application_id, (SELECT scope_staff())) IS NOT FALSE THEN
            RAISE EXCEPTION 'another person is needed' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'application_grant_apart';
        END IF;
        IF NEW.noted_by <> '' AND NEW.noted_by = NEW.decided_by THEN
            RAISE EXCEPTION 'who decided does not note the payment' USING
                ERRCODE = 'check_violation', CONSTRAINT = 'application_grant_two';
        END IF;
        IF TG_OP = 'UPDATE' AND OLD.paid_on IS NOT NULL AND current_user = 'shukun_app'
            AND (NEW.amount, NEW.paid_on, NEW.paid_ref, NEW.noted_by)
                IS DISTINCT FROM (OLD.amount, OLD.paid_on, OLD.paid_ref, OLD.noted_by) THEN
            RAISE EXCEPTION 'what was paid stays' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'application_grant_paid';
        END IF;
        {fixed}
            RAISE EXCEPTION 'what was granted stays' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'application_grant_fixed';
        END IF;
        RETURN NEW;
    END
    $$
"""
BEFORE_APPROVAL = """
        IF (TG_OP = 'INSERT' AND current_user = 'shukun_app'
                OR TG_OP = 'UPDATE' AND NEW.amount <> OLD.amount)
            AND (SELECT a.state FROM application AS a WHERE a.id = NEW.application_id)
                IN ('helped', 'reviewed') IS NOT TRUE THEN
"""
BEFORE_GRANT = """
        IF TG_OP = 'UPDATE' AND NEW.amount <> OLD.amount AND (SELECT a.state FROM application AS a
            WHERE a.id = NEW.application_id) IN ('helped', 'reviewed', 'noticed') IS NOT TRUE THEN
"""
APPROVED_WITH_AMOUNT = """
    CREATE FUNCTION approved_with_amount() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM application AS a WHERE a.id = NEW.application_id
                AND a.kind = 'temporary_relief')
            AND NOT EXISTS (SELECT FROM application_grant AS g
                WHERE g.application_id = NEW.application_id) THEN
            RAISE EXCEPTION 'no amount was decided' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'application_step_amount';
        END IF;
        RETURN NEW;
    END
    $$
"""


def upgrade() -> None:
    op.execute(GRANT_BY_TWO.format(fixed=BEFORE_APPROVAL.strip()))
    op.execute(APPROVED_WITH_AMOUNT)
    op.execute(
        "CREATE TRIGGER approved_with_amount BEFORE INSERT ON application_step FOR EACH ROW"
        " WHEN (NEW.deed = 'approve') EXECUTE FUNCTION approved_with_amount()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER approved_with_amount ON application_step")
    op.execute("DROP FUNCTION approved_with_amount()")
    op.execute(GRANT_BY_TWO.format(fixed=BEFORE_GRANT.strip()))
