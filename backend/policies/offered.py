"""可申请事项 (offered): what can be applied for at a place on a day, and how each kind runs, with
what every figure rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.policies.benefit_rows import NamedCode
from backend.policies.book import PolicyBook
from backend.policies.policy import Policy
from backend.policies.procedures import CLOCKS, NOTICE, Deadline, Procedure
from backend.policies.shapes import ReadingShape
from backend.policies.standing import Decision, decide

BRINGS: Final[Mapping[str, str]] = {
    "identity": "认定以后，救助自动来",
    "claim": "批准以后，选的费用单按规定救助",
    "amount": "批准多少，发放多少",
    "entitlement": "认定以后，可以享受这项待遇",
    "registration": "登记以后，看病费用按规定结算",
    "hand_on": "您同意以后，转给能帮您的组织",
    "judgement": "重新核对，把结果告诉您",
}
DECIDES: Final[Mapping[str, str]] = {
    "township": "乡镇（街道）当场办理",
    "county": "乡镇（街道）初审，县（市、区）审批",
}


@dataclass(frozen=True, slots=True)
class Period:
    """A deadline in words. `basis`: what its days rest on; `clause`: of the policy, None: the
    product's own days; `reading`: where the clause leaves it open."""

    clock: str
    name: str
    working_days: int
    counted_from: str
    basis: str
    clause: str | None
    reading: ReadingShape | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that can be applied for. `cited_as`: the policy that the clause is of; `layer`: which
    layer pays a claim; `notice`: None: none follows."""

    procedure: Procedure
    cited_as: str
    reading: ReadingShape | None
    brings: NamedCode
    layer: NamedCode | None
    deadlines: tuple[Period, ...]
    notice: Period | None


@dataclass(frozen=True, slots=True)
class Offered:
    """What can be applied for. `policy`: whose procedures hold, which is not always the policy that
    decides; `sentence` says why; `version`: of these procedures."""

    decision: Decision
    policy: Policy | None
    version: str
    sentence: str
    kinds: tuple[Kind, ...]


def offered_at(book: PolicyBook, area: str, day: date) -> Offered:
    """What people registered in `area` can apply for on `day`. Raises `UnknownArea`."""
    decision = decide(book, area, day)
    own = book.applied_by(area, day)
    policy = book.policies.get(own)
    kinds = () if policy is None else tuple(_kinds(book, policy, area, day))
    sentence = _sentence(decision, policy)
    return Offered(decision, policy, book.procedures_version(own), sentence, kinds)


def _kinds(book: PolicyBook, policy: Policy, area: str, day: date) -> Iterator[Kind]:
    for one in book.procedures_at(area, day).values():
        layers = book.vocabulary.layers
        yield Kind(
            procedure=one,
            cited_as=policy.cited_as,
            reading=_reading(policy, one.reading),
            brings=NamedCode(one.brings, BRINGS[one.brings]),
            layer=None if one.layer is None else NamedCode(one.layer, layers[one.layer]),
            deadlines=tuple(_deadlines(book, policy, one)),
            notice=_notice(book, policy, one),
        )


def _deadlines(book: PolicyBook, policy: Policy, procedure: Procedure) -> Iterator[Period]:
    for clock in CLOCKS:
        deadline = procedure.deadlines.get(clock)
        if deadline is not None:
            yield _period(book, policy, clock, deadline)


def _notice(book: PolicyBook, policy: Policy, procedure: Procedure) -> Period | None:
    rests = procedure.notice_rests_on
    return None if rests is None else _period(book, policy, NOTICE, rests)


def _period(book: PolicyBook, policy: Policy, clock: str, deadline: Deadline) -> Period:
    words = book.clocks[clock]
    basis = f"{policy.cited_as}{deadline.clause}" if deadline.clause else words.basis
    return Period(
        clock, words.name, deadline.working_days, words.counted_from, basis,
        deadline.clause or None, _reading(policy, deadline.reading),
    )  # fmt: skip


def _reading(policy: Policy, name: str | None) -> ReadingShape | None:
    return None if name is None else policy.readings[name]


def _sentence(decision: Decision, policy: Policy | None) -> str:
    if policy is None:
        return "这里还不能在线申请。请到乡镇（街道）服务窗口办理。"
    title = f"《{policy.document.short_title}》"
    if decision.decides is policy:
        return f"按{title}申请。"
    if policy.state_on(decision.on) == "expired" and policy.id in _concerned(decision):
        return f"{title}已经失效，它施行期间的事项仍按它的办法申请。"
    if decision.decides is not None:
        return f"当地的政策没有写申请的办法，按{title}的办法申请。"
    return f"当地没有可以确定有效的政策，先按{title}的办法申请，由当地核对。"


def _concerned(decision: Decision) -> tuple[str, ...]:
    return tuple(one.policy.id for one in decision.concerning)
