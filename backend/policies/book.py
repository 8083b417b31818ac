"""政策汇编 (the policy book): all policies, the vocabulary, which policy holds where and when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import ClassVar, Final

from msgspec import json, to_builtins

from backend.kernel import areas
from backend.kernel.errors import DomainError, Fault
from backend.policies.policy import Policy, frozen_map
from backend.policies.procedures import Clock, Procedure, UnknownKind
from backend.policies.shared_shapes import (
    CategoryShape,
    ConventionShape,
    LocalitiesShape,
    SynonymsShape,
    TermShape,
    VocabularyShape,
    WarningThresholdShape,
)

DEFAULT: Final = "plan-2026"
"""By whose procedures is applied where no policy is known: the product's default."""
_NO_KIND: Final = "这里没有这种申请：请从列出的种类里选一种。"


class UnknownPolicy(DomainError):
    """No policy has this id."""

    code: ClassVar[str] = "unknown-policy"


class UnknownArea(DomainError):
    """No area has this GB/T 2260 code."""

    code: ClassVar[str] = "unknown-area"


@dataclass(frozen=True)
class Vocabulary:
    """名词: the shared codes. Positions follow the vocabulary file and decide ties."""

    shape: VocabularyShape

    @cached_property
    def categories(self) -> Mapping[str, CategoryShape]:
        """Category by code, in the order of the law."""
        return frozen_map({item.code: item for item in self.shape.categories})

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Category code → its place in the order, from 0."""
        return frozen_map({code: place for place, code in enumerate(self.categories)})

    @cached_property
    def layers(self) -> Mapping[str, str]:
        """Layer code → name, in the order of payment."""
        return _names(self.shape.layers)

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """Setting code → name."""
        return _names(self.shape.settings)

    @cached_property
    def disease_groups(self) -> Mapping[str, str]:
        """Disease group code → name."""
        return _names(self.shape.disease_groups)

    @cached_property
    def flags(self) -> Mapping[str, str]:
        """Flag of a bill → name."""
        return _names(self.shape.flags)

    def category_name(self, code: str, on: date | None = None) -> str:
        """The category's name, as it is called on a day."""
        category = self.categories[code]
        name = category.name
        for renamed in category.renamed:
            if on is not None and renamed.from_ <= on:
                name = renamed.name
        return name


@dataclass(frozen=True)
class PolicyBook:
    """All policies by id, with the vocabulary and what localities decided."""

    policies: Mapping[str, Policy]
    vocabulary: Vocabulary
    localities: LocalitiesShape
    conventions: tuple[ConventionShape, ...]
    """How every policy is computed here."""
    synonyms: tuple[SynonymsShape, ...] = ()
    procedures: Mapping[str, Mapping[str, Procedure]] = field(default_factory=dict)
    """Policy → kind of application → how it runs."""
    clocks: Mapping[str, Clock] = field(default_factory=dict)

    def procedure(self, policy_id: str, kind: str) -> Procedure:
        """How a kind runs under a policy. Raises `UnknownKind`."""
        found = self.procedures.get(policy_id, {}).get(kind)
        if found is None:
            raise UnknownKind(Fault("/kind", _NO_KIND))
        return found

    def procedures_at(self, area: str, day: date) -> Mapping[str, Procedure]:
        """What can be applied for by people registered in an area (6 digits) on a day.

        Raises `UnknownArea`.
        """
        return self.procedures.get(self.applied_by(area, day), {})

    def applied_by(self, area: str, day: date) -> str:
        """By whose procedures people registered in an area (6 digits) apply on a day: its id.

        Of the policy in force there; where the place's own is over, of that, for the matters of its
        time; where no policy with procedures is known, of the product's default. Raises
        `UnknownArea`.
        """
        decides = self.of_area(area, day)
        if decides is None:
            over = (one for one in self.concerning(area) if one.state_on(day) == "expired")
            decides = next(over, None)
        return DEFAULT if decides is None or decides.id not in self.procedures else decides.id

    def procedures_version(self, policy_id: str) -> str:
        """A digest of how all kinds run under a policy. It is not that of the rules, which decide
        money, and changes with what the procedures say, not with how the files are written.
        """
        said = to_builtins(dict(self.procedures.get(policy_id, {})), enc_hook=dict)
        return hashlib.sha256(json.encode(said, order="deterministic")).hexdigest()[:12]

    def policy(self, policy_id: str, pointer: str = "/policy") -> Policy:
        """The policy of this id; raises `UnknownPolicy`."""
        try:
            return self.policies[policy_id]
        except KeyError:
            known = "、".join(self.policies)
            detail = f"没有“{policy_id[:60]}”这个政策，请从这些里选：{known}。"
            raise UnknownPolicy(Fault(pointer, detail)) from None

    def of_area(self, area: str, day: date, pointer: str = "/area") -> Policy | None:
        """The policy in force for people registered in `area` on `day`, or None.

        The county's own policy, else its city's, else its province's, else the template that the
        place adopted; of two of one area the newer. Raises `UnknownArea`.
        """
        chain = self._chain(area, pointer)
        for code in chain:
            policies = [p for p in self._by_area.get(code, ()) if p.state_on(day) == "in_force"]
            if policies:
                return max(policies, key=lambda policy: policy.first_day or date.min)
        return self._adopted(chain, day)

    def concerning(self, area: str, pointer: str = "/area") -> tuple[Policy, ...]:
        """Every policy of the area and of the areas above it, in force or not, nearest first."""
        chain = self._chain(area, pointer)
        own = [policy for code in chain for policy in self._by_area.get(code, ())]
        adopted = [a.policy for a in self.localities.adoptions if a.area in chain]
        return (*own, *(self.policies[policy_id] for policy_id in dict.fromkeys(adopted)))

    def serious_illness_base(self, area: str | None, day: date) -> tuple[str, str, str] | None:
        """The locality's (deductible, rate, source) on a day, where it configured one."""
        if area is None:
            return None
        for code in areas.chain(area):
            for base in self.localities.serious_illness_bases:
                if base.area == code and base.from_ <= day and (base.to is None or day <= base.to):
                    return base.deductible, base.rate, base.source
        return None

    def warning_thresholds(self, area: str, day: date) -> tuple[WarningThresholdShape, ...]:
        """The locality's lines for watching people on a day: of the nearest place that has any."""
        for code in areas.chain(area):
            found = [
                one
                for one in self.localities.warning_thresholds
                if one.area == code and one.from_ <= day and (one.to is None or day <= one.to)
            ]
            if found:
                return tuple(found)
        return ()

    def with_confirmed(self, dates: Mapping[str, tuple[date, date | None]]) -> PolicyBook:
        """The same book with the days of force that localities confirmed."""
        policies = {
            policy_id: policy.confirm(*dates[policy_id]) if policy_id in dates else policy
            for policy_id, policy in self.policies.items()
        }
        return replace(self, policies=frozen_map(policies))

    @cached_property
    def content(self) -> str:
        """A digest of the files of policies and synonyms; confirmed days do not change it."""
        editions = [(policy.id, policy.edition) for policy in self.policies.values()]
        return hashlib.sha256(repr((editions, self.synonyms)).encode()).hexdigest()

    @cached_property
    def _by_area(self) -> Mapping[str, tuple[Policy, ...]]:
        found: dict[str, tuple[Policy, ...]] = {}
        for policy in self.policies.values():
            if policy.area is not None:
                found[policy.area] = (*found.get(policy.area, ()), policy)
        return found

    def _chain(self, area: str, pointer: str) -> tuple[str, ...]:
        chain = areas.chain(area)
        if not chain:
            detail = "没有这个地区代码，请填六位行政区划代码，例如 320281。"
            raise UnknownArea(Fault(pointer, detail))
        return chain

    def _adopted(self, chain: tuple[str, ...], day: date) -> Policy | None:
        for code in chain:
            for adoption in self.localities.adoptions:
                if adoption.area == code and adoption.from_ <= day <= adoption.to:
                    policy = self.policies[adoption.policy]
                    if policy.state_on(day) == "in_force":
                        return policy
        return None


def _names(terms: list[TermShape]) -> Mapping[str, str]:
    return frozen_map({term.code: term.name for term in terms})
