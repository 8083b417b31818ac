"""解读标记 (marks): the readings of unclear clauses that a payment rests on."""

from __future__ import annotations

from collections.abc import Iterator

from backend.estimation.context import BillContext
from backend.estimation.identities import counts_back
from backend.estimation.settle import RowTried, Settled
from backend.policies.benefit_shapes import LayerShape
from backend.policies.shapes import ReadingShape


def readings_of(of: BillContext, settled: Settled) -> tuple[ReadingShape, ...]:
    """Each reading once, those of the layer first."""
    if settled.terms is None:
        return ()
    names = list(settled.terms.shape.readings)
    if settled.chosen is not None:
        names.extend(_of_identities(of, settled.chosen))
        names.extend(_of_row(of, settled.chosen))
        names.extend(_of_cuts(of, settled.terms.shape, settled))
    readings = of.terms.policy.readings
    return tuple(readings[name] for name in dict.fromkeys(names) if name)


def _of_identities(of: BillContext, chosen: RowTried) -> Iterator[str]:
    rules = of.terms.policy.benefits.identities
    yield rules.reading or ""
    also = rules.read_as_stays
    if also is not None and of.bill.setting in also.settings:
        yield also.reading
    rule = counts_back(of.terms, of.person, of.bill, chosen.categories[:1])
    if rule is not None:
        yield rule.reading or ""


def _of_row(of: BillContext, chosen: RowTried) -> Iterator[str]:
    shape, rule = chosen.row.shape, chosen.row.shape.deductible
    yield shape.reading or ""
    figures = [shape.rate, *(code for band in shape.bands for code in (band.above, band.rate))]
    if rule is not None:
        figures.append(rule.value)
        figures.append(rule.income if chosen.row.income_assumed is not None else None)
    for code in figures:
        if code is not None:
            yield of.terms.policy.parameters[code].shape.reading or ""


def _of_cuts(of: BillContext, layer: LayerShape, settled: Settled) -> Iterator[str]:
    if layer.reduction is not None and settled.situation and settled.situation.reduced:
        yield layer.reduction.reading or ""
    for pool, _ in settled.pools:
        yield pool.shape.reading or ""
        yield of.terms.policy.parameters[pool.shape.limit].shape.reading or ""
    if len(settled.tried) > 1:
        yield layer.choice_reading or ""
