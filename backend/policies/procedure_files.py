"""规程文件 (procedure files): reads `procedures.yaml` of the product and of every policy.

Faults are gathered, each as file, line and a reason in Chinese.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from msgspec import UNSET

from backend.kernel.yaml_file import FileError, FileFault, YamlFile
from backend.policies.policy import Policy, frozen_map
from backend.policies.procedure_checks import (
    Known,
    Written,
    faults_of_clocks,
    faults_of_kind,
    faults_of_own,
    faults_of_policy,
)
from backend.policies.procedure_shapes import (
    ClockShape,
    DaysShape,
    FieldShape,
    PolicyProcedureShape,
    ProcedureShape,
)
from backend.policies.procedures import (
    Choice,
    Clock,
    Deadline,
    Field,
    Paper,
    Procedure,
    RefusalReason,
)

FILE: Final = "procedures.yaml"
CLOCKS_FILE: Final = "clocks.yaml"


@dataclass(frozen=True, slots=True)
class ProceduresRead:
    """`procedures`: policy → kind → procedure; `clocks`: code → clock, in the order of a case."""

    procedures: Mapping[str, Mapping[str, Procedure]]
    clocks: Mapping[str, Clock]


def read_procedures(
    home: Path, folders: Mapping[str, Path], policies: Mapping[str, Policy], known: Known
) -> ProceduresRead:
    """Everything that can be applied for. `folders`: where each policy lies. Raises `FileError`."""
    if not (home / FILE).exists():
        return ProceduresRead(frozen_map({}), frozen_map({}))
    file = YamlFile(home / FILE, FILE)
    own = {one.kind: one for one in file.convert(list[ProcedureShape])}
    faults = list(faults_of_own(file, own, known))
    found: dict[str, Mapping[str, Procedure]] = {}
    for name, folder in folders.items():
        if (folder / FILE).exists() and name in policies:
            theirs = YamlFile(folder / FILE, f"{folder.name}/{FILE}")
            found[name] = _of_policy(Written(policies[name], theirs, own, known), faults)
    clocks = _clocks(home, faults)
    if faults:
        raise FileError(faults)
    return ProceduresRead(frozen_map(found), clocks)


def _clocks(home: Path, faults: list[FileFault]) -> Mapping[str, Clock]:
    file = YamlFile(home / CLOCKS_FILE, CLOCKS_FILE)
    shapes = file.convert(list[ClockShape])
    faults += faults_of_clocks(file, shapes)
    return frozen_map(
        {one.clock: Clock(one.clock, one.name, one.counted_from, one.basis) for one in shapes}
    )


def _of_policy(written: Written, faults: list[FileFault]) -> Mapping[str, Procedure]:
    shapes = written.file.convert(list[PolicyProcedureShape])
    mine = list(faults_of_policy(written, shapes))
    if not mine:
        merged = [_merged(written, shape) for shape in shapes]
        for place, procedure in enumerate(merged):
            mine += faults_of_kind(written, place, procedure)
    faults += mine
    return frozen_map({} if mine else {procedure.kind: procedure for procedure in merged})


def _merged(written: Written, theirs: PolicyProcedureShape) -> Procedure:
    """What the product does, and what the policy does otherwise."""
    own = written.own[theirs.kind]
    values: dict[str, Any] = {
        name: getattr(theirs, name)
        if getattr(theirs, name, UNSET) is not UNSET
        else getattr(own, name)
        for name in ProcedureShape.__struct_fields__
    }
    values["deadlines"] = frozen_map(_deadlines(own, theirs))
    values["notice_rests_on"] = _notice(values["notice"], theirs)
    values["notice"] = _days(values["notice"])
    categories = () if theirs.categories is UNSET else theirs.categories
    fields = [_field(one, categories, written.known) for one in values["fields"]]
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
    return Procedure(
        policy=written.policy.id, clause=theirs.clause, reading=theirs.reading, **values
    )


def _deadlines(own: ProcedureShape, theirs: PolicyProcedureShape) -> dict[str, Deadline]:
    stated = {} if theirs.deadlines is UNSET else theirs.deadlines
    found = {clock: Deadline(days) for clock, days in own.deadlines.items()}
    return found | {clock: _deadline(days, theirs) for clock, days in stated.items()}


def _deadline(days: int | DaysShape, theirs: PolicyProcedureShape) -> Deadline:
    if isinstance(days, DaysShape):
        return Deadline(days.days, days.clause, days.reading)
    return Deadline(days, theirs.clause, theirs.reading)


def _notice(days: int | DaysShape | None, theirs: PolicyProcedureShape) -> Deadline | None:
    if days is None:
        return None
    if theirs.notice is UNSET:
        return Deadline(_days(days) or 0)
    return _deadline(days, theirs)


def _days(days: int | DaysShape | None) -> int | None:
    return days.days if isinstance(days, DaysShape) else days


def _field(shape: FieldShape, categories: Sequence[str], known: Known) -> Field:
    choices = tuple(Choice(one.code, one.label) for one in shape.choices)
    if shape.type == "category":
        choices = tuple(Choice(code, known.categories[code]) for code in categories)
    return Field(
        shape.code, shape.label, shape.help, shape.type, shape.required, choices,
        shape.from_register, shape.longest, shape.least, shape.most, shape.past,
    )  # fmt: skip
