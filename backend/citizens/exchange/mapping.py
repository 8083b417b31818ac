"""对照文件 (mapping file): a department's own headers and words → the contract's columns.

```yaml
kind: identities                    # the kind of file it is for
origin_area: "320281"               # optional: the county whose department delivers
columns:                            # its header → our column, or a list of ours
  身份证号: id_number
  救助类别: category
constants: {department: 民政}       # our column → what every row has there
values:                             # our column → its word → ours
  category: {城市低保: subsistence_allowance}
dates: [YYYY/M/D, YYYY年M月D日]     # ways of writing days beside 2024-03-01
money: {total: 万元}                # our column → unit, where it is not yuan: 万元 or 分
areas: {"320571": "320506"}         # first six digits without a national code → the county's
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from backend.citizens.exchange.kinds import KINDS, fields
from backend.citizens.exchange.parsed import by_unique
from backend.citizens.exchange.spellings import DAY_FORMS, as_county, as_iso, shifted
from backend.kernel.areas import is_area
from backend.kernel.yaml_file import FileError, FileFault, YamlFile

PLACES: Final[Mapping[str, int]] = {"元": 0, "万元": 4, "分": -2}
AREA_COLUMNS: Final = ("area_code", "registered_area_code")

_Word = str | int | float | bool | None


class MappingShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as written. YAML reads a bare `on` as true: `columns` means the column `on`."""

    kind: str
    origin_area: str | int | None = None
    columns: dict[str | int, str | bool | list[str | bool]] = {}
    constants: dict[str | bool, Any] = {}
    values: dict[str | bool, dict[str | int | float | bool, _Word]] = {}
    dates: list[str] = []
    money: dict[str, str] = {}
    areas: dict[str | int, str | int] = {}


@dataclass(frozen=True)
class DepartmentMapping:
    """A mapping file, checked. All texts; `columns`: header → our columns."""

    kind: str
    origin_area: int | None
    columns: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    dates: tuple[str, ...]
    money: Mapping[str, str]
    areas: Mapping[str, str]

    def translated(self, column: str, cells: pl.Series) -> pl.Series:
        """Trimmed text of the department → text of the contract; what it does not know stays."""
        if column in self.values:
            cells = by_unique(cells, lambda word: self.values[column].get(word, word))
        if column in _DAYS and self.dates:
            cells = by_unique(cells, lambda day: as_iso(day, self.dates))
        if column in AREA_COLUMNS and self.areas:
            cells = by_unique(cells, lambda code: as_county(code, self.areas))
        if (places := PLACES[self.money.get(column, "元")]) != 0:
            cells = by_unique(cells, lambda amount: shifted(amount, places))
        return cells


_DAYS: Final = frozenset(
    ("from", "to", "applied_on", "taper_until", "on", "born_on", "admitted_on", "discharged_on")
)


def load_mapping(path: Path) -> DepartmentMapping:
    """A mapping file; raises `FileError` with every fault and its line."""
    file = YamlFile(path, path.name)
    shape = file.convert(MappingShape)
    faults = list(_faults(file, shape))
    if faults:
        raise FileError(sorted(faults))
    return DepartmentMapping(
        kind=shape.kind,
        origin_area=None if shape.origin_area is None else int(shape.origin_area),
        columns={str(header): _names(target) for header, target in shape.columns.items()},
        constants={_name(column): _text(word) for column, word in shape.constants.items()},
        values={
            _name(column): {_text(word): _text(ours) for word, ours in words.items()}
            for column, words in shape.values.items()
        },
        dates=tuple(shape.dates),
        money=shape.money,
        areas={str(theirs): str(ours) for theirs, ours in shape.areas.items()},
    )


def _names(target: str | bool | list[str | bool]) -> tuple[str, ...]:
    return tuple(_name(one) for one in (target if isinstance(target, list) else [target]))


def _name(column: str | bool) -> str:
    return "on" if column is True else str(column)


def _text(word: _Word | date) -> str:
    if word is None:
        return ""
    return str(int(word)) if isinstance(word, bool) else str(word)


def _faults(file: YamlFile, shape: MappingShape) -> Iterator[FileFault]:
    if shape.kind not in KINDS:
        yield file.fault(f"没有这种文件，kind 请填 {'、'.join(KINDS)} 之一", "kind")
        return
    known = {field.name for field in fields(shape.kind, date.max)}
    yield from _unknown_columns(file, shape, known)
    yield from _unclear_words(file, shape)
    for place, form in enumerate(shape.dates):
        if form not in DAY_FORMS:
            reason = f"不认识的日期写法，请从这些里选：{'、'.join(DAY_FORMS)}"
            yield file.fault(reason, "dates", place)
    for column, unit in shape.money.items():
        if unit not in PLACES:
            yield file.fault(f"单位请填 {'、'.join(PLACES)} 之一", "money", column)
    if shape.origin_area is not None and not is_area(str(shape.origin_area)):
        yield file.fault("没有这个行政区划，请填 6 位区划代码", "origin_area")
    for theirs, ours in shape.areas.items():
        if len(str(theirs)) != 6 or not is_area(str(ours)):
            reason = "两边都要填 6 位区划代码，右边的要是现行的县（市、区）"
            yield file.fault(reason, "areas", str(theirs))


def _unknown_columns(file: YamlFile, shape: MappingShape, known: set[str]) -> Iterator[FileFault]:
    reason = f"没有这一列，{shape.kind} 的列是：{'、'.join(sorted(known))}"
    for header, target in shape.columns.items():
        if not set(_names(target)) <= known:
            yield file.fault(reason, "columns", str(header))
    named = [("constants", column) for column in shape.constants]
    named += [("values", column) for column in shape.values]
    named += [("money", column) for column in shape.money]
    for section, column in named:
        if _name(column) not in known:
            yield file.fault(reason, section, _name(column))


def _unclear_words(file: YamlFile, shape: MappingShape) -> Iterator[FileFault]:
    """A bare yes among them: YAML reads it as true, and the word that was meant is lost."""
    for column, word in shape.constants.items():
        if isinstance(word, list | dict):
            yield file.fault("一列只能写一个值", "constants", _name(column))
    for column, words in shape.values.items():
        if any(isinstance(word, bool) for word in words):
            reason = 'yes、no、on、off 这样的词要加引号，写成 "yes"'
            yield file.fault(reason, "values", _name(column))
