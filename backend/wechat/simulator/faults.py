"""故障 (faults): rules that make the platform fail. A rule is a match, an action, and how often."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

PUSH: Final = "push"
"""The path of rules that concern the pushes to us, not our calls."""

Action = Literal[
    "expire_token", "supersede_token", "garbage", "always_40001", "errcode", "http", "html200",
    "slow", "hang", "drip", "reset", "truncate", "duplicate_effect", "bad_json",
    "string_errcode", "no_errmsg", "clock_skew",
    "delay", "duplicate", "reorder", "wrong_signature", "other_appid", "replay", "oversize",
]  # fmt: skip


class Rule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is left out matches everything. Times are milliseconds and seconds.

    `nth`: only the n-th request that matches the rest, from 1; `times`: how often it happens at
    most; `code`: of errcode; `status`: of http; `ms`: of slow, delay, drip (each byte).
    """

    action: Action
    path: str | None = None
    appid: str | None = None
    openid: str | None = None
    template: str | None = None
    event: str | None = None
    nth: int | None = None
    probability: float = 1.0
    times: int | None = None
    code: int = -1
    status: int = 500
    ms: int = 1000
    seconds: int = 3600
    bytes: int = 2_000_000


@dataclass(frozen=True)
class Met:
    """What a request or push is known by."""

    path: str
    appid: str | None = None
    openid: str | None = None
    template: str | None = None
    event: str | None = None


@dataclass
class _Standing:
    """A rule in force: how many matched it, and how often it happened."""

    rule: Rule
    matched: int = 0
    happened: int = 0


class Faults:
    """The rules in force, in the order they were given; chance comes from the seed."""

    def __init__(self, seed: int) -> None:
        self._seed: Final = seed
        self._standing: list[_Standing] = []
        self._chance = random.Random(seed)

    def add(self, rule: Rule) -> None:
        """From now on."""
        self._standing.append(_Standing(rule))

    def clear(self) -> None:
        """No rule, and the chances as at the beginning."""
        self._standing.clear()
        self._chance = random.Random(self._seed)

    def happened(self) -> list[tuple[Rule, int]]:
        """The rules, and how often each happened."""
        return [(one.rule, one.happened) for one in self._standing]

    def meet(self, met: Met) -> Rule | None:
        """The first rule that strikes here, counted."""
        struck = None
        for one in self._standing:
            if not _matches(one.rule, met):
                continue
            one.matched += 1
            if struck is None and self._strikes(one):
                one.happened += 1
                struck = one.rule
        return struck

    def _strikes(self, one: _Standing) -> bool:
        rule = one.rule
        if rule.nth is not None and one.matched != rule.nth:
            return False
        if rule.times is not None and one.happened >= rule.times:
            return False
        return rule.probability >= 1 or self._chance.random() < rule.probability


def _matches(rule: Rule, met: Met) -> bool:
    if (met.path == PUSH) != (rule.path == PUSH):
        return False
    wanted = (
        (rule.path, met.path),
        (rule.appid, met.appid),
        (rule.openid, met.openid),
        (rule.template, met.template),
        (rule.event, met.event),
    )
    return all(said is None or said == found for said, found in wanted)
