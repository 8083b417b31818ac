"""待遇表的文件格式: the shape of benefits.yaml, how money comes about as data.

Amounts, rates and months are named by their code in parameters.yaml, where they carry dates.
"""

from __future__ import annotations

from typing import Literal

from backend.policies.shapes import Shape


class RetroactiveShape(Shape, frozen=True):
    """追溯: such an identity counts from `months` before `applied_on`, if that is earlier."""

    categories: list[str]
    months: str
    clause: str
    reading: str | None = None


class ReadAsStaysShape(Shape, frozen=True):
    """Settings that the document does not call stays, but that are read as such."""

    settings: list[str]
    reading: str


class IdentityRulesShape(Shape, frozen=True):
    """Which identity counts on which bill (身份认定期间)."""

    stay_settings: list[str]
    """Settled wholly under an identity that overlaps the stay by a day."""
    lost_counts_to: Literal["day", "end_of_month"]
    clause: str | None
    reading: str | None = None
    read_as_stays: ReadAsStaysShape | None = None
    retroactive: list[RetroactiveShape] = []

    @property
    def stays(self) -> frozenset[str]:
        """Every setting that is settled as a stay."""
        also = self.read_as_stays.settings if self.read_as_stays else []
        return frozenset((*self.stay_settings, *also))


class CoversShape(Shape, frozen=True):
    """Which bills: settings, flags that must be true, disease groups; null: any."""

    settings: list[str] | None = None
    flags: list[str] = []
    disease_groups: list[str] | None = None


class PoolShape(Shape, frozen=True):
    """年度限额: a yearly limit on what the layer pays on the bills that it covers.

    `shared_with`: a layer before this one whose pool of the same code it is.
    """

    code: str
    name: str
    limit: str
    covers: CoversShape
    clause: str
    shared_with: str | None = None
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
    """False: no pool cuts this row."""
    uses_pools: bool = True
    """False: what this row pays does not use the pools up."""
    otherwise: bool = False
    """True: for bills on which no identity of the table counts."""
    reading: str | None = None


class TableShape(Shape, frozen=True):
    """A table of rows for the bills that it covers, with a yearly burden of its own."""

    code: str
    name: str
    covers: CoversShape
    rows: list[RowShape]
    under_deductible: str | None = None
    """What becomes of a bill that stays under the deductible, for residents; null: nothing."""


class ReductionShape(Shape, frozen=True):
    """减半: what is paid is reduced to `keeps` when the person's flag is set.

    `order`: whether the pools cut (and are used up by) the amount before or after the reduction.
    """

    when: Literal["declined_health_service"]
    keeps: str
    clause: str
    order: Literal["pools_first", "reduction_first"] = "pools_first"
    reading: str | None = None


class LayerShape(Shape, frozen=True):
    """One computed layer.

    `base`: what it works on: what is left of the in-scope cost or of the whole bill, or the rare
    drug. `gathers`: which bills make up its yearly burden: those it covers and on which an identity
    counts (`eligible`), all it covers (`covered`), all on which one counts (`counting`).
    """

    layer: str
    clause: str
    covers: CoversShape
    tables: list[TableShape]
    base: Literal["in_scope_burden", "personal_burden", "rare_drug"] = "in_scope_burden"
    needs: Literal["serious_illness_base"] | None = None
    choice: Literal["most", "first_row"] = "most"
    choice_reading: str | None = None
    """Shown where several rows competed."""
    gathers: Literal["eligible", "covered", "counting"] = "eligible"
    pools: list[PoolShape] = []
    reduction: ReductionShape | None = None
    readings: list[str] = []
    only_on_application: bool = False
    """True: matching pays only on bills that a granted application names; estimates compute all."""
    not_covered: dict[str, str] = {}
    """Flag or "settings" → the sentence for residents why such a bill gets nothing."""


class BenefitsShape(Shape, frozen=True):
    """benefits.yaml: identities, and the computed layers in the order of the law."""

    identities: IdentityRulesShape
    layers: list[LayerShape]
    inputs: dict[str, str] = {}
    """Layers the document names without a formula → the sentence that says so."""
