"""办理规程 (procedures): what a kind of application asks for, who decides, and until when.

The catalogue has them as data (`procedure_files.py`): the product's own, and what each policy does
otherwise. They decide no money, so that they change nothing of the version of a policy's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias

from backend.kernel.errors import DomainError

FieldType: TypeAlias = Literal[
    "money", "day", "choice", "text", "number", "yes_no", "bills", "grant", "hospital",
    "diagnosis", "category", "phone",
]  # fmt: skip
PaperWanted: TypeAlias = Literal["always", "never", "fast_lane", "no_promise"]
Brings: TypeAlias = Literal[
    "identity", "claim", "amount", "entitlement", "registration", "hand_on", "judgement"
]
KINDS: Final[Mapping[str, str]] = {
    "recognition": "医疗救助认定",
    "special_assistance": "医疗专项救助",
    "high_cost_relief": "高额费用化解",
    "temporary_relief": "临时救助",
    "chronic_certification": "门诊慢特病认定",
    "referral": "转诊登记",
    "away_registration": "异地就医备案",
    "charity": "慈善帮扶",
    "objection": "对救助结果的异议",
    "correction": "更正登记信息",
}
"""Every kind of application there is → its short name."""
CLOCKS: Final = (
    "first_review", "approval", "supplement", "papers_owed", "notice", "appeal", "appeal_review",
    "revocation", "draft", "promise_barred",
)  # fmt: skip
"""What a procedure may set a period for. `draft`: after how many days one that lies is over;
`promise_barred`: for how long who made a false promise applies by promise no more."""
NOTICE: Final = "notice"
LETTERS: Final = ("household_economy", "referral_consent", "handover", "claim_assignment")
"""Templates of letters that an application may be signed with."""
REGISTER: Final = ("phone", "household_income", "household_size", "insurance", "rural")
"""What the register may fill a field in with."""
MOST_FIELDS: Final = 12
LONGEST: Final = 500
"""Characters of an answer, where the field does not say fewer."""


class UnknownKind(DomainError):
    """The place has no such kind of application."""

    code: ClassVar[str] = "unknown-application-kind"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a field's choices."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """What the applicant fills in. `from_register`: which known thing fills it; None: nothing.
    `longest`: characters; `least`, `most`: of a number, or whole yuan of money; `past`: a day that
    may not lie ahead."""

    code: str
    label: str
    help: str
    type: FieldType
    required: bool
    choices: tuple[Choice, ...] = ()
    from_register: str | None = None
    longest: int = LONGEST
    least: int | None = None
    most: int | None = None
    past: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """材料. `required`: always, never (welcome), fast_lane: what an emergency begins with, or
    no_promise: what the letter stands in for, of who may not promise."""

    code: str
    label: str
    help: str
    required: PaperWanted


@dataclass(frozen=True, slots=True)
class Deadline:
    """Working days of a clock, with the clause of the policy and the reading they rest on; "": the
    product's own, for a reason that `Clock.basis` says."""

    working_days: int
    clause: str = ""
    reading: str | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """期限. `counted_from`: what it is counted from; `basis`: why the product's own days are what
    they are, where a policy says nothing."""

    clock: str
    name: str
    counted_from: str
    basis: str


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """Why a case may be refused: in the resident's words, with what they can do."""

    code: str
    label: str
    residents: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """How applications of a kind run in a policy. `notice`: for how many working days; None: no
    notice follows. `letter`: the template of the commitment letter; None: none is signed.
    `consent`: the purpose that must be agreed to before anything is handed on. `clause`, `reading`:
    what the policy says of it; `notice_rests_on`: and of the notice. `advance`: the clause by which
    a hospital may advance the money against the assigned claim (垫付); None: none does.
    """

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
    residents: str = ""
    clause: str = ""
    reading: str | None = None
    consent: str | None = None
    retention_years: int = 10
    notice_rests_on: Deadline | None = None
    advance: str | None = None

    @property
    def decides(self) -> Literal["township", "county"]:
        """Who decides: the township files at once, the county approves what it reviewed."""
        return "township" if self.filing else "county"
