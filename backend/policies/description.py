"""政策详情 (description): one policy, or one clause of it, as of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from backend.kernel.errors import DomainError, Fault
from backend.policies.benefit_rows import (
    BenefitRow,
    LayerInput,
    NamedCode,
    benefit_rows,
    category_names,
    layer_inputs,
)
from backend.policies.book import Vocabulary
from backend.policies.entitlements import InKind, entitlements_in_kind
from backend.policies.figures import ParameterOnDay, Wording, figures_day, parameters_on
from backend.policies.policy import Policy
from backend.policies.shapes import ClauseShape, DocumentShape, ReadingShape, ServiceShape
from backend.policies.standing import Standing, span_in_words, standing_of


class UnknownClause(DomainError):
    """The policy has no clause with this anchor."""

    code: ClassVar[str] = "unknown-clause"


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """A service rule; `deadline`: in words, with the day's figure, where there is one."""

    shape: ServiceShape
    deadline: str | None


@dataclass(frozen=True, slots=True)
class ClauseIndex:
    """A clause and the codes of everything that cites it."""

    shape: ClauseShape
    parameters: tuple[str, ...]
    readings: tuple[str, ...]
    entitlements: tuple[str, ...]
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClauseInFull:
    """A clause with everything that cites it."""

    policy: Policy
    standing: Standing
    shape: ClauseShape
    parameters: tuple[ParameterOnDay, ...]
    readings: tuple[ReadingShape, ...]
    layers: tuple[BenefitRow, ...]
    entitlements: tuple[InKind, ...]
    services: tuple[ServiceRule, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """A policy as of a day.

    `begins`, `ends`: the days of force, as stated or confirmed; `in_force`: the same in words;
    `figures_on`: the day whose figures are shown instead, where the policy has not begun.
    """

    policy: Policy
    document: DocumentShape
    standing: Standing
    begins: date | None
    ends: date | None
    in_force: str
    figures_on: date | None
    beneficiaries: tuple[NamedCode, ...]
    clauses: tuple[ClauseIndex, ...]
    parameters: tuple[ParameterOnDay, ...]
    layers: tuple[BenefitRow, ...]
    inputs: tuple[LayerInput, ...]
    entitlements: tuple[InKind, ...]
    services: tuple[ServiceRule, ...]
    readings: tuple[ReadingShape, ...]


def describe_policy(policy: Policy, vocabulary: Vocabulary, day: date) -> Description:
    """Everything that the policy decides, with the figures of the day."""
    return Description(
        policy=policy,
        document=policy.document,
        standing=standing_of(policy, day),
        begins=policy.confirmed[0] if policy.confirmed else policy.document.in_force.from_,
        ends=policy.last_day,
        in_force=span_in_words(policy),
        figures_on=shown if (shown := figures_day(policy, day)) != day else None,
        beneficiaries=category_names(policy.document.beneficiaries, vocabulary, day),
        clauses=tuple(_index(policy, clause) for clause in policy.clauses.values()),
        parameters=parameters_on(policy, day),
        layers=benefit_rows(policy, vocabulary, day),
        inputs=layer_inputs(policy, vocabulary),
        entitlements=entitlements_in_kind(policy, vocabulary, day),
        services=service_rules(policy, day),
        readings=tuple(policy.readings.values()),
    )


def describe_clause(policy: Policy, anchor: str, vocabulary: Vocabulary, day: date) -> ClauseInFull:
    """One clause with what stands on it. Raises `UnknownClause`."""
    clause = policy.clauses.get(anchor)
    if clause is None:
        detail = f"没有“{anchor[:20]}”这一条，请从这些里选：{'、'.join(policy.clauses)}。"
        raise UnknownClause(Fault("/anchor", detail))
    entitlements = entitlements_in_kind(policy, vocabulary, day)
    return ClauseInFull(
        policy=policy,
        standing=standing_of(policy, day),
        shape=clause,
        parameters=tuple(one for one in parameters_on(policy, day) if one.clause == anchor),
        readings=tuple(one for one in policy.readings.values() if one.clause == anchor),
        layers=tuple(r for r in benefit_rows(policy, vocabulary, day) if r.clause == anchor),
        entitlements=tuple(one for one in entitlements if one.clause == anchor),
        services=tuple(r for r in service_rules(policy, day) if r.shape.clause == anchor),
    )


def service_rules(policy: Policy, day: date) -> tuple[ServiceRule, ...]:
    """Every service rule of the policy, in the order of the catalogue."""
    words = Wording(policy, day)
    return tuple(ServiceRule(shape, _deadline(shape, words)) for shape in policy.services)


def _deadline(shape: ServiceShape, words: Wording) -> str | None:
    """`自受理之日起 7 个工作日内`, `2024-04-30 以前`; else the document's own words, if any."""
    if shape.deadline is None:
        return shape.due
    text = words.text(shape.deadline)
    unit = words.policy.parameters[shape.deadline].shape.unit
    if unit == "date":
        return f"{text} 以前"
    within = "内" if unit in ("days", "working_days") else ""
    return f"自{shape.counted_from}起 {text}{within}" if shape.counted_from else f"{text}{within}"


def _index(policy: Policy, clause: ClauseShape) -> ClauseIndex:
    anchor = clause.anchor
    return ClauseIndex(
        shape=clause,
        parameters=tuple(
            code for code, one in policy.parameters.items() if one.shape.clause == anchor
        ),
        readings=tuple(code for code, one in policy.readings.items() if one.clause == anchor),
        entitlements=tuple(one.code for one in policy.entitlements if one.clause == anchor),
        services=tuple(one.code for one in policy.services if one.clause == anchor),
    )
