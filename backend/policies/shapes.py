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
    """People whom the document names but for whom no figure here holds: told so, not shown a zero."""

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
    """解读: how an unclear clause is read here, why, and which data to edit to read it otherwise."""

    id: str
    clause: str
    text: str
    reason: str
    edit: str


# -- parameters.yaml --------------------------------------------------------------------------

Unit = Literal[
    "yuan", "rate", "points", "days", "working_days", "months", "years", "percent", "count", "date"
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


# -- benefits.yaml ----------------------------------------------------------------------------


class RetroactiveShape(Shape, frozen=True):
    """追溯: an identity of these categories counts from `months` before `applied_on`, if earlier."""

    categories: list[str]
    months: str
    clause: str
    reading: str | None = None


class IdentityRulesShape(Shape, frozen=True):
    """Which identity counts on which bill (身份认定期间)."""

    stay_settings: list[str]
    """Settled wholly under an identity that overlaps the stay by a day."""
    lost_counts_to: Literal["day", "end_of_month"]
    clause: str | None
    reading: str | None = None
    retroactive: list[RetroactiveShape] = []


class CoversShape(Shape, frozen=True):
    """Which bills: settings, flags that must be true, disease groups; null: any."""

    settings: list[str] | None = None
    flags: list[str] = []
    disease_groups: list[str] | None = None


class PoolShape(Shape, frozen=True):
    """年度限额: a yearly limit on what the layer pays on the bills that it covers."""

    code: str
    name: str
    limit: str
    covers: CoversShape
    clause: str
    reading: str | None = None


class DeductibleShape(Shape, frozen=True):
    """起付线.

    `yearly`: a yearly amount used up by the year's burden; `first_bill`: on the first bill of the
    year only; `income_share`: a yearly share of last year's disposable income per head, `income`
    being the parameter used when the figure is not given; `base_share`: a share of the
    locality's serious-illness deductible.
    """

    kind: Literal["yearly", "first_bill", "income_share", "base_share"]
    value: str
    income: str | None = None


class BandShape(Shape, frozen=True):
    """分档: the part of the excess above `above` (a parameter; null: zero) is paid at `rate`."""

    above: str | None
    rate: str


class RateFromBaseShape(Shape, frozen=True):
    """Rate derived from the locality's serious-illness rate: plus points, or at least a floor."""

    plus: str | None = None
    at_least: str | None = None


class RowShape(Shape, frozen=True):
    """One row of a benefit table: these people, this deductible, this rate."""

    code: str
    name: str
    categories: list[str]
    clause: str
    deductible: DeductibleShape | None = None
    rate: str | None = None
    bands: list[BandShape] = []
    from_base: RateFromBaseShape | None = None
    limited: bool = True
    """False: no pool cuts this row, though what it pays uses the pools."""
    otherwise: bool = False
    """True: for bills on which no identity of the table counts."""
    reading: str | None = None


class TableShape(Shape, frozen=True):
    """A table of rows for the bills that it covers, with a yearly burden of its own."""

    code: str
    name: str
    covers: CoversShape
    rows: list[RowShape]


class ReductionShape(Shape, frozen=True):
    """减半: what is paid is reduced to `keeps` when the person's flag is set."""

    when: Literal["declined_health_service"]
    keeps: str
    clause: str
    reading: str | None = None


class LayerShape(Shape, frozen=True):
    """One computed layer. `base`: what it works on, the in-scope burden left or the rare drug."""

    layer: str
    clause: str
    covers: CoversShape
    tables: list[TableShape]
    base: Literal["in_scope_burden", "rare_drug"] = "in_scope_burden"
    needs: Literal["serious_illness_base"] | None = None
    choice: Literal["most", "first_row"] = "most"
    everyone: bool = False
    """True: the yearly burden gathers every bill of the year, identity or not."""
    pools: list[PoolShape] = []
    reduction: ReductionShape | None = None
    readings: list[str] = []
    not_covered: dict[str, str] = {}
    """Flag or "settings" → the sentence for residents why such a bill gets nothing."""


class BenefitsShape(Shape, frozen=True):
    """benefits.yaml: identities, and the computed layers in the order of the law."""

    identities: IdentityRulesShape
    layers: list[LayerShape]
    inputs: dict[str, str] = {}
    """Layers the document names without a formula → the sentence that says so."""


# -- entitlements.yaml, services.yaml ---------------------------------------------------------


class ConditionsShape(Shape, frozen=True):
    """Who, beyond the category. Empty: everyone of the categories."""

    insurance: list[str] | None = None
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




# -- vocabulary.yaml, localities.yaml ---------------------------------------------------------


class RenamedShape(Shape, frozen=True):
    """A name in use from a day on; the older stays valid in older documents."""

    from_: date = field(name="from")
    name: str


class TermShape(Shape, frozen=True):
    """A code and its Chinese name."""

    code: str
    name: str


class CategoryShape(Shape, frozen=True):
    """A category of beneficiary (救助对象类别)."""

    code: str
    name: str
    departments: list[str]
    aliases: list[str] = []
    child: bool = False
    renamed: list[RenamedShape] = []


class VocabularyShape(Shape, frozen=True):
    """The codes that every policy shares; the order of categories and layers is the law's."""

    departments: dict[str, str]
    categories: list[CategoryShape]
    settings: list[TermShape]
    layers: list[TermShape]
    disease_groups: list[TermShape]
    flags: list[TermShape]


class AdoptionShape(Shape, frozen=True):
    """A place that applies a template policy, for a span of days."""

    area: str
    policy: str
    from_: date = field(name="from")
    to: date


class SeriousIllnessBaseShape(Shape, frozen=True):
    """A place's serious-illness insurance: yearly deductible and rate."""

    area: str
    from_: date = field(name="from")
    to: date | None
    deductible: str
    rate: str
    source: str


class LocalitiesShape(Shape, frozen=True):
    """localities.yaml."""

    adoptions: list[AdoptionShape]
    serious_illness_bases: list[SeriousIllnessBaseShape]
