"""表 (tables): people, households, identities, bills as they are known now.

A row that a later file corrects moves to the history table beside it (`history.py`). `area` is
the registered area (户籍) as a 12-digit number, 0 while not known: row-level security compares it.
Days that are open are `infinity` or `-infinity`, never NULL, so that rows have a fixed width on the
wire. Sealed columns hold authenticated ciphertext bound to the row (`backend/kernel/crypto.py`).
Codes are numbers of `code_number`. `revision`: the data version at which the row became so.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from backend.kernel.database import Base

LAYERS: Final = (
    "basic", "serious_illness", "medical_assistance", "rare_drug_assistance", "tilt_assistance",
    "commercial", "mutual_aid", "charity", "special_assistance", "high_cost_relief",
)  # fmt: skip
"""The layers in the order of payment; a column `paid_LAYER` each."""
NOT_SETTLED: Final = -1
"""In `paid_LAYER`: the layer has not paid yet; zero is a payment."""


def _id() -> Column[Any]:
    """A surrogate key, taken from `row_id` before the row is written: ciphertext is bound to it."""
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _origin() -> tuple[Column[Any], ...]:
    return (
        Column("file_id", BigInteger, nullable=False),
        Column("revision", BigInteger, nullable=False),
    )


def _infinite(name: str, sign: str = "") -> Column[Any]:
    return Column(name, Date, nullable=False, server_default=text(f"'{sign}infinity'::date"))


CODE_NUMBER: Final = Table(
    "code_number",
    Base.metadata,
    Column("kind", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("number", SmallInteger, nullable=False),
    UniqueConstraint("kind", "number"),
)
"""Numbers of codes, given at first use and never changed. Kinds: category, department, setting,
disease_group, layer, policy, entitlement, delivery."""

AREA_UNIT: Final = Table(
    "area_unit",
    Base.metadata,
    Column("code", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("file_id", BigInteger, nullable=False),
)
"""Townships (9 digits and 000) and villages (12 digits) as the files name them."""

PERSON: Final = Table(
    "person",
    Base.metadata,
    _id(),
    Column("known", Boolean, nullable=False),
    Column("area", BigInteger, nullable=False),
    Column("lives_in", BigInteger, nullable=False),
    Column("household_id", BigInteger, nullable=False),
    Column("insurance", SmallInteger, nullable=False),
    Column("rural", Boolean, nullable=False),
    Column("declined_health_service", Boolean, nullable=False),
    Column("born_on", Date, nullable=False),
    Column("sex", SmallInteger, nullable=False),
    _infinite("died_on"),
    _infinite("left_on"),
    Column("guardian_id", BigInteger, nullable=False, server_default=text("0")),
    Column("name", LargeBinary, nullable=False),
    Column("phone", LargeBinary, nullable=False),
    Column("phone_index", LargeBinary, nullable=False),
    Column("data_key", LargeBinary, nullable=False),
    *_origin(),
    CheckConstraint("insurance BETWEEN 0 AND 4", name="insurance_known"),
    CheckConstraint("sex BETWEEN 0 AND 2", name="sex_known"),
    Index(None, "area", "id", postgresql_include=["known"]),
    Index("ix_person_id_not_known", "id", postgresql_where=text("NOT known")),
    Index(None, "lives_in", "id"),
    Index(None, "household_id"),
    Index("ix_person_phone_index", "phone_index", postgresql_where=text("phone_index <> ''")),
)
"""A person. `known` false: named by bills or rosters only, until the register brings them.
`insurance`: 0 not known, 1 resident, 2 employee, 3 elsewhere, 4 none (`INSURANCE`). `sex`: 0 not
known, 1 male, 2 female. Empty bytes: nothing is known. `data_key`: the person's own key, wrapped.
`guardian_id`: for a newborn on a guardian's record; 0: none. `household_id` 0: none."""

PERSON_NUMBER: Final = Table(
    "person_number",
    Base.metadata,
    Column("number_index", LargeBinary, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False, index=True),
    Column("current", Boolean, nullable=False),
    Column("number", LargeBinary, nullable=False),
    *_origin(),
    Index("uq_person_number_current", "person_id", unique=True, postgresql_where=text("current")),
)
"""Identity numbers of people: the current one, and former ones, which still find the person."""

PERSON_VERSION: Final = Table(
    "person_version",
    Base.metadata,
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    Column("data_version", BigInteger, nullable=False),
    Column("changed_in", BigInteger, nullable=False),
)
"""The last data version that touched anything of the person, and the transaction that did
(`pg_current_xact_id`); set by triggers of the database."""

PERSON_MERGE: Final = Table(
    "person_merge",
    Base.metadata,
    Column("merged_id", BigInteger, ForeignKey("person.id"), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False, index=True),
    Column("file_id", BigInteger, nullable=False),
    Column("undone_at", DateTime(timezone=True)),
)
"""Two people found to be one: the rows of `merged_id` moved to `person_id` at `revision`."""

HOUSEHOLD: Final = Table(
    "household",
    Base.metadata,
    _id(),
    Column("number_index", LargeBinary, nullable=False, unique=True),
    Column("number", LargeBinary, nullable=False),
    *_origin(),
)

HOUSEHOLD_INCOME: Final = Table(
    "household_income",
    Base.metadata,
    _id(),
    Column("household_id", BigInteger, ForeignKey("household.id"), nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("disposable_income", BigInteger, nullable=False),
    *_origin(),
    UniqueConstraint("household_id", "year"),
)
"""Yearly disposable income of a household, fen."""

IDENTITY: Final = Table(
    "identity",
    Base.metadata,
    _id(),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("area", BigInteger, nullable=False),
    Column("category", SmallInteger, nullable=False),
    Column("department", SmallInteger, nullable=False),
    Column("from_on", Date, nullable=False),
    _infinite("to_on"),
    _infinite("applied_on", "-"),
    _infinite("taper_until", "-"),
    Column("origin_area", Integer, nullable=False, server_default=text("0")),
    Column("certificate", LargeBinary, nullable=False),
    *_origin(),
    Column("application_id", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint(
        "person_id", "category", "department", "application_id", "from_on",
        name="uq_identity_person_category_department_application_from",
    ),
    CheckConstraint("to_on >= from_on", name="days_in_order"),
    ExcludeConstraint(
        ("person_id", "="),
        ("category", "="),
        ("department", "="),
        ("application_id", "="),
        (text("daterange(from_on, to_on, '[]')"), "&&"),
        name="ex_identity_days_apart",
        using="gist",
    ),
)  # fmt: skip
"""An identity that a department recognised, from day to day, both included. `application_id`: of a
recognition made here, which the departments' rosters neither change nor end; 0: from a roster."""

HOSPITAL: Final = Table(
    "hospital",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("tier", SmallInteger, nullable=False),
    Column("area", BigInteger, nullable=False),
    Column("designated", Boolean, nullable=False),
    Column("registered", Boolean, nullable=False),
    *_origin(),
)
"""`registered` false: named by bills only, not delivered yet. `tier` 0: not known."""

BILL: Final = Table(
    "bill",
    Base.metadata,
    _id(),
    Column("bill_no", Text(collation="C"), nullable=False, unique=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("area", BigInteger, nullable=False),
    Column("hospital_id", BigInteger, nullable=False),
    Column("setting", SmallInteger, nullable=False),
    Column("admitted_on", Date, nullable=False),
    Column("discharged_on", Date, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("in_scope", BigInteger, nullable=False),
    Column("rare_drug", BigInteger, nullable=False),
    Column("paid_out_of_scope", BigInteger, nullable=False),
    *(Column(f"paid_{layer}", BigInteger, nullable=False) for layer in LAYERS),
    Column("flags", SmallInteger, nullable=False),
    Column("disease_group", SmallInteger, nullable=False),
    Column("disease_classes", Integer, nullable=False),
    Column("diagnosis", LargeBinary, nullable=False),
    *_origin(),
    CheckConstraint("discharged_on >= admitted_on", name="days_in_order"),
    CheckConstraint(
        "in_scope >= 0 AND rare_drug >= 0 AND paid_out_of_scope >= 0"
        " AND in_scope + rare_drug <= total",
        name="money_in_order",
    ),
    CheckConstraint(
        " + ".join(f"greatest(paid_{layer}, 0)" for layer in LAYERS)
        + " + paid_out_of_scope <= total",
        name="paid_within_total",
    ),
    Index(None, "person_id", "discharged_on"),
)
"""A settlement, fen. `paid_LAYER`: `NOT_SETTLED`, or what the layer paid. `flags`: bits in order of
`FLAGS`. `disease_classes`: bits of the named groups of diagnoses that the code belongs to, made
when the bill is taken, since the code itself is sealed."""

BILL_MOVED: Final = Table(
    "bill_moved",
    Base.metadata,
    Column("bill_id", BigInteger, primary_key=True, autoincrement=False),
)
"""Bills that were once another person's; kept by a trigger of the database."""

ASSIGNMENT: Final = Table(
    "assignment",
    Base.metadata,
    _id(),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("area", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("staff_no", Text, nullable=False),
    Column("from_on", Date, nullable=False),
    _infinite("to_on"),
    *_origin(),
    UniqueConstraint("person_id", "role", "staff_no", "from_on"),
    CheckConstraint("role IN ('family_doctor', 'cadre', 'village_coordinator')", name="role_known"),
    CheckConstraint("to_on >= from_on", name="days_in_order"),
)
"""1+1+1: who looks after a person, from day to day."""

VITAL_EVENT: Final = Table(
    "vital_event",
    Base.metadata,
    _id(),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("area", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("on_day", Date, nullable=False),
    Column("insurance", SmallInteger, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    *_origin(),
    UniqueConstraint("person_id", "event", "on_day"),
    CheckConstraint("event IN ('death', 'moved_away', 'insurance_change')", name="event_known"),
)
"""A recognised death or exit, or a change of insurance (`insurance`: the new status)."""

FLAGS: Final = ("referred", "in_province", "in_county", "followed_guidance", "designated")
"""Bit 0, 1, … of `bill.flags`."""
INSURANCE: Final = ("unknown", "resident", "employee", "elsewhere", "none")
"""Place in this list: `person.insurance`."""
