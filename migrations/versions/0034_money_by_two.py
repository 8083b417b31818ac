"""金额与垫付: by two people who are no part of the case; what was granted or advanced stays."""

from alembic import op

revision = "0034"
down_revision = "0033"

# After `grant_by_session`, by name: who decided and who noted are those of the session.
GRANT_BY_TWO = """
    CREATE FUNCTION grant_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
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
        IF TG_OP = 'UPDATE' AND NEW.amount <> OLD.amount AND (SELECT a.state FROM application AS a
            WHERE a.id = NEW.application_id) IN ('helped', 'reviewed', 'noticed') IS NOT TRUE THEN
            RAISE EXCEPTION 'what was granted stays' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'application_grant_fixed';
        END IF;
        RETURN NEW;
    END
    $$
"""
ADVANCE_BY_OTHERS = """
    CREATE FUNCTION advance_by_others() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_user = 'shukun_app' AND NEW.advanced IS NOT NULL
            AND concerned_in(NEW.application_id, (SELECT scope_staff())) IS NOT FALSE THEN
            RAISE EXCEPTION 'another person is needed' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'claim_assignment_apart';
        END IF;
        RETURN NEW;
    END
    $$
"""
# Under the lock of the case: who withdraws at the same time comes before, or is refused.
ADVANCE_OF_GOING = """
    CREATE FUNCTION advance_of_going() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF NEW.advanced IS NOT NULL AND OLD.advanced IS NULL THEN
            PERFORM FROM application AS a WHERE a.id = NEW.application_id FOR UPDATE;
            IF NOT EXISTS (SELECT FROM application AS a WHERE a.id = NEW.application_id
                AND a.state IN ('submitted', 'accepted', 'supplement', 'helped', 'reviewed',
                    'noticed', 'granted')) THEN
                RAISE EXCEPTION 'the case is over' USING ERRCODE = 'check_violation',
                    CONSTRAINT = 'claim_assignment_going';
            END IF;
        END IF;
        RETURN NEW;
    END
    $$
"""
# 民法典 art. 546: a notified assignment is not taken back; neither is the bill that it is for.
ADVANCED_STAYS = """
    CREATE FUNCTION advanced_stays() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM claim_assignment AS a WHERE a.application_id = OLD.application_id
            AND a.bill_id = OLD.bill_id AND a.advanced IS NOT NULL) THEN
            RAISE EXCEPTION 'an advance stands for this' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'bill_claim_advanced';
        END IF;
        RETURN OLD;
    END
    $$
"""
WITHDRAWN_UNADVANCED = """
    CREATE FUNCTION withdrawn_unadvanced() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF NEW.deed = 'withdraw' AND EXISTS (SELECT FROM claim_assignment AS a
            WHERE a.application_id = NEW.application_id AND a.advanced IS NOT NULL) THEN
            RAISE EXCEPTION 'an advance stands for this' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'application_step_advanced';
        END IF;
        RETURN NEW;
    END
    $$
"""
TRIGGERS = (
    # name of trigger and function, when, table, what makes the function
    ("grant_by_two", "INSERT OR UPDATE", "application_grant", GRANT_BY_TWO),
    ("advance_by_others", "INSERT OR UPDATE", "claim_assignment", ADVANCE_BY_OTHERS),
    ("advance_of_going", "UPDATE", "claim_assignment", ADVANCE_OF_GOING),
    ("advanced_stays", "DELETE", "bill_claim", ADVANCED_STAYS),
    ("withdrawn_unadvanced", "INSERT", "application_step", WITHDRAWN_UNADVANCED),
)


def upgrade() -> None:
    for name, when, table, function in TRIGGERS:
        op.execute(function)
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    for name, _, table, _ in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
