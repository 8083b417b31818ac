"""An invented population as columns: person-years with two bills each, one to two identities."""

from __future__ import annotations

from datetime import date

import numpy as np

from backend.estimation.columns import (
    NO_DAY,
    NOT_GIVEN,
    Batch,
    BillColumns,
    IdentityColumns,
    PersonColumns,
)
from backend.policies.book import PolicyBook
from backend.policies.policy import Policy

BILLS_EACH = 2
SEED = 20261121


def population(book: PolicyBook, policy: Policy, persons: int, year: int) -> Batch:
    """`persons` person-years of `year` under the policy; the same for the same arguments."""
    rng = np.random.default_rng(SEED)
    return Batch(
        PersonColumns(rng.random(persons) < 0.1),
        _identities(rng, book, policy, persons, year),
        _bills(rng, book, persons, year),
    )


def _identities(
    rng: np.random.Generator, book: PolicyBook, policy: Policy, persons: int, year: int
) -> IdentityColumns:
    known = [book.vocabulary.positions[code] for code in policy.document.beneficiaries]
    each = np.where(rng.random(persons) < 0.2, 2, 1)
    person = np.repeat(np.arange(persons, dtype=np.int32), each)
    count = len(person)
    new_year = date(year, 1, 1).toordinal()
    lost = rng.random(count) < 0.2
    to = np.where(lost, new_year + rng.integers(0, 365, count), NO_DAY)
    return IdentityColumns(
        person=person,
        category=rng.choice(np.asarray(known, np.int8), count),
        from_=(new_year - rng.integers(-200, 1000, count)).astype(np.int32),
        to=to.astype(np.int32),
        applied_on=np.zeros(count, np.int32),
    )


def _bills(rng: np.random.Generator, book: PolicyBook, persons: int, year: int) -> BillColumns:
    count = persons * BILLS_EACH
    new_year = date(year, 1, 1).toordinal()
    discharged = np.sort(rng.integers(0, 365, (persons, BILLS_EACH)), axis=1).ravel() + new_year
    setting = rng.choice(len(book.vocabulary.settings), count, p=[0.25, 0.2, 0.45, 0.05, 0.05])
    total = np.exp(rng.normal(13.5, 1.6, count)).astype(np.int64).clip(1_00, 500_000_00)
    in_scope = (total * rng.integers(70, 101, count)) // 100
    serious = np.where(rng.random(count) < 0.3, in_scope // 10, NOT_GIVEN)
    return BillColumns(
        person=np.repeat(np.arange(persons, dtype=np.int32), BILLS_EACH),
        admitted_on=(discharged - rng.integers(0, 20, count)).astype(np.int32),
        discharged_on=discharged.astype(np.int32),
        setting=setting.astype(np.int8),
        total=total,
        in_scope=in_scope,
        paid={"basic": (in_scope * rng.integers(30, 80, count)) // 100, "serious_illness": serious},
        flags={
            "referred": rng.random(count) < 0.5,
            "in_province": rng.random(count) < 0.8,
            "followed_guidance": rng.random(count) < 0.5,
            "designated": rng.random(count) < 0.97,
        },
        disease_group=rng.choice(3, count, p=[0.7, 0.25, 0.05]).astype(np.int8),
        rare_drug=np.zeros(count, np.int64),
    )
