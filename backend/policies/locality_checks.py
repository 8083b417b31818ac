"""What localities.yaml must hold: known places and policies, readable figures, one rule a day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import TypeVar

from backend.kernel import areas
from backend.kernel.money import parse_rate, parse_yuan
from backend.kernel.yaml_file import FileFault, YamlFile
from backend.policies.policy import Policy
from backend.policies.shared_shapes import (
    AdoptionShape,
    LocalitiesShape,
    SeriousIllnessBaseShape,
    WarningThresholdShape,
)

T = TypeVar("T")

Span = tuple[str, date, date | None]
"""Area, first day, last day (None: open)."""


def check_localities(
    localities: LocalitiesShape,
    file: YamlFile,
    policies: Mapping[str, Policy],
    categories: Collection[str],
) -> list[FileFault]:
    """Every fault, with its line. `categories`: those of the vocabulary."""
    adopted = [(one.area, one.from_, one.to) for one in localities.adoptions]
    based = [(one.area, one.from_, one.to) for one in localities.serious_illness_bases]
    return [
        *_adoptions(localities.adoptions, file, policies),
        *_overlaps(adopted, file, "adoptions"),
        *_bases(localities.serious_illness_bases, file),
        *_overlaps(based, file, "serious_illness_bases"),
        *_thresholds(localities.warning_thresholds, file, categories),
        *_threshold_overlaps(localities.warning_thresholds, file),
    ]


def _adoptions(
    adoptions: Sequence[AdoptionShape], file: YamlFile, policies: Mapping[str, Policy]
) -> Iterator[FileFault]:
    for place, adoption in enumerate(adoptions):
        policy = policies.get(adoption.policy)
        if policy is None:
            yield file.fault(f"没有这个政策：{adoption.policy}", "adoptions", place)
        elif policy.area is not None:
            yield file.fault(f"{adoption.policy} 有自己的地区，不是模板", "adoptions", place)
        if not areas.is_area(adoption.area) or adoption.to < adoption.from_:
            yield file.fault("地区代码或日期不对", "adoptions", place)


def _bases(bases: Sequence[SeriousIllnessBaseShape], file: YamlFile) -> Iterator[FileFault]:
    for place, base in enumerate(bases):
        at = ("serious_illness_bases", place)
        if not areas.is_area(base.area) or (base.to is not None and base.to < base.from_):
            yield file.fault("地区代码或日期不对", *at)
        if not _readable(parse_yuan, base.deductible) or not _readable(parse_rate, base.rate):
            yield file.fault("起付线或比例不对", *at)


def _thresholds(
    thresholds: Sequence[WarningThresholdShape], file: YamlFile, categories: Collection[str]
) -> Iterator[FileFault]:
    for place, one in enumerate(thresholds):
        at = ("warning_thresholds", place)
        if not areas.is_area(one.area) or (one.to is not None and one.to < one.from_):
            yield file.fault("地区代码或日期不对", *at)
        if not _readable(parse_yuan, one.threshold):
            yield file.fault("监测标准的金额不对", *at)
        unknown = [code for code in one.categories if code not in categories]
        if unknown or not one.categories:
            named = f"：{'、'.join(unknown)}" if unknown else "，至少写一个"
            yield file.fault(f"救助对象类别不对{named}", *at)


def _threshold_overlaps(
    thresholds: Sequence[WarningThresholdShape], file: YamlFile
) -> Iterator[FileFault]:
    for first, (place, second) in _pairs(thresholds):
        if set(first.categories) & set(second.categories) and _meet(_span(first), _span(second)):
            yield _twice(file, "warning_thresholds", place, first.area)


def _span(one: WarningThresholdShape) -> Span:
    return one.area, one.from_, one.to


def _overlaps(spans: Sequence[Span], file: YamlFile, name: str) -> Iterator[FileFault]:
    for first, (place, second) in _pairs(spans):
        if _meet(first, second):
            yield _twice(file, name, place, first[0])


def _pairs(items: Sequence[T]) -> Iterator[tuple[T, tuple[int, T]]]:
    """Each two of them: the earlier, and the place of the later with it."""
    return ((first, second) for (_, first), second in combinations(enumerate(items), 2))


def _meet(first: Span, second: Span) -> bool:
    (area, start, end), (other, later, last) = first, second
    return area == other and start <= (last or date.max) and later <= (end or date.max)


def _twice(file: YamlFile, name: str, place: int, area: str) -> FileFault:
    return file.fault(f"{area} 同一天有两条，请把前一条的结束日期提前", name, place)


def _readable(parse: Callable[[str], int], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True
