"""规程文件 (procedure files): reads `procedures.yaml` of the product and of every policy.

Faults are gathered, each as file, line and a reason in Chinese.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET

from backend.kernel.yaml_file import FileError, FileFault, YamlFile
from backend.policies.policy import Policy, frozen_map
from backend.policies.procedure_shapes import (
    FieldShape,
    PolicyProcedureShape,
    ProcedureShape,
)
from backend.policies.procedures import (
    CLOCKS,
    KINDS,
    MOST_FIELDS,
    REGISTER,
    Choice,
    Deadline,
    Field,
    Paper,
    Procedure,
    RefusalReason,
)

FILE: Final = "procedures.yaml"
_LISTED: Final = ("fields", "papers", "refusal_reasons")


@dataclass(frozen=True)
class Known:
    """What names in the files are held against: categories → names, layers, templates of letters
    are named by the letters themselves."""

    categories: Mapping[str, str]
    layers: Mapping[str, str]


def read_procedures(
    home: Path, folders: Mapping[str, Path], policies: Mapping[str, Policy], known: Known
) -> Mapping[str, Mapping[str, Procedure]]:
    """Policy → kind → procedure. `folders`: where each policy lies. Raises `FileError`."""
    if not (home / FILE).exists():
        return frozen_map({})
    file = YamlFile(home / FILE, FILE)
    own = {one.kind: one for one in file.convert(list[ProcedureShape])}
    faults = list(_faults_of_own(file, own, known))
    found: dict[str, Mapping[str, Procedure]] = {}
    for name, folder in folders.items():
        if (folder / FILE).exists():
            theirs = YamlFile(folder / FILE, f"{folder.name}/{FILE}")
            found[name] = _of_policy(policies[name], theirs, own, known, faults)
    if faults:
        raise FileError(faults)
    return frozen_map(found)


def _of_policy(
    policy: Policy,
    file: YamlFile,
    own: Mapping[str, ProcedureShape],
    known: Known,
    faults: list[FileFault],
) -> Mapping[str, Procedure]:
    shapes = file.convert(list[PolicyProcedureShape])
    for place, shape in enumerate(shapes):
        faults += _faults_of_policy(policy, file, (place, shape), own, known)
    kinds = [shape.kind for shape in shapes]
    for place, kind in enumerate(kinds):
        if kind in kinds[:place]:
            faults.append(file.fault(f"“{kind}”写了两次", place, "kind"))
    if faults:
        return {}
    return frozen_map(
        {shape.kind: _merged(policy, own[shape.kind], shape, known) for shape in shapes}
    )


def _merged(
    policy: Policy, own: ProcedureShape, theirs: PolicyProcedureShape, known: Known
) -> Procedure:
    """What the product does, and what the policy does otherwise."""
    values: dict[str, Any] = {
        name: getattr(theirs, name)
        if getattr(theirs, name, UNSET) is not UNSET
        else getattr(own, name)
        for name in ProcedureShape.__struct_fields__
    }
    deadlines = own.deadlines | (theirs.deadlines or {})  # UNSET is false
    values["deadlines"] = frozen_map(
        {clock: _deadline(clock, days, theirs) for clock, days in deadlines.items()}
    )
    categories = () if theirs.categories is UNSET else theirs.categories
    fields = [_field(one, categories, known) for one in values["fields"]]
    values["fields"] = frozen_map({one.code: one for one in fields})
    values["papers"] = frozen_map(
        {one.code: Paper(one.code, one.label, one.help, one.required) for one in values["papers"]}
    )
    values["refusal_reasons"] = frozen_map(
        {
            one.code: RefusalReason(one.code, one.label, one.residents, one.remedy)
            for one in values["refusal_reasons"]
        }
    )
    return Procedure(policy=policy.id, clause=theirs.clause, reading=theirs.reading, **values)


def _deadline(clock: str, days: int, theirs: PolicyProcedureShape) -> Deadline:
    stated = theirs.deadlines is not UNSET and clock in theirs.deadlines
    return Deadline(days, theirs.clause if stated else "", theirs.reading if stated else None)


def _field(shape: FieldShape, categories: Sequence[str], known: Known) -> Field:
    choices = tuple(Choice(one.code, one.label) for one in shape.choices)
    if shape.type == "category":
        choices = tuple(Choice(code, known.categories[code]) for code in categories)
    return Field(
        shape.code, shape.label, shape.help, shape.type, shape.required, choices,
        shape.from_register,
    )  # fmt: skip


def _faults_of_own(
    file: YamlFile, own: Mapping[str, ProcedureShape], known: Known
) -> Iterator[FileFault]:
    for place, (kind, shape) in enumerate(own.items()):
        yield from _faults_of_parts(file, place, shape, known)
        if kind not in KINDS:
            yield file.fault(f"没有这种申请：{kind}", place, "kind")
    if missing := [kind for kind in KINDS if kind not in own]:
        yield file.fault(f"缺少这些种类的规程：{'、'.join(missing)}")


def _faults_of_policy(
    policy: Policy,
    file: YamlFile,
    given: tuple[int, PolicyProcedureShape],
    own: Mapping[str, ProcedureShape],
    known: Known,
) -> Iterator[FileFault]:
    place, shape = given
    if shape.kind not in own:
        yield file.fault(f"没有这种申请：{shape.kind}", place, "kind")
        return
    if shape.clause not in policy.clauses:
        yield file.fault(f"没有这一条：{shape.clause}", place, "clause")
    if shape.reading is not None and shape.reading not in policy.readings:
        yield file.fault(f"没有这条解读：{shape.reading}", place, "reading")
    yield from _faults_of_parts(file, place, shape, known)
    fields = own[shape.kind].fields if shape.fields is UNSET else shape.fields
    asks = any(one.type == "category" for one in fields)
    categories = () if shape.categories is UNSET else shape.categories
    if asks != bool(categories):
        yield file.fault("要认定身份的种类要写 categories，别的种类不写", place, "categories")
    for code in categories:
        if code not in known.categories:
            yield file.fault(f"没有这种身份：{code}", place, "categories")


def _faults_of_parts(
    file: YamlFile, place: int, shape: ProcedureShape | PolicyProcedureShape, known: Known
) -> Iterator[FileFault]:
    for name in _LISTED:
        listed = getattr(shape, name, UNSET)
        codes = [] if listed is UNSET else [one.code for one in listed]
        if len(set(codes)) < len(codes):
            yield file.fault(f"{name} 里有代码写了两次", place, name)
    fields = [] if shape.fields is UNSET else shape.fields
    if sum(one.from_register is None for one in fields) > MOST_FIELDS:
        yield file.fault(f"要申请人填写的最多 {MOST_FIELDS} 项", place, "fields")
    for at, field in enumerate(fields):
        if field.from_register is not None and field.from_register not in REGISTER:
            known_things = "、".join(REGISTER)
            yield file.fault(f"from_register 请从这些里选：{known_things}", place, "fields", at)
        if (field.type == "choice") != bool(field.choices):
            yield file.fault("choice 要写 choices，别的类型不写", place, "fields", at)
    deadlines = {} if shape.deadlines is UNSET else shape.deadlines
    for clock, days in deadlines.items():
        if clock not in CLOCKS or not 0 <= days <= 400:
            yield file.fault(f"期限“{clock}”不认识，或者天数不对", place, "deadlines")
    if isinstance(shape.layer, str) and shape.layer not in known.layers:
        yield file.fault(f"没有这一层支付：{shape.layer}", place, "layer")
