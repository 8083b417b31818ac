"""政策目录的文件格式: the shapes of the catalogue's YAML files, one folder a policy.

A shape is what the file says, nothing more; `catalogue.py` reads files into shapes, reports faults
with file, line and reason, and `policy.py` gives them meaning. Money is a string of yuan, a rate a
string between "0" and "1", a day a YAML date; a locality edits these files and no code.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct, field


class Shape(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all shapes: immutable, and a misspelt key is a fault."""


# -- document.yaml ---------------------------------------------------------------------------


class AreaShape(Shape, frozen=True):
    """A GB/T 2260 code and its name."""

    code: str
    name: str


class InForceShape(Shape, frozen=True):
    """施行期: days of force, both included; null: not stated. `reading`: id in readings.yaml."""

    from_: date | None = field(name="from")
    to: date | None
    reading: str | None = None


class ValidityShape(Shape, frozen=True):
    """效力: how the days of force are known, and why.

    `stated`: by the document; `reading`: read here; `unconfirmed`: the locality must confirm them.
    """

    dates: Literal["stated", "reading", "unconfirmed"]
    reason: str


class NoticeShape(Shape, frozen=True):
    """People whom the document names but for whom no figure here holds: told so, shown no zero."""

    categories: list[str]
    kind: Literal["other_rules", "rate_not_stated"]
    clause: str
    residents: str
    staff: str


class DocumentShape(Shape, frozen=True):
    """The document itself."""

    id: str
    title: str
    short_title: str
    number: str | None
    other_numbers: list[str]
    issuer: str | None
    level: Literal["county", "city", "province", "template"]
    area: AreaShape | None
    issued: date | None
    published: date | None
    in_force: InForceShape
    applies_from: date | None
    """Also applied to matters from this day on (参照执行), where earlier than `in_force.from`."""
    trial: str | None
    validity: ValidityShape
    beneficiaries: list[str]
    """Every category that the document covers, in its own order."""
    notices: list[NoticeShape]
    summary: str
    """For residents, in plain Chinese."""


# -- clauses.yaml, readings.yaml --------------------------------------------------------------


class ClauseShape(Shape, frozen=True):
    """条款: one clause, in our own words."""

    anchor: str
    heading: str
    residents: str
    staff: str
    keywords: list[str] = []
    """Words people use for this that stand in neither summary (for search)."""


class ReadingShape(Shape, frozen=True):
    """解读: how an unclear clause is read here, why, and which data to edit to read it else."""

    id: str
    clause: str
    text: str
    reason: str
    edit: str


# -- parameters.yaml --------------------------------------------------------------------------

Unit = Literal[
    "yuan", "rate", "points", "days", "working_days", "months", "years", "age", "count", "date"
]


class ValueShape(Shape, frozen=True):
    """One value of a parameter from a day on, until the next value's day."""

    from_: date | None = field(name="from")
    value: str
    note: str | None = None


class ParameterShape(Shape, frozen=True):
    """参数: one dated figure with its clause. `floor`: the document says 不低于."""

    code: str
    name: str
    unit: Unit
    clause: str
    values: list[ValueShape]
    floor: bool = False
    reading: str | None = None


# -- entitlements.yaml, services.yaml ---------------------------------------------------------


class ConditionsShape(Shape, frozen=True):
    """Who, beyond the category. Empty: everyone of the categories."""

    insurance: list[Literal["resident", "employee", "elsewhere", "none"]] | None = None
    settings: list[str] | None = None
    flags: list[str] = []
    primary_first_visit: bool | None = None
    within: Literal["county", "city", "province"] | None = None
    designated: bool | None = None
    locally_registered: bool | None = None
    rural: bool | None = None
    sex: Literal["female", "male"] | None = None
    age_from: str | None = None
    age_to: str | None = None
    diagnoses: list[str] | None = None
    note: str | None = None
    person_decides: bool = False
    """True: the document leaves open who exactly; a person decides, by the note."""


class EnrolmentShape(Shape, frozen=True):
    """资助参保 (premium aid): which days of a year it covers. The premium is paid for a year."""

    begins_after: str | None = None
    """A parameter: so many days after recognition, or from the first day of the month so many
    months after it; None: from recognition on."""
    lost_covers_to: Literal["end_of_year", "end_of_month"] = "end_of_year"
    """How long who has lost the identity stays covered."""
    taper: list[str] = []
    """Categories still paid for in the taper period (渐退期)."""


class EntitlementShape(Shape, frozen=True):
    """待遇 in kind: what a person gets beside the money, and how it reaches them."""

    code: str
    kind: str
    name: str
    clause: str
    categories: list[str] | Literal["all"]
    delivery: Literal[
        "automatic", "invitation", "needs_word", "by_certification", "by_application", "referral"
    ]
    residents: str
    staff: str
    conditions: ConditionsShape = ConditionsShape()
    enrolment: EnrolmentShape | None = None
    every: str | None = None
    """A parameter in years: due in the first year in which an identity counts, then again every so
    many years; None: in every year."""
    instead_of: str | None = None
    """The code of an entitlement that nobody is due in a year in which they are due this one."""
    amount: str | None = None
    parameters: list[str] = []
    keywords: list[str] = []
    reading: str | None = None


class ServiceShape(Shape, frozen=True):
    """经办规则: a service rule, deadline, duty or aim."""

    code: str
    kind: Literal["procedure", "deadline", "duty", "monitoring", "aim", "supervision"]
    name: str
    clause: str
    residents: str
    staff: str
    deadline: str | None = None
    counted_from: str | None = None
    lead: list[str] = []
    cooperating: list[str] = []
    due: str | None = None
    default_elsewhere: bool = False
    """True: the product's default in areas whose own policy says nothing."""
    parameters: list[str] = []
    keywords: list[str] = []
    reading: str | None = None
