"""条款文本 (pages): what a policy says about each clause, as fields to be searched.

A clause is found by its own words and by everything that cites it: figures, entitlements, rules of
procedure, readings and notices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from backend.policies.policy import Parameter, Policy, format_value
from backend.policies.shapes import ClauseShape, EntitlementShape, ReadingShape, ServiceShape

FIELDS: Final[Mapping[str, float]] = {
    "heading": 2.5,
    "keywords": 2.5,
    "residents": 1.5,
    "staff": 1.0,
    "entitlements": 1.0,
    "services": 1.0,
    "parameters": 0.8,
    "notices": 0.8,
    "readings": 0.4,
}
"""Every field and its weight."""

Item = Parameter | EntitlementShape | ServiceShape | ReadingShape


@dataclass(frozen=True)
class Part:
    """One figure, entitlement, service or reading of a clause, with its words."""

    field: str
    clause: str
    item: Item
    text: str


@dataclass(frozen=True)
class Page:
    """All that is written about one clause. `texts`: the fields that have no parts."""

    policy: str
    clause: ClauseShape
    texts: Mapping[str, str]
    parts: tuple[Part, ...]


def pages_of(policy: Policy) -> Iterator[Page]:
    """A page for each clause of the policy, in its order."""
    parts = tuple(_parts(policy))
    for anchor, clause in policy.clauses.items():
        notices = (notice for notice in policy.document.notices if notice.clause == anchor)
        texts = {
            "heading": clause.heading,
            "keywords": "\n".join(clause.keywords),
            "residents": clause.residents,
            "staff": clause.staff,
            "notices": "\n".join(f"{notice.residents}\n{notice.staff}" for notice in notices),
        }
        own = tuple(part for part in parts if part.clause == anchor)
        yield Page(policy.id, clause, texts, own)


def _parts(policy: Policy) -> Iterator[Part]:
    for name, items in (("entitlements", policy.entitlements), ("services", policy.services)):
        for item in items:
            lines = [item.name, item.residents, item.staff, *item.keywords]
            yield Part(name, item.clause, item, "\n".join(lines))
    for parameter in policy.parameters.values():
        shape = parameter.shape
        values = (format_value(shape.unit, dated.value) for dated in parameter.values)
        yield Part("parameters", shape.clause, parameter, "\n".join([shape.name, *values]))
    for reading in policy.readings.values():
        yield Part("readings", reading.clause, reading, reading.text)
