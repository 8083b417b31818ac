"""索引 (index): every clause of the book by its terms, weighed by BM25 over fields (BM25F).

Built once from a policy book; questions only read it, from any thread.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from math import log
from typing import Final

from backend.policies.book import PolicyBook
from backend.policies.once_a_book import once_a_book
from backend.policies.search.pages import FIELDS, Page, pages_of
from backend.policies.search.places import Places
from backend.policies.search.slips import Slips
from backend.policies.search.synonyms import Synonyms
from backend.policies.search.words import Kind, Term, normalise, terms_of
from backend.policies.shared_shapes import SynonymsShape

KINDS: Final[Mapping[Kind, float]] = {
    "idea": 1.6,
    "word": 1.0,
    "number": 1.0,
    "pair": 0.3,
    "character": 0.35,
}
"""How much a term of a question counts."""
INSIDE_IDEA: Final = 0.5
"""A word of a recognised idea says little more than the idea."""
SATURATION: Final = 2.5
LENGTH: Final = 0.5
"""BM25's k1 and b."""

Question = Mapping[str, float]
"""The terms of a question that stand in any clause, with their worth."""


@once_a_book
def index_of(book: PolicyBook) -> SearchIndex:
    """The index of the book."""
    return SearchIndex(book)


class SearchIndex:
    """The searchable form of a policy book. A page is known by its number in `pages`."""

    def __init__(self, book: PolicyBook) -> None:
        self.synonyms = Synonyms([*book.synonyms, *_categories(book)])
        self.places = Places(book)
        self.pages = tuple(page for policy in book.policies.values() for page in pages_of(policy))
        self._summaries = [tuple(self.terms(page.clause.residents)) for page in self.pages]
        self._parts = [[self._count(part.text) for part in page.parts] for page in self.pages]
        fields = [self._fields(*page) for page in zip(self.pages, self._parts, strict=True)]
        self._postings = _postings(fields)
        self._slips = self._watch_for_slips()

    @property
    def size(self) -> int:
        """How many different terms there are."""
        return len(self._postings)

    def terms(self, text: str, *, asked: bool = False) -> Iterator[Term]:
        """The terms of a text; `asked`: written as people ask."""
        normal = normalise(text)
        yield from terms_of(normal)
        yield from self.synonyms.ideas(normal, asked=asked)

    def question(self, text: str) -> Question:
        """The question as the index understands it."""
        terms = list(self.terms(self._slips.corrected(normalise(text)), asked=True))
        ideas = [term for term in terms if term.kind == "idea"]
        worth: dict[str, float] = {}
        for term in terms:
            if term.text in self._postings:
                inside = term.kind != "idea" and any(
                    idea.start <= term.start and term.end <= idea.end for idea in ideas
                )
                share = KINDS[term.kind] * (INSIDE_IDEA if inside else 1.0)
                worth[term.text] = max(worth.get(term.text, 0.0), share * self._rarity(term.text))
        return worth

    def scores(self, question: Question) -> Mapping[int, float]:
        """Page → how well it answers; only pages that hold more of the question than characters."""
        scores: defaultdict[int, float] = defaultdict(float)
        for term in sorted(question, key=len, reverse=True):
            for page, weight in self._postings[term].items():
                if len(term) > 1 or page in scores:
                    scores[page] += question[term] * weight
        return scores

    def part_scores(self, page: int, question: Question) -> list[float]:
        """The worth of the question's terms in each part of the page, in the order of its parts."""
        return [
            sum(worth for term, worth in question.items() if len(term) > 1 and term in counts)
            for counts in self._parts[page]
        ]

    def held(self, page: int, question: Question) -> float:
        """The worth of the question's terms that the page holds anywhere."""
        return sum(
            worth
            for term, worth in question.items()
            if len(term) > 1 and page in self._postings[term]
        )

    def holding(self, term: str) -> frozenset[str]:
        """Ids of the policies of which a clause holds the term."""
        return frozenset(self.pages[page].policy for page in self._postings.get(term, ()))

    def summary_terms(self, page: int) -> tuple[Term, ...]:
        """The terms of the clause's summary for residents, with their places."""
        return self._summaries[page]

    def _count(self, text: str, *, asked: bool = False) -> Counter[str]:
        return Counter(term.text for term in self.terms(text, asked=asked))

    def _fields(self, page: Page, parts: list[Counter[str]]) -> dict[str, Counter[str]]:
        fields = {name: Counter[str]() for name in FIELDS}
        for name, text in page.texts.items():
            fields[name] = self._count(text, asked=name == "keywords")
        for part, counts in zip(page.parts, parts, strict=True):
            fields[part.field] = fields[part.field] + counts
        return fields

    def _watch_for_slips(self) -> Slips:
        texts = [text for page in self.pages for text in page.texts.values()]
        texts += [part.text for page in self.pages for part in page.parts]
        keywords = [word for page in self.pages for word in page.clause.keywords]
        words = {*map(normalise, keywords), *self.synonyms.vocabulary}
        return Slips(map(normalise, texts), words)

    def _rarity(self, term: str) -> float:
        holding = len(self._postings[term])
        return log(1 + (len(self.pages) - holding + 0.5) / (holding + 0.5))


def _postings(pages: list[dict[str, Counter[str]]]) -> dict[str, dict[int, float]]:
    """Term → page → how much the page is about it, between 0 and 1."""
    postings: defaultdict[str, dict[int, float]] = defaultdict(dict)
    usual = {name: _mean([page[name].total() for page in pages]) for name in FIELDS}
    for number, page in enumerate(pages):
        weights: defaultdict[str, float] = defaultdict(float)
        for name, weight in FIELDS.items():
            stretch = 1 - LENGTH + LENGTH * page[name].total() / usual[name]
            for term, count in page[name].items():
                weights[term] += weight * count / stretch
        for term, held in weights.items():
            postings[term][number] = held / (SATURATION + held)
    return dict(postings)


def _mean(numbers: list[int]) -> float:
    return sum(numbers) / len(numbers) if any(numbers) else 1.0


def _categories(book: PolicyBook) -> Iterator[SynonymsShape]:
    """The names of each category that the synonyms leave out."""
    known = {word for group in book.synonyms for word in group.words}
    for category in book.vocabulary.categories.values():
        names = (category.name, *category.aliases, *(item.name for item in category.renamed))
        if known.isdisjoint(names):
            yield SynonymsShape(names)
