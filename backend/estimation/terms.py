"""The policy book, ready for estimating: each policy's tables by day, made once."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from typing import Any

from backend.estimation.case import Assumptions, SeriousIllnessBase
from backend.estimation.compiler import TermsCompiler
from backend.estimation.tables import Terms
from backend.kernel.money import parse_rate, parse_yuan
from backend.policies.book import PolicyBook, Vocabulary
from backend.policies.policy import Policy


def span_starts(policy: Policy) -> tuple[date, ...]:
    """The days on which a figure of the policy changes, oldest first."""
    days = {
        value.from_
        for parameter in policy.parameters.values()
        for value in parameter.values[1:]
        if value.from_ is not None
    }
    return tuple(sorted(days))


class TermsOf:
    """The terms of one policy, by day; made once for each span, base and income."""

    def __init__(self, policy: Policy, vocabulary: Vocabulary) -> None:
        self.policy = policy
        self._vocabulary = vocabulary
        self._starts = span_starts(policy)
        self._made: dict[tuple[int, Assumptions], Terms] = {}

    def span(self, day: date) -> int:
        """The number of the span that holds the day."""
        return bisect_right(self._starts, day)

    def on(self, day: date, assumptions: Assumptions) -> Terms:
        """The terms of the day."""
        key = (self.span(day), assumptions)
        found = self._made.get(key)
        if found is None:
            found = self.compile(day, assumptions)
            if len(self._made) < 1024:
                self._made[key] = found
        return found

    def compile(self, day: date, assumptions: Assumptions, income: Any = None) -> Terms:
        """Terms made afresh; `income`: a column of fen, one a person, in place of one figure."""
        compiler = TermsCompiler(self.policy, self._vocabulary, day, assumptions)
        if income is not None:
            compiler.income = income
        return compiler.terms()


class Rules:
    """The policy book, ready for estimating: terms by policy and day."""

    def __init__(self, book: PolicyBook) -> None:
        self.book = book
        self._terms = {
            policy.id: TermsOf(policy, book.vocabulary) for policy in book.policies.values()
        }

    def terms_of(self, policy: Policy) -> TermsOf:
        """The terms of a policy of the book."""
        return self._terms[policy.id]

    def assumptions(self, given: Assumptions, area: str | None, day: date) -> Assumptions:
        """What was given, completed by what the locality configured for the day."""
        if given.serious_illness_base is not None:
            return given
        configured = self.book.serious_illness_base(area, day)
        if configured is None:
            return given
        deductible, rate, source = configured
        base = SeriousIllnessBase(parse_yuan(deductible), parse_rate(rate), source)
        return Assumptions(base, given.disposable_income_per_head)
