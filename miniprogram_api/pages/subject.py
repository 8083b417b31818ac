"""按哪里的政策 (subject): the place or the policy that an estimate's page is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from backend.kernel import areas
from backend.policies.book import PolicyBook
from backend.policies.policy import Policy
from backend.policies.standing import ASK_LOCALLY, decide, standing_of
from miniprogram_api.pages.estimate_form import Asked


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked, by name, and the truth about it today.

    `policy`: the one that decides, else the nearest that is not in force; None: there is none.
    `in_force`: it decides today. `trial`: it can be tried only by naming it.
    """

    asked: Asked
    name: str
    policy: Policy | None
    in_force: bool
    trial: bool
    sentence: str

    @property
    def query(self) -> Mapping[str, str | None]:
        """The query string that leads here."""
        return {"area": self.asked.area, "policy": self.asked.policy}


def subject_of(asked: Asked, book: PolicyBook, today: date) -> Subject:
    """The subject; raises `UnknownPolicy`, `UnknownArea`."""
    return _named(asked, book, today) if asked.policy else _placed(asked, book, today)


def _named(asked: Asked, book: PolicyBook, today: date) -> Subject:
    policy = book.policy(asked.policy or "")
    standing = standing_of(policy, today)
    sentence = f"今天是 {today}。{standing.sentence}"
    if policy.unconfirmed:
        sentence = f"这份文件的施行日期当地还没有确认，下面的结果只供参考。{ASK_LOCALLY}。"
    name = f"《{policy.document.short_title}》"
    in_force = standing.state == "in_force"
    return Subject(Asked(policy=policy.id), name, policy, in_force, False, sentence)


def _placed(asked: Asked, book: PolicyBook, today: date) -> Subject:
    area = asked.area or ""
    decision = decide(book, area, today)
    nearest = decision.concerning[0].policy if decision.concerning else None
    policy = decision.decides or nearest
    return Subject(
        asked=Asked(area=area),
        name=areas.area_short_name(area) or decision.name,
        policy=policy,
        in_force=decision.decides is not None,
        trial=policy is not None and policy.unconfirmed,
        sentence=decision.sentence,
    )
