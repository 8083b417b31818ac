"""How a case comes into each state, by whom; for tests of what follows there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.support.case_world import CaseWorld
from tests.support.raw_cases import raw_case, whose

Way = tuple[tuple[str, str], ...]
_SUBMITTED: Final[Way] = (("甲测试", "submit"),)
_ACCEPTED: Final[Way] = (*_SUBMITTED, ("镇甲", "accept"))
_REVIEWED: Final[Way] = (*_ACCEPTED, ("镇甲", "review"))
_GRANTED: Final[Way] = (*_REVIEWED, ("县甲", "approve"))
_REFUSED: Final[Way] = (*_REVIEWED, ("县甲", "refuse"))
WAYS: Final[Mapping[str, Way]] = {
    "draft": (),
    "submitted": _SUBMITTED,
    "accepted": _ACCEPTED,
    "supplement": (*_ACCEPTED, ("镇甲", "ask")),
    "helped": (*_ACCEPTED, ("县甲", "help")),
    "reviewed": _REVIEWED,
    "noticed": _GRANTED,
    "granted": _GRANTED,
    "paid": (*_GRANTED, ("", "pay")),
    "refused": _REFUSED,
    "appealed": (*_REFUSED, ("甲测试", "appeal")),
    "revoking": (*_GRANTED, ("镇甲", "propose")),
    "closed": (*_REFUSED, ("", "close")),
    "withdrawn": (*_SUBMITTED, ("甲测试", "withdraw")),
    "revoked": (*_GRANTED, ("镇甲", "propose"), ("县甲", "revoke")),
}
"""State → who (nobody: by itself) does what."""


def case_in(world: CaseWorld, state: str, **flags: Any) -> int:
    """A case that went the way into the state."""
    flags = {"fast_lane": state == "helped", "notice": state == "noticed"} | flags
    with world.owner.begin() as connection:
        case = raw_case(connection, whose(world.owner, world.people["甲测试"].id), **flags)
    for who, deed in WAYS[state]:
        if who:
            world.does(who, case, deed)
        else:
            world.by_itself(case, deed)
    assert world.state(case) == state
    return case
