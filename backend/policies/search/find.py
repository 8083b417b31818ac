"""搜索政策 (find): the clauses that answer a question, best first, and what in them matched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from backend.policies.book import PolicyBook
from backend.policies.figures import ParameterOnDay, parameter_on
from backend.policies.policy import Parameter, Policy, State
from backend.policies.search.excerpts import Excerpt, excerpt
from backend.policies.search.index import Question, SearchIndex, index_of
from backend.policies.search.pages import Item
from backend.policies.search.words import normalise
from backend.policies.shapes import ClauseShape, EntitlementShape, ReadingShape, ServiceShape

LONGEST: Final = 200
"""Characters of a question that are read."""
NAMED_PLACE: Final = 2.0
"""A clause counts for so much more when the question names its policy's place."""
NOT_IN_FORCE: Final = 0.9
"""A clause of a policy not in force on the day counts for so much."""
PARTS: Final = 3
"""Parts of one kind shown at most."""
PART_SHARE: Final = 0.3
"""A part is shown when it holds this share of the question's worth that its clause holds."""
WORTH_SHOWING: Final = 0.15
"""A clause is left out when it answers less well than the best by more than this."""

NOTHING_ASKED: Final = "请写下想问的事，比如“低保户住院能报多少”“看病要不要先交押金”。"
NOTHING_FOUND: Final = (
    "没有找到相关的条款。请换个说法，或只写一两个关键词，比如“押金”“报销比例”“怎么申请”；"
    "也可以直接问当地医保部门。"
)
NO_POLICY_THERE: Final = (
    "这里还没有收录这个地方的政策，请问当地医保部门；也可以不选地区，看看其他地方的规定。"
)

T = TypeVar("T", Parameter, EntitlementShape, ServiceShape, ReadingShape)


@dataclass(frozen=True)
class Search:
    """What is sought. `policy`, `area`: where (both: both must hold); `on`: as of which day."""

    text: str
    on: date
    policy: str | None = None
    area: str | None = None
    limit: int = 10


@dataclass(frozen=True)
class Matched:
    """What belongs to a clause and matched too, best first; figures as of the day."""

    parameters: tuple[ParameterOnDay, ...]
    entitlements: tuple[EntitlementShape, ...]
    services: tuple[ServiceShape, ...]
    readings: tuple[ReadingShape, ...]


@dataclass(frozen=True)
class Hit:
    """One clause, with the state of its policy on the day."""

    policy: Policy
    state: State
    clause: ClauseShape
    excerpt: Excerpt
    matched: Matched


@dataclass(frozen=True)
class Found:
    """The hits, best first; `advice`: what to do where there are none. `best`: how well the first
    answers, to be compared with other searches."""

    on: date
    hits: tuple[Hit, ...]
    advice: str | None
    best: float = 0.0


def find_clauses(book: PolicyBook, search: Search) -> Found:
    """The clauses that answer best. Raises `UnknownPolicy`, `UnknownArea`."""
    where = _where(book, search)
    if not search.text[:LONGEST].strip():
        return Found(search.on, (), NOTHING_ASKED)
    if not where:
        return Found(search.on, (), NO_POLICY_THERE)
    index = index_of(book)
    named, question = _read(index, search)
    scores: dict[int, float] = {}
    for number, score in index.scores(question).items():
        policy = where.get(index.pages[number].policy)
        if policy is not None:
            scores[number] = score * _weight(policy, named, search.on)
    hits = tuple(
        _hit(index, number, where, question, search.on) for number in _best(scores, search.limit)
    )
    best = max(scores.values(), default=0.0)
    return Found(search.on, hits, None if hits else NOTHING_FOUND, best)


def _where(book: PolicyBook, search: Search) -> dict[str, Policy]:
    """The policies searched, by id."""
    policies = tuple(book.policies.values())
    if search.area is not None:
        deciding = book.of_area(search.area, search.on)
        policies = (deciding,) if deciding else book.concerning(search.area)
    if search.policy is not None:
        chosen = book.policy(search.policy)
        policies = tuple(policy for policy in policies if policy.id == chosen.id)
    return {policy.id: policy for policy in policies}


def _read(index: SearchIndex, search: Search) -> tuple[frozenset[str], Question]:
    """The policies that the question names, where it may choose them, and what else it says."""
    text = normalise(search.text[:LONGEST])
    if search.policy is not None or search.area is not None:
        return frozenset(), index.question(text)
    return index.places.named_in(text), index.question(index.places.without_names(text))


def _weight(policy: Policy, named: frozenset[str], on: date) -> float:
    weight = NAMED_PLACE if policy.id in named else 1.0
    return weight if policy.state_on(on) == "in_force" else weight * NOT_IN_FORCE


def _best(scores: Mapping[int, float], limit: int) -> list[int]:
    enough = WORTH_SHOWING * max(scores.values(), default=0.0)
    ranked = sorted(scores, key=lambda number: (-scores[number], number))
    return [number for number in ranked[:limit] if scores[number] >= enough]


def _hit(
    index: SearchIndex, number: int, where: Mapping[str, Policy], question: Question, on: date
) -> Hit:
    page = index.pages[number]
    policy = where[page.policy]
    return Hit(
        policy=policy,
        state=policy.state_on(on),
        clause=page.clause,
        excerpt=excerpt(page.clause.residents, index.summary_terms(number), question),
        matched=_matched(index, number, policy, question, on),
    )


def _matched(
    index: SearchIndex, number: int, policy: Policy, question: Question, on: date
) -> Matched:
    scores = index.part_scores(number, question)
    enough = PART_SHARE * index.held(number, question)
    ranked = sorted(range(len(scores)), key=lambda place: -scores[place])
    parts = index.pages[number].parts
    items = [parts[place].item for place in ranked if scores[place] >= enough > 0]
    parameters = _of_kind(items, Parameter)
    return Matched(
        parameters=tuple(parameter_on(policy, one.shape.code, on) for one in parameters),
        entitlements=_of_kind(items, EntitlementShape),
        services=_of_kind(items, ServiceShape),
        readings=_of_kind(items, ReadingShape),
    )


def _of_kind(items: list[Item], kind: type[T]) -> tuple[T, ...]:
    return tuple(item for item in items if isinstance(item, kind))[:PARTS]
