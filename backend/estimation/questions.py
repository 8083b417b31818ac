"""问什么 (questions): what the estimate's form asks, taken from the policy that decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.estimation.estimate import OUT_OF_SCOPE
from backend.policies.benefit_shapes import CoversShape, LayerShape, RowShape
from backend.policies.book import Vocabulary
from backend.policies.policy import Policy

BASE: Final = "serious_illness"
ALIASES: Final = 3
"""Other names of a category that are shown at most."""
INVERTED: Final = frozenset({"designated"})
"""Flags that hold unless the person says otherwise."""

FLAGS: Final[Mapping[str, tuple[str, str]]] = {
    "referred": ("按规定办了转诊", "先在基层医院看，再由医院转过去的"),
    "in_province": ("在本省的医院看的", ""),
    "in_county": ("在本县（市、区）的医院看的", ""),
    "followed_guidance": ("按就医指导方案看的", "医生给您定的看病安排"),
    "designated": ("医院不是医保定点的", "在定点医院看的不用勾"),
}
"""Flag of a bill → how it is asked, and a word of explanation."""

_SETTINGS: Final[Mapping[str, str]] = {
    "outpatient": "看病、开药，没有住院",
    "chronic_outpatient": "办过门诊慢性病、特殊病认定的",
    "inpatient": "办了住院手续的",
    "day_surgery": "当天进、当天出的手术",
    "home_bed": "医生上门，在家治疗",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose or to fill in: its code, its name, and a word of explanation."""

    code: str
    name: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Questions:
    """What the form asks. `children`: the categories of children; `payers` are asked openly,
    `more_payers` among the details.

    `base`, `income`: figures that no policy states; `retroactive`: the day of application matters;
    `declined`: whether the basic health service was declined matters.
    """

    categories: tuple[Choice, ...]
    children: tuple[Choice, ...]
    settings: tuple[Choice, ...]
    flags: tuple[Choice, ...]
    disease_groups: tuple[Choice, ...]
    payers: tuple[Choice, ...]
    more_payers: tuple[Choice, ...]
    declined: bool
    rare_drug: bool
    base: bool
    income: bool
    retroactive: bool

    @property
    def every_category(self) -> tuple[Choice, ...]:
        """All categories asked about."""
        return (*self.categories, *self.children)


def questions_of(policy: Policy, words: Vocabulary, on: date) -> Questions:
    """What decides the money under the policy; categories by their names of the day."""
    benefits = policy.benefits
    layers = benefits.layers
    openly = ["basic", BASE]
    if "medical_assistance" in benefits.inputs:
        openly.append("medical_assistance")
    more = [code for code in words.layers if code not in openly and _concerns(policy, code)]
    return Questions(
        categories=tuple(_categories(policy, words, on, child=False)),
        children=tuple(_categories(policy, words, on, child=True)),
        settings=tuple(Choice(c, name, _SETTINGS.get(c, "")) for c, name in words.settings.items()),
        flags=tuple(_flags(layers, words)),
        disease_groups=tuple(_disease_groups(layers, words)),
        payers=tuple(Choice(code, words.layers[code]) for code in openly),
        more_payers=(
            *(Choice(code, words.layers[code]) for code in more),
            Choice(OUT_OF_SCOPE, "别人替您付的目录外费用", "商业保险、捐款等付的自费药、自费项目"),
        ),
        declined=any(layer.reduction is not None for layer in layers),
        rare_drug=any(layer.base == "rare_drug" for layer in layers),
        base=any(layer.needs == "serious_illness_base" for layer in layers),
        income=any(_by_income(row) for layer in layers for row in _rows(layer)),
        retroactive=bool(benefits.identities.retroactive),
    )


def _categories(policy: Policy, words: Vocabulary, on: date, *, child: bool) -> Iterator[Choice]:
    """Those whom the policy covers, then those whom it names to tell them something else."""
    document = policy.document
    noticed = [code for notice in document.notices for code in notice.categories]
    for code in dict.fromkeys((*document.beneficiaries, *noticed)):
        category = words.categories[code]
        also = "" if child else "、".join(category.aliases[:ALIASES])
        if category.child == child:
            yield Choice(code, words.category_name(code, on), f"也叫{also}" if also else "")


def _flags(layers: list[LayerShape], words: Vocabulary) -> Iterator[Choice]:
    asked = {flag for layer in layers for covers in _covers(layer) for flag in covers.flags}
    for flag in words.flags:
        if flag in asked:
            yield Choice(flag, *FLAGS[flag])


def _disease_groups(layers: list[LayerShape], words: Vocabulary) -> Iterator[Choice]:
    """Every group, named as the policy's tables name it, where any layer tells them apart."""
    names = {
        table.covers.disease_groups[0]: table.name
        for layer in layers
        for table in layer.tables
        if table.covers.disease_groups and len(table.covers.disease_groups) == 1
    }
    if any(covers.disease_groups for layer in layers for covers in _covers(layer)):
        for code, name in words.disease_groups.items():
            yield Choice(code, names.get(code, name))


def _concerns(policy: Policy, layer: str) -> bool:
    computed = {one.layer for one in policy.benefits.layers}
    return layer in computed or layer in policy.benefits.inputs


def _covers(layer: LayerShape) -> Iterator[CoversShape]:
    yield layer.covers
    yield from (table.covers for table in layer.tables)
    yield from (pool.covers for pool in layer.pools)


def _rows(layer: LayerShape) -> Iterator[RowShape]:
    for table in layer.tables:
        yield from table.rows


def _by_income(row: RowShape) -> bool:
    return row.deductible is not None and row.deductible.kind == "income_share"
