"""身份认定期间: which identity counts on which bill."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import date

from backend.estimation.case import Bill, Identity
from backend.estimation.tables import Terms
from backend.policies.benefit_shapes import IdentityRulesShape

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
    start = identity.from_
    rules = terms.policy.benefits.identities.retroactive
    if identity.applied_on is not None:
        for rule, months in zip(rules, terms.retroactive_months, strict=True):
            if identity.category in rule.categories:
                start = min(start, months_before(identity.applied_on, months))
    return start


def counts_on(terms: Terms, identity: Identity, bill: Bill) -> bool:
    """The identity counts: a stay that it overlaps by a day, any other bill by its last day."""
    rules = terms.policy.benefits.identities
    first_needed = bill.admitted_on if bill.setting in rules.stay_settings else bill.discharged_on
    return extended_start(terms, identity) <= bill.discharged_on and first_needed <= extended_end(
        rules, identity.to
    )


def counting(terms: Terms, identities: Iterable[Identity], bill: Bill) -> frozenset[str]:
    """The categories that count on the bill."""
    return frozenset(i.category for i in identities if counts_on(terms, i, bill))
