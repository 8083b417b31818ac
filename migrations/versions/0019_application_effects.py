"""在线申请的结果: what a granted application brings, and what takes it back."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

OF_CASE = "EXISTS (SELECT FROM application AS a WHERE a.id = {}.application_id{})"
MAY_APPLY = " AND a.person_id = ANY ((SELECT same_people(authority_over('apply')))::bigint[])"
OPEN = " AND a.state IN ('draft', 'supplement')" + MAY_APPLY
AT_COUNTY = (
    " AND a.state <> 'draft' AND a.area BETWEEN (SELECT scope_low()) AND (SELECT scope_high())"
    " AND (SELECT scope_role()) IN ('county_officer', 'city_officer')"
)
TABLES = (
    "bill_claim", "application_effect", "application_match", "application_grant", "registration",
    "handed_on", "promise_barred", "claim_assignment",
)  # fmt: skip
POLICIES = (
    (
        "claimed ON bill_claim FOR INSERT",
        "WITH CHECK (state = 'claimed' AND granted_version = 0 AND released_version = 0 AND "
        + OF_CASE.format("bill_claim", OPEN + " AND a.person_id = bill_claim.person_id")
        + ")",
    ),
    (
        "chosen_anew ON bill_claim FOR DELETE",
        f"USING (state = 'claimed' AND {OF_CASE.format('bill_claim', OPEN)})",
    ),
    (
        "recorded ON application_grant FOR INSERT",
        f"WITH CHECK ({OF_CASE.format('application_grant', AT_COUNTY)})",
    ),
    (
        "noted ON application_grant FOR UPDATE",
        f"USING ({OF_CASE.format('application_grant', AT_COUNTY)})",
    ),
    (
        "assigned ON claim_assignment FOR INSERT",
        f"WITH CHECK ({OF_CASE.format('claim_assignment', OPEN)})",
    ),
)
GRANTS = (
    *(f"SELECT ON {table}" for table in TABLES),
    "INSERT, DELETE ON bill_claim",
    "INSERT ON application_grant, claim_assignment",
    "UPDATE (amount, decided_by, decided_on, paid_on, paid_ref, noted_by) ON application_grant",
)
# A case that ends without a grant lets its bills go; an appeal takes them again, if they are free.
CLAIMS_FOLLOW = """
    CREATE FUNCTION claims_follow() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF NEW.state IN ('withdrawn', 'refused', 'revoked') THEN
            UPDATE bill_claim SET state = 'released'
                WHERE application_id = NEW.id AND state = 'claimed';
        ELSIF NEW.state = 'appealed' THEN
            INSERT INTO bill_claim (application_id, bill_id, layer, person_id)
                SELECT DISTINCT c.application_id, c.bill_id, c.layer, c.person_id
                FROM bill_claim AS c WHERE c.application_id = NEW.id AND NOT EXISTS (
                    SELECT FROM bill_claim AS own WHERE own.application_id = NEW.id
                        AND (own.bill_id, own.layer) = (c.bill_id, c.layer)
                        AND own.state <> 'released');
        END IF;
        IF NEW.state = 'closed' AND OLD.state = 'appealed' THEN
            UPDATE bill_claim SET state = 'released'
                WHERE application_id = NEW.id AND state = 'claimed';
        END IF;
        RETURN NULL;
    END
    $$
"""
LAYERS = (
    "basic", "serious_illness", "medical_assistance", "rare_drug_assistance", "tilt_assistance",
    "commercial", "mutual_aid", "charity", "special_assistance", "high_cost_relief",
)  # fmt: skip
# The number of a layer, given at first use: the site gives none.
NUMBER_OF_LAYER = """
    CREATE FUNCTION number_of_layer(wanted text) RETURNS smallint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF wanted = ANY (string_to_array('{layers}', ',')) THEN
            INSERT INTO code_number (kind, code, number)
                SELECT 'layer', wanted, coalesce(max(number), 0) + 1
                FROM code_number WHERE kind = 'layer'
                HAVING NOT bool_or(code = wanted) IS TRUE
                ON CONFLICT DO NOTHING;
        END IF;
        RETURN (SELECT number FROM code_number WHERE kind = 'layer' AND code = wanted);
    END
    $$
"""
DAYS_APART = (
    "ALTER TABLE identity ADD CONSTRAINT ex_identity_days_apart EXCLUDE USING gist"
    " (person_id WITH =, category WITH =, department WITH =,{}"
    " (daterange(from_on, to_on, '[]')) WITH &&)"
)


def _id(name: str, *, optional: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=optional)


def _serial() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _text(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _day(name: str, *, optional: bool = False) -> sa.Column:
    return sa.Column(name, sa.Date(), nullable=optional)


def _version(name: str) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _sealed(name: str) -> sa.Column:
    return sa.Column(name, sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


# Each is made anew at once, wider by the application: nobody has relied on it in between.
WIDENED = "-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} DROP CONSTRAINT {name}"
# History is written by the program alone, which always says it.
GIVEN = (
    "-- squawk-ignore ban-drop-default\n"
    "ALTER TABLE identity_history ALTER COLUMN application_id DROP DEFAULT"
)


def upgrade() -> None:
    _keep_recognitions_apart()
    _create_claims()
    _create_effects()
    _create_of_money()
    _create_of_people()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        seen = OF_CASE.format(table, "")
        op.execute(f"CREATE POLICY seen ON {table} FOR SELECT TO shukun_app USING ({seen})")
    for name, statement in POLICIES:
        op.execute(f"CREATE POLICY {name} TO shukun_app {statement}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO shukun_app")


def _keep_recognitions_apart() -> None:
    """Beside what rosters and runs wrote: they change and end their own rows alone."""
    for table in ("identity", "identity_history"):
        default = sa.text("0")
        op.add_column(
            table,
            sa.Column("application_id", sa.BigInteger(), nullable=False, server_default=default),
        )
    op.execute(GIVEN)
    op.execute(
        WIDENED.format(table="identity", name="uq_identity_person_id_category_department_from_on")
    )
    op.create_unique_constraint(
        "uq_identity_person_category_department_application_from", "identity",
        ["person_id", "category", "department", "application_id", "from_on"],
    )  # fmt: skip
    op.execute(WIDENED.format(table="identity", name="ex_identity_days_apart"))
    op.execute(DAYS_APART.format(" application_id WITH =,"))
    op.add_column("entitlement", _version("application_id"))
    op.execute(WIDENED.format(table="entitlement", name="pk_entitlement"))
    op.create_primary_key(
        "pk_entitlement", "entitlement",
        ["person_id", "year", "policy", "code", "from_on", "ended_by_run", "application_id"],
    )  # fmt: skip


def _create_claims() -> None:
    op.create_table(
        "bill_claim",
        _serial(), _id("application_id"), _id("bill_id"),
        sa.Column("layer", sa.SmallInteger(), nullable=False), _id("person_id"),
        _text("state", "claimed"), _version("granted_version"), _version("released_version"),
        sa.PrimaryKeyConstraint("id", name="pk_bill_claim"),
        _refers("bill_claim", "application_id", "application"),
        _refers("bill_claim", "person_id", "person"),
        sa.CheckConstraint(
            "state IN ('claimed', 'granted', 'released')", name="ck_bill_claim_state_known"
        ),
        sa.CheckConstraint(
            "state <> 'granted' OR granted_version > 0", name="ck_bill_claim_granted_at"
        ),
    )  # fmt: skip
    op.create_index(
        "uq_bill_claim_live", "bill_claim", ["bill_id", "layer"],
        unique=True, postgresql_where=sa.text("state IN ('claimed', 'granted')"),
    )  # fmt: skip
    for column in ("application_id", "person_id"):
        op.create_index(f"ix_bill_claim_{column}", "bill_claim", [column])
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    op.execute(CLAIMS_FOLLOW)
    op.execute(NUMBER_OF_LAYER.format(layers=",".join(LAYERS)))
    for function in ("claims_follow", "number_of_layer"):
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"ALTER FUNCTION {function} OWNER TO shukun_worker")
    op.execute("GRANT EXECUTE ON FUNCTION number_of_layer TO shukun_app")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")
    op.execute(
        "CREATE TRIGGER claims_follow AFTER UPDATE OF state ON application FOR EACH ROW"
        " WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION claims_follow()"
    )
    # What a claim pays, the next run of the person finds.
    op.execute(
        "CREATE TRIGGER touch_owner_after_update AFTER UPDATE ON bill_claim"
        " REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION touch_owner()"
    )


def _create_effects() -> None:
    op.create_table(
        "application_effect",
        _serial(),
        _id("application_id"),
        _text("brings"),
        _day("brought_on"),
        _day("ended_on", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_application_effect"),
        _refers("application_effect", "application_id", "application"),
    )
    op.create_index(
        "uq_application_effect_standing", "application_effect", ["application_id"],
        unique=True, postgresql_where=sa.text("ended_on IS NULL"),
    )  # fmt: skip
    op.create_table(
        "application_match",
        _serial(), _id("application_id"),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        _day("asked_on"), _id("run_id", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_application_match"),
        _refers("application_match", "application_id", "application"),
        _refers("application_match", "run_id", "match_run"),
    )  # fmt: skip
    op.create_index("ix_application_match_application_id", "application_match", ["application_id"])
    op.create_index(
        "ix_application_match_waiting", "application_match", ["area", "year"],
        postgresql_where=sa.text("run_id IS NULL"),
    )  # fmt: skip


def _create_of_money() -> None:
    op.create_table(
        "application_grant",
        _id("application_id"), sa.Column("amount", sa.BigInteger(), nullable=False),
        _text("decided_by"), _day("decided_on"), _day("paid_on", optional=True),
        _text("paid_ref", ""), _text("noted_by", ""),
        sa.PrimaryKeyConstraint("application_id", name="pk_application_grant"),
        _refers("application_grant", "application_id", "application"),
        sa.CheckConstraint("amount > 0", name="ck_application_grant_amount_positive"),
        sa.CheckConstraint(
            "(paid_on IS NULL) = (noted_by = '')", name="ck_application_grant_noted_by_somebody"
        ),
    )  # fmt: skip
    op.create_table(
        "claim_assignment",
        _id("application_id"), _id("hospital_id"),
        sa.Column("cap", sa.BigInteger(), nullable=False), _id("letter_id"), _day("made_on"),
        sa.PrimaryKeyConstraint("application_id", name="pk_claim_assignment"),
        _refers("claim_assignment", "application_id", "application"),
        _refers("claim_assignment", "hospital_id", "hospital"),
        _refers("claim_assignment", "letter_id", "letter"),
        sa.CheckConstraint("cap > 0", name="ck_claim_assignment_cap_positive"),
    )  # fmt: skip


def _create_of_people() -> None:
    op.create_table(
        "registration",
        _id("id"), _id("application_id"), _id("person_id"), _id("area"), _text("kind"),
        _day("from_on"),
        sa.Column("to_on", sa.Date(), server_default=sa.text("'infinity'::date"), nullable=False),
        _sealed("hospital"), _sealed("place"), _day("ended_on", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_registration"),
        _refers("registration", "application_id", "application"),
        _refers("registration", "person_id", "person"),
        sa.CheckConstraint("to_on >= from_on", name="ck_registration_days_in_order"),
    )  # fmt: skip
    op.create_table(
        "handed_on",
        _id("application_id"), _id("person_id"), _id("area"), _text("department"),
        _day("handed_on"), _day("ended_on", optional=True),
        sa.PrimaryKeyConstraint("application_id", name="pk_handed_on"),
        _refers("handed_on", "application_id", "application"),
        _refers("handed_on", "person_id", "person"),
    )  # fmt: skip
    op.create_table(
        "promise_barred",
        _id("application_id"), _id("person_id"), _day("from_on"), _day("until_on"),
        sa.PrimaryKeyConstraint("application_id", name="pk_promise_barred"),
        _refers("promise_barred", "application_id", "application"),
        _refers("promise_barred", "person_id", "person"),
        sa.CheckConstraint("until_on >= from_on", name="ck_promise_barred_days_in_order"),
    )  # fmt: skip
    for table in ("registration", "promise_barred"):
        op.create_index(f"ix_{table}_person_id", table, ["person_id"])
    op.create_index("ix_registration_application_id", "registration", ["application_id"])


def downgrade() -> None:
    op.execute("DROP TRIGGER claims_follow ON application")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION claims_follow()")
    op.execute("DROP FUNCTION number_of_layer(text)")
    # What was made here is no roster's: it goes, and the keys are as they were.
    op.execute("DELETE FROM entitlement WHERE application_id > 0")
    op.execute("DELETE FROM identity WHERE application_id > 0")
    op.drop_constraint("pk_entitlement", "entitlement")
    op.create_primary_key(
        "pk_entitlement", "entitlement",
        ["person_id", "year", "policy", "code", "from_on", "ended_by_run"],
    )  # fmt: skip
    op.drop_constraint("ex_identity_days_apart", "identity")
    op.drop_constraint("uq_identity_person_category_department_application_from", "identity")
    for table in ("entitlement", "identity_history", "identity"):
        op.drop_column(table, "application_id")
    op.execute(DAYS_APART.format(""))
    op.create_unique_constraint(
        "uq_identity_person_id_category_department_from_on", "identity",
        ["person_id", "category", "department", "from_on"],
    )  # fmt: skip
