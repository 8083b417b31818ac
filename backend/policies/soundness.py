"""Whether benefits that refer rightly also compute rightly: bands, limits, tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations, pairwise

from backend.kernel.yaml_file import FileFault, Step, YamlFile
from backend.policies.benefit_shapes import CoversShape, LayerShape, RowShape
from backend.policies.policy import Policy


def check_soundness(policy: Policy, file: YamlFile) -> Iterator[FileFault]:
    """Every fault of benefits.yaml whose references are all good."""
    for place, layer in enumerate(policy.benefits.layers):
        yield from _layer(policy, layer, file, "layers", place)


def _layer(policy: Policy, layer: LayerShape, file: YamlFile, *path: Step) -> Iterator[FileFault]:
    codes = [pool.code for pool in layer.pools]
    if len(set(codes)) != len(codes):
        yield file.fault("同一层里两个限额用了同一个 code", *path, "pools")
    for first, second in combinations(layer.tables, 2):
        if _meet(first.covers, second.covers):
            text = f"表 {first.code} 和 {second.code} 管到同样的费用，请把 covers 分开"
            yield file.fault(text, *path, "tables")
    for place, table in enumerate(layer.tables):
        for number, row in enumerate(table.rows):
            yield from _bands(policy, row, file, *path, "tables", place, "rows", number, "bands")


def _meet(first: CoversShape, second: CoversShape) -> bool:
    """Some bill may be covered by both; flags tell nothing apart."""
    return _share(first.settings, second.settings) and _share(
        first.disease_groups, second.disease_groups
    )


def _share(first: Sequence[str] | None, second: Sequence[str] | None) -> bool:
    return first is None or second is None or not set(first).isdisjoint(second)


def _bands(policy: Policy, row: RowShape, file: YamlFile, *path: Step) -> Iterator[FileFault]:
    """Bands must rise on every day on which one of their figures changes."""
    named = [band.above for band in row.bands]
    days = {
        value.from_ or date.min
        for code in named
        if code is not None
        for value in policy.parameters[code].values
    }
    for day in sorted(days):
        starts = [0 if code is None else _amount(policy, code, day) for code in named]
        if any(low >= high for low, high in pairwise(starts)):
            yield file.fault("分档的起点要从低到高写", *path)
            return


def _amount(policy: Policy, code: str, day: date) -> int:
    values = policy.parameters[code].values
    dated = policy.parameters[code].on(day) or values[0]
    return dated.value if isinstance(dated.value, int) else 0
