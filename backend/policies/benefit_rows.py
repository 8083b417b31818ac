"""待遇表 (benefit rows): who gets what from which layer, in words, with the figures of a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.kernel.money import format_yuan, half_up
from backend.policies.benefit_shapes import (
    BandShape,
    CoversShape,
    DeductibleShape,
    LayerShape,
    PoolShape,
    RowShape,
    TableShape,
)
from backend.policies.book import Vocabulary
from backend.policies.figures import Wording
from backend.policies.policy import Policy
from backend.policies.shapes import ReadingShape

NO_DEDUCTIBLE: Final = "没有起付线"
NO_LIMIT: Final = "没有年度限额"
BASE_RATE: Final = "当地大病保险的比例"

_BASES: Final[Mapping[str, tuple[str, ...]]] = {
    "in_scope_burden": (),
    "personal_burden": ("按全部个人负担算",),
    "rare_drug": ("只管罕见病特效药，在政策范围内费用以外另算",),
}


@dataclass(frozen=True, slots=True)
class NamedCode:
    """A code and its Chinese name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class BenefitRow:
    """One row of a layer: who, from what amount on, at what rate, up to what limits.

    `who` names the row, `categories` those in it (none: people without an identity here);
    `covers`: which bills, as phrases, none for all; `notes`: what else bears on the amount.
    """

    layer: NamedCode
    table: str
    who: str
    categories: tuple[NamedCode, ...]
    deductible: str
    rate: str
    limits: tuple[str, ...]
    covers: tuple[str, ...]
    notes: tuple[str, ...]
    clause: str
    readings: tuple[ReadingShape, ...]


@dataclass(frozen=True, slots=True)
class LayerInput:
    """A layer that the document names without a formula, and the sentence that says so."""

    layer: NamedCode
    sentence: str


def benefit_rows(policy: Policy, vocabulary: Vocabulary, day: date) -> tuple[BenefitRow, ...]:
    """Every row of the policy's computed layers, in the order of payment."""
    writer = _Writer(policy, vocabulary, day)
    return tuple(writer.rows())


def layer_inputs(policy: Policy, vocabulary: Vocabulary) -> tuple[LayerInput, ...]:
    """The layers whose amounts are entered as they were paid, in the order of payment."""
    sentences = policy.benefits.inputs
    return tuple(
        LayerInput(NamedCode(code, name), sentences[code])
        for code, name in vocabulary.layers.items()
        if code in sentences
    )


def category_names(codes: list[str], vocabulary: Vocabulary, day: date) -> tuple[NamedCode, ...]:
    """The categories with the names that they bear on the day."""
    return tuple(NamedCode(code, vocabulary.category_name(code, day)) for code in codes)


class _Writer:
    def __init__(self, policy: Policy, vocabulary: Vocabulary, day: date) -> None:
        self.policy = policy
        self.vocabulary = vocabulary
        self.day = day
        self.words = Wording(policy, day)

    def rows(self) -> Iterator[BenefitRow]:
        for layer in self.policy.benefits.layers:
            for table in layer.tables:
                for row in table.rows:
                    yield self.row(layer, table, row)

    def row(self, layer: LayerShape, table: TableShape, row: RowShape) -> BenefitRow:
        pools = [pool for pool in layer.pools if _meet(pool.covers, table.covers)]
        return BenefitRow(
            layer=NamedCode(layer.layer, self.vocabulary.layers[layer.layer]),
            table=table.name,
            who=row.name,
            categories=category_names(row.categories, self.vocabulary, self.day),
            deductible=self.deductible(row),
            rate=self.rate(row),
            limits=self.limits(pools) if row.limited else (NO_LIMIT,),
            covers=(*_BASES[layer.base], *self.covers(layer.covers), *self.covers(table.covers)),
            notes=tuple(self.notes(layer)),
            clause=row.clause,
            readings=self.readings(layer, row, pools),
        )

    # -- from what amount on -----------------------------------------------------------------

    def deductible(self, row: RowShape) -> str:
        rule = row.deductible
        if rule is None:
            return NO_DEDUCTIBLE if row.from_base is None else "当地大病保险的起付线"
        value = self.words.text(rule.value)
        if rule.kind == "income_share":
            return self.income_share(rule, value)
        return {
            "yearly": f"一年 {value}",
            "first_bill": f"当年第一次 {value}",
            "base_share": f"当地大病保险起付线的 {value}",
        }[rule.kind]

    def income_share(self, rule: DeductibleShape, share: str) -> str:
        text = f"一年，上年度居民人均可支配收入的 {share}"
        rate = self.words.fen_or_rate(rule.value)
        income = self.words.fen_or_rate(rule.income) if rule.income else None
        if rate is None or income is None:
            return text
        assumed = f"{format_yuan(income)} 元"
        return f"{text}（收入按 {assumed}算，是 {format_yuan(half_up(income * rate))} 元）"

    # -- at what rate ------------------------------------------------------------------------

    def rate(self, row: RowShape) -> str:
        if row.rate is not None:
            return self.words.text(row.rate)
        return self.banded(row.bands) if row.from_base is None else self.rate_from_base(row)

    def rate_from_base(self, row: RowShape) -> str:
        base = row.from_base
        if base is not None and base.plus is not None:
            return f"{BASE_RATE}加 {self.words.text(base.plus)}"
        if base is not None and base.at_least is not None:
            return f"{BASE_RATE}，{self.words.text(base.at_least)}"
        return BASE_RATE

    def banded(self, bands: list[BandShape]) -> str:
        """`超过起付线 10000.00 元以内的部分不支付；10000.00 元至 30000.00 元的部分 50%；…`."""
        starts = [None if band.above is None else self.words.text(band.above) for band in bands]
        parts = [f"{starts[0]}以内的部分不支付"] if starts[0] is not None else []
        for band, start, end in zip(bands, starts, [*starts[1:], None], strict=True):
            rate = self.words.text(band.rate)
            if end is None:
                parts.append(f"{start}以上的部分 {rate}" if start else f"全部 {rate}")
            else:
                parts.append(
                    f"{start}至 {end}的部分 {rate}" if start else f"{end}以内的部分 {rate}"
                )
        return "超过起付线的金额中，" + "；".join(parts)

    # -- up to what limits, on which bills ---------------------------------------------------

    def limits(self, pools: list[PoolShape]) -> tuple[str, ...]:
        if not pools:
            return (NO_LIMIT,)
        return tuple(map(self.limit, pools))

    def limit(self, pool: PoolShape) -> str:
        text = f"{pool.name} {self.words.text(pool.limit)}"
        if pool.shared_with is None:
            return text
        return f"{text}（和{self.vocabulary.layers[pool.shared_with]}共用）"

    def covers(self, covers: CoversShape) -> Iterator[str]:
        vocabulary = self.vocabulary
        for codes, names in (
            (covers.settings, vocabulary.settings),
            (covers.disease_groups, vocabulary.disease_groups),
        ):
            if codes:
                yield "只限" + "、".join(names[code] for code in codes)
        if covers.flags:
            yield "要符合：" + "、".join(vocabulary.flags[flag] for flag in covers.flags)

    def notes(self, layer: LayerShape) -> Iterator[str]:
        yield from layer.not_covered.values()
        if layer.reduction is not None:
            keeps = self.words.text(layer.reduction.keeps)
            yield f"放弃基础健康服务的，按算出金额的 {keeps}支付。"

    def readings(
        self, layer: LayerShape, row: RowShape, pools: list[PoolShape]
    ) -> tuple[ReadingShape, ...]:
        named = [*layer.readings, layer.choice_reading, row.reading]
        named += [pool.reading for pool in pools]
        named += [layer.reduction.reading] if layer.reduction else []
        known = self.policy.readings
        return tuple(known[name] for name in dict.fromkeys(named) if name is not None)


def _meet(one: CoversShape, other: CoversShape) -> bool:
    """Whether a bill can be covered by both."""
    return _overlap(one.settings, other.settings) and _overlap(
        one.disease_groups, other.disease_groups
    )


def _overlap(one: list[str] | None, other: list[str] | None) -> bool:
    return not one or not other or not set(one).isdisjoint(other)
