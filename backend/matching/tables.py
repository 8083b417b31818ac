"""表 (tables): runs and their parts, the ledger of grants, entitlements in kind, rule editions.

`area` of a grant: the registered area at the decision, 12 digits, for row-level security. Codes are
numbers of `code_number`. Money is fen.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from backend.kernel.database import Base

MATCH_RUN: Final = Table(
    "match_run",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("area", Integer, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("rules_id", Integer, nullable=False),
    Column("full", Boolean, nullable=False, server_default=text("false")),
    Column("cluster", BigInteger, nullable=False),
    Column("seen", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("computed_at", DateTime(timezone=True)),
    Column("first_release_by", Text),
    Column("first_release_at", DateTime(timezone=True)),
    Column("released_by", Text),
    Column("released_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('computing', 'computed', 'released')", name="state_known"),
    CheckConstraint("released_by <> first_release_by", name="released_by_two"),
    CheckConstraint(
        "state <> 'released' OR (first_release_by IS NOT NULL AND released_by IS NOT NULL)",
        name="released_by_somebody",
    ),
    Index(
        "uq_match_run_area_year_computing", "area", "year",
        unique=True, postgresql_where=text("state = 'computing'"),
    ),
)  # fmt: skip
"""One run over an area (6 digits) and year. `as_of`: the day on which it looked. `cluster`,
`seen`: the moment at which it began (`marks.py`)."""

MATCH_PART: Final = Table(
    "match_part",
    Base.metadata,
    Column("run_id", BigInteger, ForeignKey("match_run.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("area_from", BigInteger, nullable=False),
    Column("area_to", BigInteger, nullable=False),
    Column("person_from", BigInteger, nullable=False),
    Column("person_to", BigInteger, nullable=False),
    Column("people", Integer, nullable=False),
    Column("seen", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("summary", JSONB, nullable=False, server_default=text("'{}'")),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('open', 'done')", name="state_known"),
)
"""A slice of townships: persons `person_from` to `person_to` (both included) of the run. `seen`:
whom not to compute again (`marks.py`)."""

MATCH_MARK: Final = Table(
    "match_mark",
    Base.metadata,
    Column("area", Integer, primary_key=True, autoincrement=False),
    Column("year", SmallInteger, primary_key=True, autoincrement=False),
    Column("run_id", BigInteger, nullable=False),
    Column("rules_id", Integer, nullable=False, server_default=text("0")),
    Column("cluster", BigInteger, nullable=False, server_default=text("0")),
    Column("seen", Text, nullable=False, server_default=text("''")),
)
"""How far a county's year is computed, by which rules (`marks.py`). `run_id`: the run that began
last, 0 where runs overlapped; `seen` empty: nothing is known to be computed."""

RULE_EDITION: Final = Table(
    "rule_edition",
    Base.metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("engine", SmallInteger, nullable=False),
    Column("files", JSONB, nullable=False),
    Column("confirmed", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""The whole catalogue as it stood when a run used it (file → text), and the confirmed days: enough
to decide and to explain again exactly as then, by the engine of that number."""

GRANT_ENTRY: Final = Table(
    "grant_entry",
    Base.metadata,
    Column("bill_id", BigInteger, primary_key=True, autoincrement=False),
    Column("layer", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", SmallInteger, primary_key=True, autoincrement=False),
    Column("person_id", BigInteger, nullable=False, index=True),
    Column("area", BigInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("amount_after", BigInteger, nullable=False),
    Column("policy", SmallInteger, nullable=False),
    Column("identity", SmallInteger, nullable=False),
    Column("rules_id", Integer, nullable=False),
    Column("data_version", BigInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    CheckConstraint("kind BETWEEN 1 AND 5", name="kind_known"),
    Index(None, "run_id", postgresql_using="brin"),
    CheckConstraint("amount_after >= 0", name="never_below_zero"),
    CheckConstraint(
        "(kind IN (1, 2) AND amount > 0) OR (kind = 3 AND amount < 0)"
        " OR (kind IN (4, 5) AND amount = 0)",
        name="sign_of_the_kind",
    ),
)
"""台账: append-only. `amount`: what this entry changes; `amount_after`: what the layer stands at
since. `kind`, `reason`: `ledger.py`. `identity`: the category used, −1 where the layer names
none."""

BILL_CLAIM: Final = Table(
    "bill_claim",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("application_id", BigInteger, ForeignKey("application.id"), nullable=False, index=True),
    Column("bill_id", BigInteger, nullable=False),
    Column("layer", SmallInteger, nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False, index=True),
    Column("state", Text, nullable=False, server_default="claimed"),
    Column("granted_version", BigInteger, nullable=False, server_default=text("0")),
    Column("released_version", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("state IN ('claimed', 'granted', 'released')", name="state_known"),
    CheckConstraint("state <> 'granted' OR granted_version > 0", name="granted_at"),
    Index(
        "uq_bill_claim_live", "bill_id", "layer",
        unique=True, postgresql_where=text("state IN ('claimed', 'granted')"),
    ),
)  # fmt: skip
"""A bill that an application names for a layer: at most one live one. Granted from the data version
`granted_version` on, until before `released_version` where that is not 0."""

ENTITLEMENT: Final = Table(
    "entitlement",
    Base.metadata,
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    Column("year", SmallInteger, primary_key=True, autoincrement=False),
    Column("policy", SmallInteger, primary_key=True, autoincrement=False),
    Column("code", SmallInteger, primary_key=True, autoincrement=False),
    Column("from_on", Date, primary_key=True),
    Column(
        "ended_by_run", BigInteger, primary_key=True, autoincrement=False, server_default=text("0")
    ),
    Column(
        "application_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        server_default=text("0"),
    ),
    Column("run_id", BigInteger, nullable=False),
    Column("to_on", Date, nullable=False),
    Column("delivery", SmallInteger, nullable=False),
    Column("area", BigInteger, nullable=False),
    Index(None, "run_id", postgresql_using="brin"),
)
"""待遇 in kind: from day to day within the year. `ended_by_run`: the run that found it no longer
due (or due for other days, then a row beside it says so); 0: it stands, once. `application_id`: of
a certification made here, which no run ends; 0: found by matching."""
