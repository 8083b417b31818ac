"""规程的文件格式: the shapes of `procedures.yaml`: the product's, and what a policy does otherwise.

The product's file says everything of every kind of application. A policy's file names the kinds
that can be applied for under it, with the clause, and whatever is otherwise there.
"""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from backend.policies.procedures import LONGEST, Brings, FieldType, PaperWanted
from backend.policies.shapes import Shape


class ClockShape(Shape, frozen=True):
    """期限: a clock; `basis`: why the product's own days are what they are."""

    clock: str
    name: str
    counted_from: str
    basis: str


class DaysShape(Shape, frozen=True):
    """Working days that rest on another clause than the procedure itself."""

    days: int
    clause: str
    reading: str | None = None


class ChoiceShape(Shape, frozen=True):
    """One of a field's choices."""

    code: str
    label: str


class FieldShape(Shape, frozen=True):
    """What the applicant fills in."""

    code: str
    label: str
    type: FieldType
    help: str = ""
    required: bool = True
    choices: list[ChoiceShape] = []
    from_register: str | None = None
    longest: int = LONGEST
    least: int | None = None
    most: int | None = None
    past: bool = False


class PaperShape(Shape, frozen=True):
    """材料."""

    code: str
    label: str
    help: str = ""
    required: PaperWanted = "never"


class ReasonShape(Shape, frozen=True):
    """Why a case may be refused."""

    code: str
    label: str
    residents: str
    remedy: str


class ProcedureShape(Shape, frozen=True):
    """A kind of application, as the product runs it where a policy says nothing else."""

    kind: str
    name: str
    residents: str
    fields: list[FieldShape]
    papers: list[PaperShape]
    deadlines: dict[str, int]
    refusal_reasons: list[ReasonShape]
    brings: Brings
    filing: bool = False
    notice: int | None = None
    letter: str | None = None
    fast_lane: bool = False
    layer: str | None = None
    consent: str | None = None
    advance: str | None = None
    retention_years: int = 10


class PolicyProcedureShape(Shape, frozen=True):
    """A kind under a policy: the clause it rests on, and what is otherwise. `deadlines` adds to the
    product's; everything else takes its place. `categories`: what `recognition` can be for. Days
    without a clause of their own rest on that of the kind."""

    kind: str
    clause: str
    reading: str | None = None
    name: str | UnsetType = UNSET
    residents: str | UnsetType = UNSET
    categories: list[str] | UnsetType = UNSET
    fields: list[FieldShape] | UnsetType = UNSET
    papers: list[PaperShape] | UnsetType = UNSET
    deadlines: dict[str, int | DaysShape] | UnsetType = UNSET
    filing: bool | UnsetType = UNSET
    notice: int | DaysShape | UnsetType | None = UNSET
    letter: str | UnsetType | None = UNSET
    fast_lane: bool | UnsetType = UNSET
    layer: str | UnsetType | None = UNSET
    consent: str | UnsetType | None = UNSET
    advance: str | UnsetType | None = UNSET
    refusal_reasons: list[ReasonShape] | UnsetType = UNSET
    retention_years: int | UnsetType = UNSET
