"""The chat: how often it understands what residents say, and how fast. `script/benchmark chat`.

Exit 1 where fewer than 54 of the 60 are right. The blind half was written before the first rule and
is never tuned on. Beside the intent: what an estimate took out of the words, and whether the clause
that answers stands among the first three.
"""

from __future__ import annotations

import statistics
import time
from functools import partial

from backend.assistant.by_words import ByWords
from backend.assistant.understanding import Slots
from backend.kernel.money import format_yuan
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from backend.policies.search.find import Search, find_clauses
from tests.benchmarks.report import machine, seconds
from tests.support.utterances import DAY, Utterance, utterances

ENOUGH = 54
ROUNDS = 20
FIRST = 3


def main(_: list[str]) -> None:
    """Prints what is right of each half, and the latency; exits with 1 where it is not enough."""
    book = load_catalogue()
    start = time.perf_counter()
    understand = ByWords(book)
    print(f"{machine()}; learnt in {time.perf_counter() - start:.2f} s")
    halves = {kind: utterances(kind) for kind in ("open", "blind")}
    right = sum(_print_half(kind, said, understand, book) for kind, said in halves.items())
    every = [one for said in halves.values() for one in said]
    print(f"intents right: {right} of {len(every)}, enough are {ENOUGH}")
    for kind in ("later", "later_harder"):  # besides: not of the sixty
        _print_half(kind, utterances(kind), understand, book)
    _print_latency(every, understand)
    if right < ENOUGH:
        raise SystemExit(1)


def _print_half(kind: str, said: list[Utterance], understand: ByWords, book: PolicyBook) -> int:
    found = [(one, understand(one.say, DAY)) for one in said]
    wrong = [(one, got) for one, got in found if got.intent != one.intent]
    slots = [slots_right(got.slots, one) for one, got in found if one.slots is not None]
    second = [got.also is not None and got.also[0] == one.also for one, got in found if one.also]
    answers = [_answered(one, book) for one in said if one.clauses]
    print(f"{kind:5} intents {len(said) - len(wrong)}/{len(said)}, ", end="")
    print(
        f"second questions {sum(second)}/{len(second)}, slots {sum(slots)}/{len(slots)}, ", end=""
    )
    print(f"clause among the first {FIRST} {sum(answers)}/{len(answers)}")
    for one, got in wrong:
        shown = one.say if kind == "open" else "(blind)"
        print(f"      {one.intent} taken for {got.intent}: {shown}")
    return len(said) - len(wrong)


def slots_right(slots: Slots, said: Utterance) -> bool:
    """Whether everything that the words name was taken out of them."""
    took = {
        "identity": ",".join(slots.categories),
        "setting": slots.setting,
        "total": None if slots.total is None else format_yuan(slots.total),
    } | {layer: format_yuan(fen) for layer, fen in slots.paid.items()}
    return all(took.get(name) == value for name, value in (said.slots or {}).items())


def _answered(said: Utterance, book: PolicyBook) -> bool:
    hits = find_clauses(book, Search(said.say, DAY, policy=said.policy, limit=FIRST)).hits
    return any(hit.clause.anchor in said.clauses for hit in hits)


def _print_latency(said: list[Utterance], understand: ByWords) -> None:
    heard = [partial(understand, one.say, DAY) for one in said]
    taken = [seconds(hear) * 1_000 for _ in range(ROUNDS) for hear in heard]
    cuts = statistics.quantiles(taken, n=100)
    shown = f"p50 {cuts[49]:.2f} ms, p95 {cuts[94]:.2f} ms, max {max(taken):.2f} ms"
    print(f"understanding: {shown} over {len(taken)} utterances")
