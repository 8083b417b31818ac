"""共用文件的格式: the shapes of vocabulary.yaml, localities.yaml, synonyms.yaml."""

from __future__ import annotations

from datetime import date

from msgspec import field

from backend.policies.shapes import Shape


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


class ConventionShape(Shape, frozen=True):
    """通用规则: a rule of the computation that holds for every policy."""

    code: str
    heading: str
    residents: str
    staff: str


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


class WarningThresholdShape(Shape, frozen=True):
    """预警监测标准: the yearly burden after basic and serious-illness insurance above which a place
    visits people of these categories."""

    area: str
    from_: date = field(name="from")
    to: date | None
    categories: list[str]
    threshold: str
    source: str


class LocalitiesShape(Shape, frozen=True):
    """localities.yaml."""

    adoptions: list[AdoptionShape]
    serious_illness_bases: list[SeriousIllnessBaseShape]
    warning_thresholds: list[WarningThresholdShape] = []


class SynonymsShape(Shape, frozen=True):
    """近义词: words that mean one thing; a clause that holds any of them is found by any other.

    `asked`: ways of asking for it, which in a clause would mean something else.
    """

    words: tuple[str, ...]
    asked: tuple[str, ...] = ()
