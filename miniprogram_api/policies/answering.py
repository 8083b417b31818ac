"""Answers that are the same for everyone: encoded once, kept, revalidated by ETag."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from threading import Lock
from typing import Any, Final

import msgspec
from flask import Response, current_app, request

from backend.policies.book import PolicyBook, UnknownArea, UnknownPolicy
from backend.policies.figures import turning_days
from backend.policies.policy import DatesReversed, Policy
from miniprogram_api.problems import INVALID_PARAMETERS, Occurrence, Refused
from miniprogram_api.rulebook import rules

MAX_AGE: Final = "public, max-age=60"
MOST_KEPT: Final = 256
"""Of all answers together; a policy's is about 100 KB, the others less."""

_NAME: Final = "policy-answers"


@dataclass(frozen=True, slots=True)
class Encoded:
    """An answer's JSON and its digest."""

    body: bytes
    digest: str


class Answers:
    """The answers made from one policy book; the oldest goes when there are too many."""

    def __init__(self, book: PolicyBook) -> None:
        self.book = book
        renamed = {
            name.from_ for one in book.vocabulary.categories.values() for name in one.renamed
        }
        self._turns = {
            policy.id: sorted({*turning_days(policy), *renamed})
            for policy in book.policies.values()
        }
        self._kept: dict[Hashable, Encoded] = {}
        self._lock = Lock()

    def moment(self, policy: Policy, day: date) -> Hashable:
        """The same on all days on which the description of the policy is the same."""
        return policy.state_on(day), bisect_right(self._turns[policy.id], day)

    def keep(self, key: Hashable, make: Callable[[], Any]) -> Encoded:
        """The answer of this key, made where it is not kept."""
        found = self._kept.get(key)
        if found is None:
            body = msgspec.json.encode(make())
            found = Encoded(body, blake2b(body, digest_size=12).hexdigest())
            with self._lock:
                while len(self._kept) >= MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = found
        return found


def answers() -> Answers:
    """The answers from the policy book of now; a newly confirmed day empties them."""
    book = rules().book
    kept: Answers | None = current_app.extensions.get(_NAME)
    if kept is None or kept.book is not book:
        kept = current_app.extensions[_NAME] = Answers(book)
    return kept


def respond(encoded: Encoded, *, on: date | None = None) -> Response:
    """The answer, or 304 where the caller has it. `on`: put in as the first member."""
    body, tag = encoded.body, encoded.digest
    if on is not None:
        body, tag = b'{"on":"%b",%b' % (str(on).encode(), body[1:]), f"{tag}-{on}"
    answer = Response(body, mimetype="application/json")
    answer.headers["Cache-Control"] = MAX_AGE
    answer.headers["ETag"] = f'"{tag}"'
    if "If-None-Match" in request.headers:
        answer.make_conditional(request)
    return answer


@contextmanager
def asked() -> Iterator[None]:
    """What the query string names wrongly is a fault of the query (422), not an absent page."""
    try:
        yield
    except (UnknownPolicy, UnknownArea, DatesReversed) as error:
        raise Refused(Occurrence(INVALID_PARAMETERS, faults=error.faults)) from error
