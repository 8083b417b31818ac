"""效力 (standing): what a policy is on a day, and which policy decides in an area, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from backend.kernel import areas
from backend.policies.book import PolicyBook
from backend.policies.policy import Policy, State
from backend.policies.shared_shapes import AdoptionShape

STATES: Final[Mapping[str, str]] = {
    "in_force": "施行中",
    "expired": "已失效",
    "not_yet": "尚未施行",
    "unconfirmed": "施行日期待当地确认",
}
ASK_LOCALLY: Final = "请先向当地主管部门确认"


@dataclass(frozen=True, slots=True)
class Standing:
    """One policy on one day; the sentence speaks of “这一天”."""

    policy: Policy
    state: State
    sentence: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Which policy decides in an area on a day, and why that one or none.

    `state`: that of the deciding policy, else of the nearest that concerns the area; `none`: no
    policy does. `concerning`: nearest area first, adopted templates last.
    """

    area: str
    name: str
    on: date
    state: State | Literal["none"]
    decides: Policy | None
    sentence: str
    concerning: tuple[Standing, ...]


def standing_of(policy: Policy, day: date) -> Standing:
    """效力: the state of a policy on a day, with the reason."""
    state = policy.state_on(day)
    sentence = {
        "unconfirmed": _unconfirmed,
        "not_yet": _not_yet,
        "expired": _expired,
        "in_force": _in_force,
    }[state](policy, day)
    return Standing(policy, state, sentence)


def decide(book: PolicyBook, area: str, day: date) -> Decision:
    """Which policy decides for people registered in `area` on `day`. Raises `UnknownArea`."""
    concerning = tuple(_standings(book, area, day))
    policy = book.of_area(area, day)
    name = areas.area_name(area) or area
    if policy is not None:
        sentence = _decided(policy, areas.chain(area), name, day)
        return Decision(area, name, day, "in_force", policy, sentence, concerning)
    state = concerning[0].state if concerning else "none"
    return Decision(area, name, day, state, None, _undecided(name, day, concerning), concerning)


@dataclass(frozen=True, slots=True)
class Place:
    """An area that has policies of its own, or adopted ones."""

    code: str
    name: str
    policies: tuple[Policy, ...]


def places(book: PolicyBook) -> tuple[Place, ...]:
    """Every area that has a policy, by code."""
    owned = {(policy.area, policy.id) for policy in book.policies.values() if policy.area}
    adopted = {(adoption.area, adoption.policy) for adoption in book.localities.adoptions}
    found: dict[str, list[Policy]] = {}
    for code, policy_id in sorted(owned | adopted):
        found.setdefault(code, []).append(book.policies[policy_id])
    return tuple(
        Place(code, areas.area_name(code) or code, tuple(policies))
        for code, policies in found.items()
    )


def span_in_words(policy: Policy) -> str:
    """施行期: `自 2023-01-01 起施行，没有写到哪天为止`."""
    if policy.unconfirmed:
        return "没有写明，还没有得到当地确认"
    start, first, last = policy.document.in_force.from_, policy.first_day, policy.last_day
    if policy.confirmed is not None:
        begins = f"当地确认自 {first} 起施行"
    elif first != start:
        begins = f"自 {start} 起施行，{first} 起的费用参照执行"
    else:
        begins = f"自 {start} 起施行"
    return f"{begins}，至 {last} 止" if last else f"{begins}，没有写到哪天为止"


def _unconfirmed(policy: Policy, day: date) -> str:
    return (
        "文件没有写明从哪天到哪天有效，当地也还没有确认，所以不能说这一天是不是有效。"
        f"{ASK_LOCALLY}。"
    )


def _not_yet(policy: Policy, day: date) -> str:
    return f"这一天还没有开始适用：{span_in_words(policy)}。"


def _expired(policy: Policy, day: date) -> str:
    last = policy.last_day
    return (
        f"这一天已经失效：最后一天是 {last}。{last} 及以前出院（就诊）的费用仍按它办，"
        "以后的费用不再适用。"
    )


def _in_force(policy: Policy, day: date) -> str:
    sentence = f"这一天有效：{span_in_words(policy)}。"
    if policy.area is None:
        sentence += "文件没有写地名，只在采用它的地方适用。"
    return sentence


def _standings(book: PolicyBook, area: str, day: date) -> Iterator[Standing]:
    chain = areas.chain(area)
    for policy in book.concerning(area):
        standing = standing_of(policy, day)
        if policy.area is None and standing.state == "in_force":
            standing = _adopted(policy, _adoption(book, policy, chain, day), day)
        yield standing


def _adoption(book: PolicyBook, policy: Policy, chain: Sequence[str], day: date) -> AdoptionShape:
    """The adoption that holds on the day, else the last before it, else the first after it."""
    spans = [a for a in book.localities.adoptions if a.policy == policy.id and a.area in chain]
    spans.sort(key=lambda adoption: adoption.from_)
    begun = [adoption for adoption in spans if adoption.from_ <= day]
    return begun[-1] if begun else spans[0]


def _adopted(policy: Policy, adoption: AdoptionShape, day: date) -> Standing:
    span = f"{areas.area_name(adoption.area)}自 {adoption.from_} 起采用，至 {adoption.to} 止"
    if day < adoption.from_:
        return Standing(policy, "not_yet", f"这一天还没有开始采用：{span}。")
    if day > adoption.to:
        return Standing(policy, "expired", f"这一天已经不再采用：{span}。")
    return Standing(policy, "in_force", f"这一天有效：{span}。")


def _decided(policy: Policy, chain: Sequence[str], name: str, day: date) -> str:
    title = f"《{policy.document.short_title}》"
    if policy.document.number:
        title += f"（{policy.document.number}）"
    if policy.area is None:
        return f"{day} 在{name}按当地采用的{title}办。"
    if policy.area == chain[0]:
        return f"{day} 在{name}按{title}办。"
    above = areas.area_short_name(policy.area)
    return f"{day} 在{name}按{above}的{title}办：当地没有自己的政策在施行。"


def _undecided(name: str, day: date, concerning: Sequence[Standing]) -> str:
    if not concerning:
        return f"还没有收录{name}的政策。请向当地医保部门询问。"
    reasons = "".join(
        f"《{standing.policy.document.short_title}》{standing.sentence}" for standing in concerning
    )
    return f"{day} 在{name}没有可以确定有效的政策。{reasons}"
