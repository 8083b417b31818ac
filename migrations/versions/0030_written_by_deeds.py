"""谁写的: periods, names of deciders, claims and results, as the session's own deeds leave them."""

from alembic import op

revision = "0030"
down_revision = "0029"

# Whoever made a step of the case in this transaction turns its clocks; no other looks at them but
# to read. By the case's steps alone: an index, a few rows.
STEPPED = (
    "EXISTS (SELECT FROM application_step AS s"
    " WHERE s.application_id = application_clock.application_id AND s.at >= now()"
    " AND (s.staff_id = (SELECT scope_staff()) OR s.resident_id = (SELECT scope_resident())))"
)
SEEN = "EXISTS (SELECT FROM application AS a WHERE a.id = application_clock.application_id)"
CLAIMED = (
    "state = 'claimed' AND granted_version = 0 AND released_version = 0"
    " AND EXISTS (SELECT FROM application AS a WHERE a.id = bill_claim.application_id"
    " AND a.state IN ('draft', 'supplement')"
    " AND a.person_id = ANY ((SELECT same_people(authority_over('apply')))::bigint[])"
    " AND a.person_id = bill_claim.person_id)"
)
OWN_BILL = (
    " AND EXISTS (SELECT FROM bill AS b WHERE b.id = bill_claim.bill_id"
    " AND b.person_id = ANY (same_people(ARRAY[bill_claim.person_id])))"
)
# What the site says of who decided is not asked; of what stays as it was, the name stays too.
GRANT_BY_SESSION = """
    CREATE FUNCTION grant_by_session() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_user <> 'shukun_app' THEN
            RETURN NEW;
        END IF;
        IF TG_OP = 'INSERT' OR (NEW.amount, NEW.decided_by, NEW.decided_on)
            IS DISTINCT FROM (OLD.amount, OLD.decided_by, OLD.decided_on) THEN
            NEW.decided_by := (SELECT 'staff:' || a.staff_no FROM session_actor() AS a);
        END IF;
        IF NEW.noted_by <> '' AND (TG_OP = 'INSERT' OR (NEW.paid_on, NEW.paid_ref, NEW.noted_by)
            IS DISTINCT FROM (OLD.paid_on, OLD.paid_ref, OLD.noted_by)) THEN
            NEW.noted_by := (SELECT 'staff:' || a.staff_no FROM session_actor() AS a);
        END IF;
        RETURN NEW;
    END
    $$
"""
ADVANCE_BY_SESSION = """
    CREATE FUNCTION advance_by_session() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_user = 'shukun_app' AND NEW.noted_by <> '' THEN
            NEW.noted_by := (SELECT 'staff:' || a.staff_no FROM session_actor() AS a);
        END IF;
        RETURN NEW;
    END
    $$
"""
# Once, with one of the results that there are, while it is on the list.
REPORTED_BY_SESSION = """
    CREATE FUNCTION reported_by_session() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_user <> 'shukun_app' THEN
            RETURN NEW;
        END IF;
        IF OLD.ended_on IS NOT NULL OR OLD.result <> '' OR NEW.ended_on IS NULL
            OR NEW.ended_on < OLD.handed_on
            OR NEW.result NOT IN ('helped', 'not_helped', 'not_wanted') THEN
            RAISE EXCEPTION 'a result is reported once' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'handed_on_reported_once';
        END IF;
        NEW.reported_by := (SELECT 'staff:' || a.staff_no FROM session_actor() AS a);
        RETURN NEW;
    END
    $$
"""
TRIGGERS = (
    # name of trigger and function, when, table, what makes the function
    ("grant_by_session", "INSERT OR UPDATE", "application_grant", GRANT_BY_SESSION),
    ("advance_by_session", "INSERT OR UPDATE", "claim_assignment", ADVANCE_BY_SESSION),
    ("reported_by_session", "UPDATE", "handed_on", REPORTED_BY_SESSION),
)


def upgrade() -> None:
    op.execute(f"ALTER POLICY started ON application_clock WITH CHECK ({STEPPED})")
    op.execute(f"ALTER POLICY changed ON application_clock USING ({STEPPED})")
    op.execute(f"ALTER POLICY claimed ON bill_claim WITH CHECK ({CLAIMED}{OWN_BILL})")
    for name, when, table, function in TRIGGERS:
        op.execute(function)
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    for name, _, table, _ in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    op.execute(f"ALTER POLICY claimed ON bill_claim WITH CHECK ({CLAIMED})")
    op.execute(f"ALTER POLICY changed ON application_clock USING ({SEEN})")
    op.execute(f"ALTER POLICY started ON application_clock WITH CHECK ({SEEN})")
