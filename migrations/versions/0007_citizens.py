"""参保人: people, households, identities, bills, with what was known of them before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

TOUCHED = """
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('shukun.resealing', true) = 'on' THEN
            RETURN NULL; -- other keys, the same data
        END IF;
        INSERT INTO person_version (person_id, data_version, changed_in)
            SELECT person_id, nextval_once, this FROM ({people}) AS people
                CROSS JOIN (SELECT nextval('data_version') AS nextval_once,
                    pg_current_xact_id()::text::bigint AS this OFFSET 0) AS version
                ORDER BY person_id
            ON CONFLICT (person_id) DO UPDATE
                SET data_version = excluded.data_version, changed_in = excluded.changed_in;
        RETURN NULL;
    END
    $$
"""
MOVED = """
    CREATE FUNCTION note_moved_bills() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO bill_moved (bill_id)
            SELECT DISTINCT now.id FROM touched AS now
                JOIN bill_history AS before USING (bill_no)
                WHERE before.id = now.id AND before.person_id <> now.person_id
            ON CONFLICT DO NOTHING;
        RETURN NULL;
    END
    $$
"""
PEOPLE = {
    "touch_person": "SELECT id AS person_id FROM touched",
    "touch_owner": "SELECT DISTINCT person_id FROM touched",
    "touch_household": (
        "SELECT DISTINCT person.id AS person_id FROM touched JOIN person USING (household_id)"
    ),
}
TRIGGERS = {
    "person": "touch_person",
    "identity": "touch_owner",
    "bill": "touch_owner",
    "vital_event": "touch_owner",
    "household_income": "touch_household",
}
LAYERS = (
    "basic", "serious_illness", "medical_assistance", "rare_drug_assistance", "tilt_assistance",
    "commercial", "mutual_aid", "charity", "special_assistance", "high_cost_relief",
)  # fmt: skip
DEEDS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
PROTECTED = ("person", "identity", "bill", "assignment", "vital_event")
PERSON_NOW = """
    CREATE FUNCTION person_now(person bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
    DECLARE
        into_whom bigint;
    BEGIN
        FOR hops IN 1..16 LOOP
            SELECT m.person_id INTO into_whom FROM person_merge m
                WHERE m.merged_id = person AND m.undone_at IS NULL;
            EXIT WHEN into_whom IS NULL;
            person := into_whom;
        END LOOP;
        RETURN person;
    END
    $$
"""
HISTORIES = (
    "assignment_history", "bill_history", "hospital_history", "household_income_history",
    "identity_history", "vital_event_history",
)  # fmt: skip
RESEALED = {
    "person_history": "'data_key', 'phone_index'",
    "person_number_history": "'number_index'",
}
# The arguments are the columns that other keys change.
ONLY_RESEALED = """
    CREATE FUNCTION forbid_all_but_resealing() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('shukun.resealing', true) = 'on'
                AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'rows of % are a record: % is forbidden', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END
    $$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute("CREATE SEQUENCE row_id")
    op.execute("CREATE SEQUENCE data_version")
    _create_tables()
    for name, people in PEOPLE.items():
        op.execute(TOUCHED.format(name=name, people=people))
    for table, function in TRIGGERS.items():
        for deed, rows in DEEDS.items():
            op.execute(
                f"CREATE TRIGGER {function}_after_{deed.lower()} AFTER {deed} ON {table}"
                f" REFERENCING {rows} TABLE AS touched"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
    op.execute(MOVED)
    op.execute(PERSON_NOW)
    _keep_histories()
    for deed in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER note_moved_after_{deed.lower()} AFTER {deed} ON bill"
            " REFERENCING NEW TABLE AS touched"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_moved_bills()"
        )
    for table in PROTECTED:
        person = "id" if table == "person" else "person_id"
        op.execute(f"SELECT protect_area('{table}', '{person}')")
        op.execute(f"GRANT SELECT ON {table} TO shukun_app")
    op.execute("GRANT SELECT ON code_number, hospital, area_unit TO shukun_app")
    # Bills and versions come and go by the hundred thousand.
    op.execute("ALTER TABLE person_version SET (fillfactor = 70)")
    op.execute("ALTER TABLE bill SET (fillfactor = 95)")  # a correction finds room on its page


def _keep_histories() -> None:
    for table in HISTORIES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
        )
    op.execute(ONLY_RESEALED)
    for table, columns in RESEALED.items():
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_resealed BEFORE UPDATE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION forbid_all_but_resealing({columns})"
        )


def _create_tables() -> None:
    op.create_table(
        "bill_moved",
        sa.Column("bill_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("bill_id", name="pk_bill_moved"),
    )
    op.create_table(
        "area_unit",
        sa.Column("code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_area_unit"),
    )
    op.create_table(
        "assignment_history",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_assignment_history_file_id", "assignment_history", ["file_id"], unique=False
    )
    op.create_index(
        "ix_assignment_history_person_id", "assignment_history", ["person_id"], unique=False
    )
    op.create_table(
        "bill_history",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("bill_no", sa.Text(collation="C"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("hospital_id", sa.BigInteger(), nullable=False),
        sa.Column("setting", sa.SmallInteger(), nullable=False),
        sa.Column("admitted_on", sa.Date(), nullable=False),
        sa.Column("discharged_on", sa.Date(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("in_scope", sa.BigInteger(), nullable=False),
        sa.Column("rare_drug", sa.BigInteger(), nullable=False),
        sa.Column("paid_out_of_scope", sa.BigInteger(), nullable=False),
        sa.Column("paid_basic", sa.BigInteger(), nullable=False),
        sa.Column("paid_serious_illness", sa.BigInteger(), nullable=False),
        sa.Column("paid_medical_assistance", sa.BigInteger(), nullable=False),
        sa.Column("paid_rare_drug_assistance", sa.BigInteger(), nullable=False),
        sa.Column("paid_tilt_assistance", sa.BigInteger(), nullable=False),
        sa.Column("paid_commercial", sa.BigInteger(), nullable=False),
        sa.Column("paid_mutual_aid", sa.BigInteger(), nullable=False),
        sa.Column("paid_charity", sa.BigInteger(), nullable=False),
        sa.Column("paid_special_assistance", sa.BigInteger(), nullable=False),
        sa.Column("paid_high_cost_relief", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("disease_group", sa.SmallInteger(), nullable=False),
        sa.Column("disease_classes", sa.Integer(), nullable=False),
        sa.Column("diagnosis", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_bill_history_bill_no", "bill_history", ["bill_no"], unique=False)
    op.create_index("ix_bill_history_file_id", "bill_history", ["file_id"], unique=False)
    op.create_index("ix_bill_history_person_id", "bill_history", ["person_id"], unique=False)
    op.create_table(
        "code_number",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "code", name="pk_code_number"),
        sa.UniqueConstraint("kind", "number", name="uq_code_number_kind_number"),
    )
    op.create_table(
        "data_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("mapping_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("next_row", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("added", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("changed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("money", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("complete_on", sa.Date(), nullable=True),
        sa.Column("origin_area", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "notes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('loading', 'loaded', 'undone')", name="ck_data_file_state_known"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_data_file"),
    )
    op.create_index(
        "uq_data_file_kind_sha256_mapping_sha256",
        "data_file",
        ["kind", "sha256", "mapping_sha256"],
        unique=True,
        postgresql_where=sa.text("state <> 'undone'"),
    )
    op.create_table(
        "hospital",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("designated", sa.Boolean(), nullable=False),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hospital"),
        sa.UniqueConstraint("code", name="uq_hospital_code"),
    )
    op.create_table(
        "hospital_history",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("designated", sa.Boolean(), nullable=False),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_hospital_history_file_id", "hospital_history", ["file_id"], unique=False)
    op.create_index("ix_hospital_history_id", "hospital_history", ["id"], unique=False)
    op.create_table(
        "household",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_household"),
        sa.UniqueConstraint("number_index", name="uq_household_number_index"),
    )
    op.create_table(
        "household_income_history",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("disposable_income", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_household_income_history_file_id", "household_income_history", ["file_id"], unique=False
    )
    op.create_index(
        "ix_household_income_history_id", "household_income_history", ["id"], unique=False
    )
    op.create_table(
        "identity_history",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.SmallInteger(), nullable=False),
        sa.Column("department", sa.SmallInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("taper_until", sa.Date(), nullable=False),
        sa.Column("origin_area", sa.Integer(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_identity_history_file_id", "identity_history", ["file_id"], unique=False)
    op.create_index(
        "ix_identity_history_person_id", "identity_history", ["person_id"], unique=False
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("lives_in", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("insurance", sa.SmallInteger(), nullable=False),
        sa.Column("rural", sa.Boolean(), nullable=False),
        sa.Column("declined_health_service", sa.Boolean(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("sex", sa.SmallInteger(), nullable=False),
        sa.Column("died_on", sa.Date(), server_default=sa.text("'infinity'::date"), nullable=False),
        sa.Column("left_on", sa.Date(), server_default=sa.text("'infinity'::date"), nullable=False),
        sa.Column("guardian_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("insurance BETWEEN 0 AND 4", name="ck_person_insurance_known"),
        sa.CheckConstraint("sex BETWEEN 0 AND 2", name="ck_person_sex_known"),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
    )
    op.create_index(
        "ix_person_area_id", "person", ["area", "id"], unique=False, postgresql_include=["known"]
    )
    op.create_index(
        "ix_person_id_not_known", "person", ["id"], postgresql_where=sa.text("NOT known")
    )
    op.create_index("ix_person_lives_in_id", "person", ["lives_in", "id"], unique=False)
    op.create_index("ix_person_household_id", "person", ["household_id"], unique=False)
    op.create_index(
        "ix_person_phone_index",
        "person",
        ["phone_index"],
        unique=False,
        postgresql_where=sa.text("phone_index <> ''"),
    )
    op.create_table(
        "person_history",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("lives_in", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("insurance", sa.SmallInteger(), nullable=False),
        sa.Column("rural", sa.Boolean(), nullable=False),
        sa.Column("declined_health_service", sa.Boolean(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("sex", sa.SmallInteger(), nullable=False),
        sa.Column("died_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=False),
        sa.Column("guardian_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_person_history_file_id", "person_history", ["file_id"], unique=False)
    op.create_index("ix_person_history_id", "person_history", ["id"], unique=False)
    op.create_table(
        "person_number_history",
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_person_number_history_file_id", "person_number_history", ["file_id"], unique=False
    )
    op.create_index(
        "ix_person_number_history_person_id", "person_number_history", ["person_id"], unique=False
    )
    op.create_table(
        "person_version",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column("changed_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_person_version"),
    )
    op.create_table(
        "vital_event_history",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("insurance", sa.SmallInteger(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_vital_event_history_file_id", "vital_event_history", ["file_id"], unique=False
    )
    op.create_index(
        "ix_vital_event_history_person_id", "vital_event_history", ["person_id"], unique=False
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), server_default=sa.text("'infinity'::date"), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "role IN ('family_doctor', 'cadre', 'village_coordinator')",
            name="ck_assignment_role_known",
        ),
        sa.CheckConstraint("to_on >= from_on", name="ck_assignment_days_in_order"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_assignment_person_id_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_assignment"),
        sa.UniqueConstraint(
            "person_id",
            "role",
            "staff_no",
            "from_on",
            name="uq_assignment_person_id_role_staff_no_from_on",
        ),
    )
    op.create_table(
        "bill",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bill_no", sa.Text(collation="C"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("hospital_id", sa.BigInteger(), nullable=False),
        sa.Column("setting", sa.SmallInteger(), nullable=False),
        sa.Column("admitted_on", sa.Date(), nullable=False),
        sa.Column("discharged_on", sa.Date(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("in_scope", sa.BigInteger(), nullable=False),
        sa.Column("rare_drug", sa.BigInteger(), nullable=False),
        sa.Column("paid_out_of_scope", sa.BigInteger(), nullable=False),
        sa.Column("paid_basic", sa.BigInteger(), nullable=False),
        sa.Column("paid_serious_illness", sa.BigInteger(), nullable=False),
        sa.Column("paid_medical_assistance", sa.BigInteger(), nullable=False),
        sa.Column("paid_rare_drug_assistance", sa.BigInteger(), nullable=False),
        sa.Column("paid_tilt_assistance", sa.BigInteger(), nullable=False),
        sa.Column("paid_commercial", sa.BigInteger(), nullable=False),
        sa.Column("paid_mutual_aid", sa.BigInteger(), nullable=False),
        sa.Column("paid_charity", sa.BigInteger(), nullable=False),
        sa.Column("paid_special_assistance", sa.BigInteger(), nullable=False),
        sa.Column("paid_high_cost_relief", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("disease_group", sa.SmallInteger(), nullable=False),
        sa.Column("disease_classes", sa.Integer(), nullable=False),
        sa.Column("diagnosis", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("discharged_on >= admitted_on", name="ck_bill_days_in_order"),
        sa.CheckConstraint(
            " + ".join(f"greatest(paid_{layer}, 0)" for layer in LAYERS)
            + " + paid_out_of_scope <= total",
            name="ck_bill_paid_within_total",
        ),
        sa.CheckConstraint(
            "in_scope >= 0 AND rare_drug >= 0 AND paid_out_of_scope >= 0"
            " AND in_scope + rare_drug <= total",
            name="ck_bill_money_in_order",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_bill_person_id_person"),
        sa.PrimaryKeyConstraint("id", name="pk_bill"),
        sa.UniqueConstraint("bill_no", name="uq_bill_bill_no"),
    )
    op.create_index(
        "ix_bill_person_id_discharged_on", "bill", ["person_id", "discharged_on"], unique=False
    )
    op.create_table(
        "data_reject",
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["data_file.id"], name="fk_data_reject_file_id_data_file"
        ),
        sa.PrimaryKeyConstraint("file_id", "line", "column_name", name="pk_data_reject"),
    )
    op.create_table(
        "data_file_unchanged",
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("row_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["data_file.id"], name="fk_data_file_unchanged_file_id_data_file"
        ),
        sa.PrimaryKeyConstraint("file_id", "revision", name="pk_data_file_unchanged"),
    )
    op.create_table(
        "household_income",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("disposable_income", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name="fk_household_income_household_id_household"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_household_income"),
        sa.UniqueConstraint("household_id", "year", name="uq_household_income_household_id_year"),
    )
    op.create_table(
        "person_merge",
        sa.Column("merged_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["person.id"], name="fk_person_merge_merged_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_person_merge_person_id_person"
        ),
        sa.PrimaryKeyConstraint("merged_id", "revision", name="pk_person_merge"),
    )
    op.create_index("ix_person_merge_person_id", "person_merge", ["person_id"], unique=False)
    op.create_table(
        "identity",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.SmallInteger(), nullable=False),
        sa.Column("department", sa.SmallInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), server_default=sa.text("'infinity'::date"), nullable=False),
        sa.Column(
            "applied_on", sa.Date(), server_default=sa.text("'-infinity'::date"), nullable=False
        ),
        sa.Column(
            "taper_until", sa.Date(), server_default=sa.text("'-infinity'::date"), nullable=False
        ),
        sa.Column("origin_area", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("person_id"), "="),
            (sa.column("category"), "="),
            (sa.column("department"), "="),
            (sa.text("daterange(from_on, to_on, '[]')"), "&&"),
            using="gist",
            name="ex_identity_days_apart",
        ),
        sa.CheckConstraint("to_on >= from_on", name="ck_identity_days_in_order"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_identity_person_id_person"),
        sa.PrimaryKeyConstraint("id", name="pk_identity"),
        sa.UniqueConstraint(
            "person_id",
            "category",
            "department",
            "from_on",
            name="uq_identity_person_id_category_department_from_on",
        ),
    )
    op.create_table(
        "person_number",
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_person_number_person_id_person"
        ),
        sa.PrimaryKeyConstraint("number_index", name="pk_person_number"),
    )
    op.create_index("ix_person_number_person_id", "person_number", ["person_id"], unique=False)
    op.create_index(
        "uq_person_number_current",
        "person_number",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("current"),
    )
    op.create_table(
        "vital_event",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("insurance", sa.SmallInteger(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "event IN ('death', 'moved_away', 'insurance_change')",
            name="ck_vital_event_event_known",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_vital_event_person_id_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_vital_event"),
        sa.UniqueConstraint(
            "person_id", "event", "on_day", name="uq_vital_event_person_id_event_on_day"
        ),
    )


def downgrade() -> None:
    op.drop_table("bill_moved")
    op.drop_table("vital_event")
    op.drop_table("person_number")
    op.drop_table("identity")
    op.execute("DROP FUNCTION person_now(bigint)")
    op.drop_table("person_merge")
    op.drop_table("household_income")
    op.drop_table("data_file_unchanged")
    op.drop_table("data_reject")
    op.drop_table("bill")
    op.drop_table("assignment")
    op.drop_table("vital_event_history")
    op.drop_table("person_version")
    op.drop_table("person_number_history")
    op.drop_table("person_history")
    op.drop_table("person")
    op.drop_table("identity_history")
    op.drop_table("household_income_history")
    op.drop_table("household")
    op.drop_table("hospital_history")
    op.drop_table("hospital")
    op.drop_table("data_file")
    op.drop_table("code_number")
    op.drop_table("bill_history")
    op.drop_table("assignment_history")
    op.drop_table("area_unit")
    for name in (*PEOPLE, "note_moved_bills", "forbid_all_but_resealing"):
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("DROP SEQUENCE data_version")
    op.execute("DROP SEQUENCE row_id")
    op.execute("DROP EXTENSION btree_gist")
