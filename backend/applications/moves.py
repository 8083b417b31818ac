"""办理流程 (moves): every move of a case, and what a state is called. One table for all kinds.

The database holds the same rows (`application_move`, `application_state`) and refuses every other
move; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Seat: TypeAlias = Literal["applicant", "township", "county", "system", "system_or_county"]
APPLICANT: Final = "applicant"
SYSTEM: Final = "system"


@dataclass(frozen=True, slots=True)
class State:
    """Where a case can be. `desk`: who has it; `name` for staff and residents."""

    name: str
    desk: str
    over: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """One move. `given`: for which cases (`filing`, `notice` …); `apart`: who did one of these
    deeds in the case may not make it."""

    deed: str
    from_state: str
    to_state: str
    seat: Seat
    given: str = ""
    apart: tuple[str, ...] = ()


_TOWNSHIP, _COUNTY = "township_reviewer", "county_officer"
STATES: Final[Mapping[str, State]] = {
    "draft": State("草稿", APPLICANT),
    "submitted": State("已提交", _TOWNSHIP),
    "accepted": State("已受理", _TOWNSHIP),
    "supplement": State("待补正", APPLICANT),
    "helped": State("已先行救助", _TOWNSHIP),
    "reviewed": State("初审完成", _COUNTY),
    "noticed": State("公示中", _COUNTY),
    "granted": State("已批准", SYSTEM),
    "paid": State("已发放", SYSTEM),
    "closed": State("已办结", "", over=True),
    "withdrawn": State("已撤回", "", over=True),
    "refused": State("不予批准", SYSTEM),
    "appealed": State("申诉中", _COUNTY),
    "revoking": State("拟撤销", _COUNTY),
    "revoked": State("已撤销", "", over=True),
}
DEEDS: Final[Mapping[str, str]] = {
    "submit": "提交",
    "discard": "删除草稿",
    "expire": "草稿过期",
    "withdraw": "撤回",
    "accept": "受理",
    "ask": "要求补正",
    "supply": "补正",
    "lapse": "逾期未补正，视为撤回",
    "file": "备案",
    "help": "先行救助",
    "review": "初审",
    "return": "退回重审",
    "approve": "批准",
    "refuse": "不予批准",
    "confirm": "公示期满",
    "stop": "公示有异议成立",
    "appeal": "申诉",
    "overturn": "申诉成立，重新办理",
    "uphold": "申诉不成立",
    "pay": "发放",
    "close": "办结",
    "propose": "拟撤销",
    "revoke": "撤销",
    "keep": "不予撤销",
    "escalate": "转上级督办",
}
BEFORE_GRANT: Final = ("submitted", "accepted", "supplement", "reviewed", "noticed")
AFTER_GRANT: Final = ("helped", "granted", "paid", "closed")
AT_A_DESK: Final = tuple(
    name for name, state in STATES.items() if state.desk in (_TOWNSHIP, _COUNTY)
)
_DECIDED: Final = ("review", "approve", "refuse", "help", "file")
_OTHERS: Final = ("review", "help", "refuse")


def _moves() -> Sequence[Move]:
    return (
        Move("submit", "draft", "submitted", "applicant"),
        Move("discard", "draft", "withdrawn", "applicant"),
        Move("expire", "draft", "withdrawn", "system"),
        *(Move("withdraw", state, "withdrawn", "applicant") for state in BEFORE_GRANT),
        Move("accept", "submitted", "accepted", "township"),
        *(
            Move("ask", state, "supplement", "township")
            for state in ("submitted", "accepted", "reviewed")
        ),
        Move("supply", "supplement", "accepted", "applicant"),
        Move("lapse", "supplement", "withdrawn", "system"),
        Move("file", "accepted", "granted", "township", "filing"),
        Move("help", "accepted", "helped", "county", "fast_lane", ("accept",)),
        Move("review", "accepted", "reviewed", "township"),
        Move("review", "helped", "reviewed", "township", "", ("help",)),
        Move("return", "reviewed", "accepted", "county"),
        Move("approve", "reviewed", "granted", "county", "no_notice", _OTHERS),
        Move("approve", "reviewed", "noticed", "county", "notice", _OTHERS),
        Move("refuse", "reviewed", "refused", "county", "", _OTHERS),
        Move("confirm", "noticed", "granted", "system_or_county", "", ("review",)),
        Move("stop", "noticed", "reviewed", "county"),
        Move("appeal", "refused", "appealed", "applicant"),
        Move("overturn", "appealed", "accepted", "county", "", _DECIDED),
        Move("uphold", "appealed", "closed", "county", "", _DECIDED),
        Move("pay", "granted", "paid", "system"),
        *(Move("close", state, "closed", "system") for state in ("granted", "paid", "refused")),
        *(Move("propose", state, "revoking", "township") for state in AFTER_GRANT),
        Move("revoke", "revoking", "revoked", "county", "", ("propose",)),
        *(Move("keep", "revoking", state, "county", "back", ("propose",)) for state in AFTER_GRANT),
        *(Move("escalate", state, state, "system") for state in AT_A_DESK),
    )


MOVES: Final[Mapping[tuple[str, str, str], Move]] = {
    (move.deed, move.from_state, move.to_state): move for move in _moves()
}


def moves_of(deed: str, state: str) -> tuple[Move, ...]:
    """The moves that the deed can be from the state; none: it is not possible now."""
    return tuple(move for move in MOVES.values() if move.deed == deed and move.from_state == state)
