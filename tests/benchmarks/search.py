"""The search: how often it is right, how fast, beside two plain peers. `script/benchmark search`.

Peers, on the same texts and questions: the share of the question's character pairs that a clause
holds; SQLite's FTS5 with bm25 over character pairs. Neither knows synonyms.
"""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from backend.policies.search.find import find_clauses
from backend.policies.search.index import SearchIndex
from backend.policies.search.pages import Page
from backend.policies.search.words import normalise
from tests.benchmarks.report import machine, seconds
from tests.support.questions import Question, judging_questions

QUERIES = 2_100
MOST = 10

Clauses = list[tuple[str, str]]
Finder = Callable[[Question], Clauses]


def main(_: list[str]) -> None:
    """Prints hits, latency and size of ours and of the peers."""
    book = load_catalogue()
    index = SearchIndex(book)
    finders: dict[str, Finder] = {
        "this index": lambda question: _ours(book, question),
        "pairs shared": PairsShared(index.pages),
        "SQLite FTS5 bm25, pairs": Fts5(index.pages),
    }
    sets = {kind: judging_questions(kind) for kind in ("open", "blind")}
    sets["all"] = [*sets["open"], *sets["blind"]]
    print(machine())
    _print_size(book, index)
    for name, finder in finders.items():
        _print_right(name, finder, sets)
    for name, finder in finders.items():
        _print_latency(name, finder, sets["all"])


def _ours(book: PolicyBook, question: Question) -> Clauses:
    return [(hit.policy.id, hit.clause.anchor) for hit in find_clauses(book, question.search).hits]


class PairsShared:
    """Clauses by the share of the question's character pairs that they hold."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = [(page, set(_pairs(_text(page)))) for page in pages]

    def __call__(self, question: Question) -> Clauses:
        asked = set(_pairs(question.ask))
        ranked = sorted(self._pages, key=lambda entry: -len(asked & entry[1]))
        return _within(question, (page for page, _ in ranked))


class Fts5:
    """SQLite's full-text index, one row a clause, its character pairs as words."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = pages
        self._base = sqlite3.connect(":memory:")
        self._base.execute("CREATE VIRTUAL TABLE page USING fts5(body)")
        rows = [(number, " ".join(_pairs(_text(page)))) for number, page in enumerate(pages)]
        self._base.executemany("INSERT INTO page(rowid, body) VALUES (?, ?)", rows)

    def __call__(self, question: Question) -> Clauses:
        asked = " OR ".join(f'"{pair}"' for pair in _pairs(question.ask))
        select = "SELECT rowid FROM page WHERE body MATCH ? ORDER BY bm25(page)"
        numbers = self._base.execute(select, (asked,)).fetchall()
        return _within(question, (self._pages[number] for (number,) in numbers))


def _within(question: Question, pages: Iterator[Page]) -> Clauses:
    wanted = (page for page in pages if question.policy in (None, page.policy))
    return [(page.policy, page.clause.anchor) for page, _ in zip(wanted, range(MOST), strict=False)]


def _text(page: Page) -> str:
    return "\n".join([*page.texts.values(), *(part.text for part in page.parts)])


def _pairs(text: str) -> Iterator[str]:
    for pair in pairwise(normalise(text)):
        if all(character.isalnum() for character in pair):
            yield "".join(pair)


def _print_right(name: str, finder: Finder, sets: dict[str, list[Question]]) -> None:
    print(f"\n{name}")
    for kind, listed in sets.items():
        places = [question.place_of_answer(finder(question)) for question in listed]
        first = sum(place == 1 for place in places)
        three = sum(place is not None and place <= 3 for place in places)
        print(f"  {kind:5} first {first}/{len(listed)}, first three {three}/{len(listed)}")


def _print_latency(name: str, finder: Finder, listed: list[Question]) -> None:
    taken = [
        seconds(lambda question=question: finder(question)) * 1_000
        for _ in range(-(-QUERIES // len(listed)))
        for question in listed
    ]
    cuts = statistics.quantiles(taken, n=100)
    shown = f"p50 {cuts[49]:.2f} ms, p95 {cuts[94]:.2f} ms, max {max(taken):.2f} ms"
    print(f"{name}: {shown} over {len(taken)} queries")


def _print_size(book: PolicyBook, index: SearchIndex) -> None:
    start = time.process_time()
    SearchIndex(book)
    built = time.process_time() - start
    characters = sum(len(_text(page)) for page in index.pages)
    print(
        f"{len(index.pages)} clauses, {characters} characters, {index.size} terms, "
        f"built in {built:.2f} s of CPU"
    )
