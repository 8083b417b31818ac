"""进度 (progress): where a known person's assistance stands, without amounts, names or illnesses.

What is told are stages only: the chat may be read over somebody's shoulder. Amounts and details
stand on the page that the card opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from backend.assistant.wording import day
from backend.kernel.clock import CHINA

DECIDED: Final = "decided"
ACCOUNT: Final = "account"
STAGES: Final[Mapping[str, str]] = {
    DECIDED: "{n} 笔已经决定，正在安排付款",
    "due": "{n} 笔已经决定，正在安排付款",
    "ordered": "{n} 笔已经交给银行，等银行到账",
    "paid": "{n} 笔已经付到登记的账户，最近一次是{day}",
    "settled": "{n} 笔已经在医院结算时付了",
    "held": "{n} 笔在等工作人员核实，不用您办什么",
    "returned": "{n} 笔被银行退回，多半是账户不对，请让工作人员核对银行卡（回“人工”）",
    "refund_due": "{n} 笔有变化，工作人员会联系您，请先不要自己转钱",
}
"""State of a payment → how it is told."""
NOTHING: Final = (
    "还没有查到已经决定的救助。已经认定的救助对象不用申请，系统每月按医院的结算数据核对一次；"
    "刚出院的，要等医院的数据到了才算得出来。"
)
NO_FAMILY: Final = (
    "没有查到您代办的家人的救助：可能还没有决定，也可能还没有登记由您代办，那样我不能告诉您。"
    "要登记，请让家人在小程序里同意，或请村（社区）协管员帮忙。查您本人的，请说“查我的进度”。"
)
NO_ACCOUNT: Final = "还缺收款账户，请把本人的银行卡告诉村（社区）协管员登记，不要发在这里"
SOURCE: Final = "金额和明细请点下面的卡片看。"
NOT_KNOWN: Final = (
    "要查进度，得先知道您是谁。请点下面的卡片，在小程序里完成实名登记，再来问我。"
    "不会用手机的，请回“人工”。请不要把身份证号发在这里。"
)

_SINCE_YEARS: Final = 1
_CONCERNED: Final = """
    WITH concerned AS (
        SELECT same AS id, one AS now
        FROM unnest(:people) AS one, unnest(same_people(ARRAY[one])) AS same
    )
"""
_STAGES: Final = text(
    f"""
    {_CONCERNED}
    SELECT c.now = :own, i.state, count(*), max(i.changed_at)
    FROM payment_item AS i JOIN concerned AS c ON c.id = i.person_id
    WHERE i.year >= :year AND i.state = ANY(:states) GROUP BY 1, 2
    UNION ALL
    SELECT c.now = :own, '{DECIDED}', count(DISTINCT (e.bill_id, e.layer)), NULL
    FROM grant_entry AS e JOIN concerned AS c ON c.id = e.person_id
        JOIN match_run AS r ON r.id = e.run_id AND r.state = 'released'
    WHERE e.year >= :year AND e.kind IN (1, 2) AND NOT EXISTS (
        SELECT FROM payment_entry AS p
        WHERE (p.bill_id, p.layer, p.seq) = (e.bill_id, e.layer, e.seq)
    ) GROUP BY 1
    UNION ALL
    SELECT c.now = :own, '{ACCOUNT}', count(*), NULL
    FROM work_item AS w JOIN concerned AS c ON c.id = w.person_id
    WHERE w.kind = 'payee_missing' AND w.state <> 'done' GROUP BY 1
    """
).bindparams(bindparam("people", type_=ARRAY(BigInteger)))


@dataclass(frozen=True, slots=True)
class Stage:
    """How many payments stand at a state; `own`: the person's own, else of people acted for.
    `last`: the day of the last change, in China."""

    own: bool
    state: str
    count: int
    last: date | None


def stages_of(
    session: Session, own: int | None, people: Sequence[int], today: date
) -> tuple[Stage, ...]:
    """Where the assistance of these people stands, this year's and last year's; as `worker`."""
    asked = {
        "own": own,
        "people": list(people),
        "year": today.year - _SINCE_YEARS,
        "states": list(STAGES),
    }
    return tuple(
        Stage(bool(is_own), state, count, last and last.astimezone(CHINA).date())
        for is_own, state, count, last in session.execute(_STAGES, asked)
    )


def told(stages: Sequence[Stage]) -> str:
    """The stages in plain words."""
    lines = [*_lines("您本人：", stages, own=True), *_lines("您代办的家人：", stages, own=False)]
    return "\n".join((*lines, SOURCE)) if lines else NOTHING


def told_of_family(stages: Sequence[Stage]) -> str:
    """The stages of those whom the person acts for, where a relative was asked about."""
    lines = list(_lines("您代办的家人：", stages, own=False))
    return "\n".join((*lines, SOURCE)) if lines else NO_FAMILY


def _lines(whose: str, stages: Sequence[Stage], *, own: bool) -> Iterator[str]:
    found = {stage.state: stage for stage in stages if stage.own == own}
    parts = [_part(found[state]) for state in (*STAGES, ACCOUNT) if state in found]
    if parts:
        yield f"{whose}{'；'.join(parts)}。"


def _part(stage: Stage) -> str:
    if stage.state == ACCOUNT:
        return NO_ACCOUNT
    last = "" if stage.last is None else day(stage.last)
    return STAGES[stage.state].format(n=stage.count, day=last)
