"""个案 (a case): a person, what is known of them, and their bills. Fen, and rates in 1/10,000."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

MAX_BILLS = 366


@dataclass(frozen=True, slots=True)
class Identity:
    """身份: a category held from `from_` to `to`, both days included; `to` None: still held."""

    category: str
    from_: date
    to: date | None = None
    applied_on: date | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """The person, as far as the money depends on them."""

    identities: tuple[Identity, ...] = ()
    declined_health_service: bool = False


@dataclass(frozen=True, slots=True)
class SeriousIllnessBase:
    """当地大病保险标准: yearly deductible (fen), rate (1/10,000). `source`: who configured it."""

    deductible: int
    rate: int
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Figures that no policy states: given with the case, or configured by the locality."""

    serious_illness_base: SeriousIllnessBase | None = None
    disposable_income_per_head: int | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """结算单: one settlement. `paid`: layer → fen already paid; a layer named with zero is settled.

    `rare_drug` is part of `total` outside `in_scope`; `out_of_scope` in `paid` is what was paid,
    by whomever, for items outside the scope.
    """

    id: str
    setting: str
    admitted_on: date
    discharged_on: date
    total: int
    in_scope: int
    paid: Mapping[str, int] = field(default_factory=dict)
    referred: bool = False
    in_province: bool = False
    in_county: bool = False
    followed_guidance: bool = False
    designated: bool = True
    disease_group: str = "general"
    rare_drug: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be estimated: under a named policy, or under those in force in an area."""

    person: Person
    bills: tuple[Bill, ...]
    policy: str | None = None
    area: str | None = None
    assumptions: Assumptions = Assumptions()
