"""病种 (diagnoses): the named groups of diagnoses that entitlements ask for, by ICD-10 code.

A group is a bit. The bits of a bill's diagnosis are made when the bill is taken and kept in plain
text (`bill.disease_classes`): they name no illness more closely than an entitlement does, and the
code itself is sealed. Where a code cannot tell (that insulin is used stands in none), the group has
a second bit, the unclear one, and a person decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from backend.kernel.yaml_file import FileError, FileFault, YamlFile
from backend.policies.policy import Policy
from backend.policies.shapes import Shape

FILE: Final = Path(__file__).with_name("diagnoses.yaml")
BITS: Final = 31
"""`bill.disease_classes` is a signed integer of 32 bits."""

_SPAN: Final = re.compile(r"([A-Z]\d\d(?:\.\d)?)(?:-([A-Z]\d\d(?:\.\d)?))?")
_BETWEEN_CODES: Final = re.compile(r"[^0-9A-Z.]+")
_CATEGORY: Final = 3
"""Characters of a category of ICD-10, such as I10."""


class UnknownDiagnosis(ValueError):
    """A catalogue names a group of diagnoses that the file does not have."""


class DiagnosisShape(Shape, frozen=True):
    """One group, or the part of it for which the code cannot tell."""

    code: str
    name: str
    bit: int
    icd10: list[str]
    certain: bool = True
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A named group. `bits`: a code that tells; `unclear`: one that cannot, and `why` not."""

    code: str
    name: str
    bits: int
    unclear: int
    why: str


@lru_cache(maxsize=1 << 16)
def classes_of(icd10: str) -> int:
    """The bits of every group that the diagnosis belongs to, unclear ones too; 0: none.

    Several codes (a dagger with its asterisk: `E11.200+N08.3*`) count together. Whether the dot
    stands, and the letters' case and width, do not matter.
    """
    found = 0
    for code in _BETWEEN_CODES.split(unicodedata.normalize("NFKC", icd10).upper()):
        plain = code.replace(".", "")
        for prefix, bits in _by_category().get(plain[:_CATEGORY], ()):
            if plain.startswith(prefix):
                found |= bits
    return found


def bit(code: str) -> int:
    """The bit of a group, as a mask; 0 where no code can tell. Raises `UnknownDiagnosis`."""
    return group(code).bits


def unclear_bit(code: str) -> int:
    """The bit for codes that cannot tell, as a mask; 0: all can. Raises `UnknownDiagnosis`."""
    return group(code).unclear


def group(code: str) -> Group:
    """The group of this name. Raises `UnknownDiagnosis`."""
    found = groups().get(code)
    if found is None:
        raise UnknownDiagnosis(f"diagnoses.yaml 里没有这个病种：{code}，请先写明它的 ICD-10 编码。")
    return found


def missing_groups(policies: Iterable[Policy]) -> Iterator[str]:
    """What is named in entitlements and has no group, each as a sentence that says where."""
    for policy in policies:
        for entitlement in policy.entitlements:
            for code in entitlement.conditions.diagnoses or ():
                if code not in groups():
                    yield (
                        f"{policy.id}/entitlements.yaml：{entitlement.code} 写了病种 {code}，"
                        "diagnoses.yaml 里没有它的 ICD-10 编码"
                    )


@cache
def groups() -> Mapping[str, Group]:
    """Every group by its name. Raises `FileError` with line and reason."""
    found: dict[str, Group] = {}
    for shape in _shapes():
        own = 1 << shape.bit
        before = found.get(shape.code, Group(shape.code, shape.name, 0, 0, ""))
        if shape.certain:
            own_bits, unclear = before.bits | own, before.unclear
        else:
            own_bits, unclear = before.bits, before.unclear | own
        found[shape.code] = Group(
            shape.code, shape.name, own_bits, unclear, shape.why or before.why
        )
    return found


@cache
def _by_category() -> Mapping[str, Sequence[tuple[str, int]]]:
    """Category (`I10`) → the prefixes below it, without dots, with their bits."""
    found: dict[str, list[tuple[str, int]]] = {}
    for shape in _shapes():
        for prefix in _prefixes(shape.icd10):
            found.setdefault(prefix[:_CATEGORY], []).append((prefix, 1 << shape.bit))
    return found


@cache
def _shapes() -> Sequence[DiagnosisShape]:
    return read_groups(FILE)


def read_groups(path: Path) -> Sequence[DiagnosisShape]:
    """The groups of a file. Raises `FileError`: a bit given twice, a code that is none."""
    file = YamlFile(path, path.name)
    shapes = file.convert(list[DiagnosisShape])
    faults = [fault for place in range(len(shapes)) for fault in _faults(file, shapes, place)]
    if faults:
        raise FileError(faults)
    return shapes


def _faults(file: YamlFile, shapes: Sequence[DiagnosisShape], place: int) -> Iterator[FileFault]:
    shape = shapes[place]
    if shape.bit not in range(BITS):
        yield file.fault(f"bit 要在 0 和 {BITS - 1} 之间", place, "bit")
    if any(other.bit == shape.bit for other in shapes[:place]):
        yield file.fault(f"bit {shape.bit} 已经给了别的病种", place, "bit")
    if shape.certain == bool(shape.why):
        yield file.fault("certain 是 false 的，要在 why 里写明原因，别的不写", place)
    for span in shape.icd10:
        if not _is_span(span):
            yield file.fault(
                f"不是 ICD-10 编码：{span}，写成 I10、I10.1 或 I10-I15", place, "icd10"
            )


def _is_span(span: str) -> bool:
    match = _SPAN.fullmatch(span)
    if match is None or match[2] is None:
        return match is not None
    return len(match[1]) == len(match[2]) and match[1][0] == match[2][0] and match[1] < match[2]


def _prefixes(spans: Iterable[str]) -> Iterator[str]:
    """Each code, without its dot; a span gives every code from its first to its last."""
    for span in spans:
        first, _, last = span.replace(".", "").partition("-")
        for number in range(int(first[1:]), int((last or first)[1:]) + 1):
            yield f"{first[0]}{number:0{len(first) - 1}d}"
