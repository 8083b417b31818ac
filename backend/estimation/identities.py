"""身份认定期间: which identity counts on which bill."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date

from backend.estimation.case import Bill, Identity, Person
from backend.estimation.tables import Terms
from backend.policies.benefit_shapes import IdentityRulesShape, RetroactiveShape

FAR = date.max


def months_before(day: date, months: int) -> date:
    """The same day `months` earlier; the 29th to 31st become the last day where there is none."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def extended_end(rules: IdentityRulesShape, to: date | None) -> date:
    """The last day on which an identity counts: once lost, to the end of that month."""
    if to is None:
        return FAR
    if rules.lost_counts_to == "end_of_month":
        return date(to.year, to.month, monthrange(to.year, to.month)[1])
    return to


def extended_start(terms: Terms, identity: Identity) -> date:
    """The first day on which an identity counts (追溯 included)."""
    return min((identity.from_, *(start for _, start in _retroactive(terms, identity))))


def counts_on(terms: Terms, identity: Identity, bill: Bill) -> bool:
    """The identity counts: a stay that it overlaps by a day, any other bill by its last day."""
    return extended_start(terms, identity) <= bill.discharged_on and lasts_for(
        terms, identity, bill
    )


def lasts_for(terms: Terms, identity: Identity, bill: Bill) -> bool:
    """The identity is not lost too early for the bill."""
    first_needed = bill.admitted_on if bill.setting in terms.stays else bill.discharged_on
    return first_needed <= extended_end(terms.policy.benefits.identities, identity.to)


def counting(terms: Terms, identities: Iterable[Identity], bill: Bill) -> frozenset[str]:
    """The categories that count on the bill."""
    return frozenset(i.category for i in identities if counts_on(terms, i, bill))


def counts_back(
    terms: Terms, person: Person, bill: Bill, categories: Iterable[str]
) -> RetroactiveShape | None:
    """The rule by which alone one of the categories counts on the bill; None: it needs none."""
    if not terms.retroactive_months:
        return None
    held = [i for i in person.identities if i.category in categories]
    counted = [i for i in held if counts_on(terms, i, bill)]
    if not counted or any(identity.from_ <= bill.discharged_on for identity in counted):
        return None
    return next(rule for identity in counted for rule, _ in _retroactive(terms, identity))


def _retroactive(terms: Terms, identity: Identity) -> Iterator[tuple[RetroactiveShape, date]]:
    rules = terms.policy.benefits.identities.retroactive
    if identity.applied_on is not None:
        for rule, months in zip(rules, terms.retroactive_months, strict=True):
            if identity.category in rule.categories:
                yield rule, months_before(identity.applied_on, months)
