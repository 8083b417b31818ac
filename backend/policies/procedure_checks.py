"""规程检查 (procedure checks): what a `procedures.yaml` must hold beyond its shape, each fault with
its line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from backend.kernel.yaml_file import FileFault, YamlFile
from backend.policies.policy import Policy
from backend.policies.procedure_shapes import (
    ClockShape,
    DaysShape,
    FieldShape,
    PolicyProcedureShape,
    ProcedureShape,
)
from backend.policies.procedures import (
    CLOCKS,
    KINDS,
    LETTERS,
    LONGEST,
    MOST_FIELDS,
    NOTICE,
    REGISTER,
    Procedure,
)

MOST_DAYS: Final = 400
MOST_YEARS: Final = 100
ALWAYS: Final = ("first_review", "supplement", "appeal", "appeal_review", "revocation", "draft")
"""The clocks that every kind may come to need."""
_LISTED: Final = ("fields", "papers", "refusal_reasons")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Known:
    """What names in the files are held against: categories and layers → names."""

    categories: Mapping[str, str]
    layers: Mapping[str, str]


@dataclass(frozen=True)
class Written:
    """The file of a policy, with what it stands on: the policy, the product's own procedures."""

    policy: Policy
    file: YamlFile
    own: Mapping[str, ProcedureShape]
    known: Known


def faults_of_clocks(file: YamlFile, shapes: Sequence[ClockShape]) -> Iterator[FileFault]:
    """The clocks, each once, in the order of a case."""
    codes = [shape.clock for shape in shapes]
    if codes != list(CLOCKS):
        yield file.fault(f"期限要按这个次序，每种写一次：{'、'.join(CLOCKS)}")


def faults_of_own(
    file: YamlFile, own: Mapping[str, ProcedureShape], known: Known
) -> Iterator[FileFault]:
    """The product's own: every kind, and nothing else."""
    for place, (kind, shape) in enumerate(own.items()):
        yield from _parts(file, place, shape, known)
        if kind not in KINDS:
            yield file.fault(f"没有这种申请：{kind}", place, "kind")
    if missing := [kind for kind in KINDS if kind not in own]:
        yield file.fault(f"缺少这些种类的规程：{'、'.join(missing)}")


def faults_of_policy(
    written: Written, shapes: Sequence[PolicyProcedureShape]
) -> Iterator[FileFault]:
    """What a policy's own file says."""
    for place, shape in enumerate(shapes):
        if shape.kind in [one.kind for one in shapes[:place]]:
            yield written.file.fault(f"“{shape.kind}”写了两次", place, "kind")
        if shape.kind not in written.own:
            yield written.file.fault(f"没有这种申请：{shape.kind}", place, "kind")
            continue
        yield from _rests(written, place, shape)
        yield from _parts(written.file, place, shape, written.known)
        yield from _categories(written, place, shape)


def faults_of_kind(written: Written, place: int, kind: Procedure) -> Iterator[FileFault]:
    """What a kind must have, once what the product and the policy say of it is put together."""
    file = written.file
    wanted = [*ALWAYS, *(() if kind.filing else ("approval",))]
    wanted += ["papers_owed"] if kind.fast_lane else []
    if missing := [clock for clock in wanted if clock not in kind.deadlines]:
        yield file.fault(f"缺少这些期限：{'、'.join(missing)}", place, "deadlines")
    if kind.filing and kind.notice is not None:
        yield file.fault("备案类当场办好，不公示：filing 和 notice 只能写一个", place, "notice")
    if kind.filing and kind.fast_lane:
        yield file.fault(
            "备案类当场办好，没有急重病通道：filing 和 fast_lane 只能有一个", place, "fast_lane"
        )
    if kind.fast_lane != any(one.required == "fast_lane" for one in kind.papers.values()):
        yield file.fault(
            "有急重病通道的，至少一种材料写 required: fast_lane；没有的不写", place, "papers"
        )
    if ("promise_barred" in kind.deadlines) != any(
        one.required == "no_promise" for one in kind.papers.values()
    ):
        yield file.fault(
            "有 promise_barred 期限的，至少一种材料写 required: no_promise；没有的不写",
            place, "papers",
        )  # fmt: skip
    yield from _claims(written, place, kind)


def _claims(written: Written, place: int, kind: Procedure) -> Iterator[FileFault]:
    file = written.file
    if (kind.brings == "claim") != (kind.layer is not None):
        yield file.fault("申请费用救助的要写 layer，别的不写", place, "layer")
    if kind.brings != "claim":
        if kind.advance is not None:
            yield file.fault("只有申请费用救助的才有垫付", place, "advance")
        return
    if not any(one.type == "bills" and one.required for one in kind.fields.values()):
        yield file.fault("申请费用救助的要有一项必填的 bills", place, "fields")
    if kind.layer not in [one.layer for one in written.policy.benefits.layers]:
        yield file.fault(f"benefits.yaml 里没有 {kind.layer} 这一层", place, "layer")


def _rests(written: Written, place: int, shape: PolicyProcedureShape) -> Iterator[FileFault]:
    """Clauses and readings exist."""
    stated: list[tuple[str, str, str | None]] = [("clause", shape.clause, shape.reading)]
    deadlines = {} if shape.deadlines is UNSET else shape.deadlines
    for name, days in (*deadlines.items(), (NOTICE, shape.notice)):
        if isinstance(days, DaysShape):
            at = NOTICE if name == NOTICE else "deadlines"
            stated.append((at, days.clause, days.reading))
    if isinstance(shape.advance, str):
        stated.append(("advance", shape.advance, None))
    for at, clause, reading in stated:
        if clause not in written.policy.clauses:
            yield written.file.fault(f"没有这一条：{clause}", place, at)
        if reading is not None and reading not in written.policy.readings:
            where = "reading" if at == "clause" else at
            yield written.file.fault(f"没有这条解读：{reading}", place, where)


def _categories(written: Written, place: int, shape: PolicyProcedureShape) -> Iterator[FileFault]:
    own = written.own[shape.kind]
    fields = own.fields if shape.fields is UNSET else shape.fields
    asks = any(one.type == "category" and one.required for one in fields)
    categories = [] if shape.categories is UNSET else shape.categories
    if asks != bool(categories) or asks != (own.brings == "identity"):
        reason = "要认定身份的种类要写 categories，并有一项必填的 category；别的种类不写"
        yield written.file.fault(reason, place, "categories")
    document = written.policy.document
    named = {*document.beneficiaries, *(one for n in document.notices for one in n.categories)}
    for code in categories:
        if code not in written.known.categories:
            yield written.file.fault(f"没有这种身份：{code}", place, "categories")
        elif code not in named:
            reason = f"这份政策没有把 {code} 列为救助对象，认定了也没有待遇"
            yield written.file.fault(reason, place, "categories")
    yield from _twice(written.file, categories, place, "categories")


def _parts(
    file: YamlFile, place: int, shape: ProcedureShape | PolicyProcedureShape, known: Known
) -> Iterator[FileFault]:
    for name in _LISTED:
        listed = getattr(shape, name, UNSET)
        codes = [] if listed is UNSET else [one.code for one in listed]
        yield from _twice(file, codes, place, name)
        for at, code in enumerate(codes):
            if not _CODE.fullmatch(code):
                reason = f"代码“{code}”只能用小写字母、数字和下划线，以字母开头，最多 40 个"
                yield file.fault(reason, place, name, at)
    yield from _fields(file, place, [] if shape.fields is UNSET else shape.fields)
    yield from _periods(file, place, shape)
    if isinstance(shape.layer, str) and shape.layer not in known.layers:
        yield file.fault(f"没有这一层支付：{shape.layer}", place, "layer")
    if isinstance(shape.letter, str) and shape.letter not in LETTERS:
        yield file.fault(f"没有这种承诺书，请从这些里选：{'、'.join(LETTERS)}", place, "letter")
    years = shape.retention_years
    if isinstance(years, int) and not 1 <= years <= MOST_YEARS:
        yield file.fault(f"保存年限要在 1 和 {MOST_YEARS} 之间", place, "retention_years")


def _fields(file: YamlFile, place: int, fields: Sequence[FieldShape]) -> Iterator[FileFault]:
    if sum(one.from_register is None for one in fields) > MOST_FIELDS:
        yield file.fault(f"要申请人填写的最多 {MOST_FIELDS} 项", place, "fields")
    for at, field in enumerate(fields):
        if field.from_register is not None and field.from_register not in REGISTER:
            known_things = "、".join(REGISTER)
            yield file.fault(f"from_register 请从这些里选：{known_things}", place, "fields", at)
        if (field.type == "choice") != bool(field.choices):
            yield file.fault("choice 要写 choices，别的类型不写", place, "fields", at)
        if not 1 <= field.longest <= LONGEST:
            yield file.fault(f"longest 要在 1 和 {LONGEST} 之间", place, "fields", at)
        bounds = [one for one in (field.least, field.most) if one is not None]
        if bounds and (field.type not in ("number", "money") or bounds != sorted(bounds)):
            yield file.fault("least、most 只写在 number、money，从小到大", place, "fields", at)
        if field.past and field.type != "day":
            yield file.fault("past 只写在 day", place, "fields", at)
        yield from _twice(file, [one.code for one in field.choices], place, "fields", at)


def _periods(
    file: YamlFile, place: int, shape: ProcedureShape | PolicyProcedureShape
) -> Iterator[FileFault]:
    deadlines = {} if shape.deadlines is UNSET else shape.deadlines
    for clock, days in deadlines.items():
        if clock == NOTICE:
            yield file.fault("公示几天写在 notice，不写在 deadlines", place, "deadlines")
        elif clock not in CLOCKS or not 0 <= _days(days) <= MOST_DAYS:
            yield file.fault(f"期限“{clock}”不认识，或者天数不对", place, "deadlines")
    notice = shape.notice
    if isinstance(notice, int | DaysShape) and not 1 <= _days(notice) <= MOST_DAYS:
        yield file.fault(f"公示的天数要在 1 和 {MOST_DAYS} 之间", place, "notice")


def _days(days: int | DaysShape) -> int:
    return days.days if isinstance(days, DaysShape) else days


def _twice(file: YamlFile, codes: Collection[str], *path: str | int) -> Iterator[FileFault]:
    if len(set(codes)) < len(codes):
        yield file.fault("同一个代码写了两次", *path)
