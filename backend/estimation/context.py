"""What is said about a bill is said of this: person, bill, and the terms it was settled under."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from backend.estimation.case import Assumptions, Bill, Person
from backend.estimation.tables import Terms
from backend.policies.book import Vocabulary


class BillContext(Struct, frozen=True):
    """One bill of a case. `held`: the categories that count on it."""

    terms: Terms
    assumptions: Assumptions
    words: Vocabulary
    bill: Bill
    person: Person
    held: frozenset[str]

    def names(self, categories: Iterable[str]) -> str:
        """The categories' names on the bill's day."""
        day = self.bill.discharged_on
        return "、".join(self.words.category_name(code, day) for code in categories)
