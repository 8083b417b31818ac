"""办理规程 (procedures): what a kind of application asks for, who decides, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

FieldType: TypeAlias = Literal[
    "money", "day", "choice", "text", "number", "yes_no", "bills", "grant", "hospital",
    "diagnosis", "category",
]  # fmt: skip
Brings: TypeAlias = Literal[
    "identity", "claim", "amount", "entitlement", "registration", "hand_on", "judgement"
]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a field's choices."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """What the applicant fills in. `from_register`: which known thing fills it; None: nothing."""

    code: str
    label: str
    help: str
    type: FieldType
    required: bool
    choices: tuple[Choice, ...] = ()
    from_register: str | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """材料. `required`: always, never (welcome), or fast_lane: what an emergency begins with."""

    code: str
    label: str
    help: str
    required: Literal["always", "never", "fast_lane"]


@dataclass(frozen=True, slots=True)
class Deadline:
    """Working days of a clock, with the clause or reading they rest on."""

    working_days: int
    clause: str = ""
    reading: str | None = None


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """Why a case may be refused: in the resident's words, with what they can do."""

    code: str
    label: str
    residents: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """How applications of a kind run in a policy. `notice`: for how many days; None: no notice
    follows. `letter`: the template of the commitment letter; None: none is signed."""

    policy: str
    kind: str
    name: str
    fields: Mapping[str, Field]
    papers: Mapping[str, Paper]
    deadlines: Mapping[str, Deadline]
    refusal_reasons: Mapping[str, RefusalReason]
    filing: bool
    notice: int | None
    letter: str | None
    fast_lane: bool
    brings: Brings
    layer: str | None = None
