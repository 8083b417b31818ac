"""表头 (header): which column of the file is which of ours; a file that lacks one is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.citizens.exchange.kinds import PAID, Field
from backend.citizens.exchange.mapping import DepartmentMapping
from backend.kernel.yaml_file import FileError, FileFault

SHOWN: Final = 20
LONGEST_SHOWN: Final = 40
"""Of columns that are not used: how many are named, and how much of a name."""


@dataclass(frozen=True)
class Header:
    """`positions`: our column → its place in the file; `shown`: our column → the file's header."""

    positions: Mapping[str, int]
    shown: Mapping[str, str]
    notes: tuple[str, ...]


def bound(
    path: Path,
    headers: Sequence[str],
    fields: Sequence[Field],
    mapping: DepartmentMapping | None,
) -> Header:
    """Our columns bound to the file's; raises `FileError` with everything that is missing."""
    names = [field.name for field in fields]
    places = list(_places(headers, names, mapping))
    positions = {column: place for column, place in places if column in names}
    reasons = list(_reasons(headers, fields, mapping, places))
    if reasons:
        raise FileError([FileFault(path.name, 1, reason) for reason in reasons])
    used = {place for _, place in places}
    unused = [header for place, header in enumerate(headers) if place not in used and header]
    notes = (_unused(unused),) if unused else ()
    shown = {column: headers[place] for column, place in positions.items()}
    return Header(positions, shown, notes)


def _unused(headers: Sequence[str]) -> str:
    shown = "、".join(
        one if len(one) <= LONGEST_SHOWN else f"{one[:LONGEST_SHOWN]}…" for one in headers[:SHOWN]
    )
    more = f" 等 {len(headers)} 列" if len(headers) > SHOWN else ""
    return f"没有用到的列：{shown}{more}"


def _places(
    headers: Sequence[str], names: Sequence[str], mapping: DepartmentMapping | None
) -> Iterator[tuple[str, int]]:
    """Our column and a place in the file, for every header that means one."""
    for place, header in enumerate(headers):
        if mapping is not None and header in mapping.columns:
            for column in mapping.columns[header]:
                yield column, place
        elif header.lower() in names:
            yield header.lower(), place


def _reasons(
    headers: Sequence[str],
    fields: Sequence[Field],
    mapping: DepartmentMapping | None,
    places: Sequence[tuple[str, int]],
) -> Iterator[str]:
    found = [column for column, _ in places]
    constants = {} if mapping is None else mapping.constants
    missing = [f.name for f in fields if f.required and f.name not in {*found, *constants}]
    if missing:
        # The header is not quoted: in a file without one, it is a person.
        yield (
            f"表头缺少这些列：{'、'.join(missing)}。表头是部门自己的叫法时，请用 --mapping 给出"
            "对照文件；每一行都一样的，可以在对照文件的 constants 里写明"
        )
        return
    for column in dict.fromkeys(found):
        if found.count(column) > 1:
            yield f"有两列都是 {column}，请只留一列"
        if column in constants:
            yield f"{column} 在文件里有一列，在对照文件的 constants 里又写了一次，请只留一处"
    if mapping is not None:
        for header in mapping.columns:
            if header not in headers:
                yield f"对照文件里写的“{header}”这一列，表头里没有"
    if any(field.name.startswith(PAID) for field in fields):
        unknown = {h for h in headers if h.lower().startswith(PAID) and h.lower() not in found}
        for header in sorted(unknown):
            yield f"不认识“{header}”这一列：paid_ 后面要写规定的支付层代码"
