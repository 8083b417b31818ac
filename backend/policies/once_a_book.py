"""按汇编只建一次 (once a book): what is built from a policy book is kept while it is the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from backend.policies.book import PolicyBook

Built = TypeVar("Built")


def once_a_book(build: Callable[[PolicyBook], Built]) -> Callable[[PolicyBook], Built]:
    """Build again only when the content was not met before; one is kept, that of the last book."""
    built: dict[str, Built] = {}

    @wraps(build)
    def of(book: PolicyBook) -> Built:
        found = built.get(book.content)
        if found is None:
            found = build(book)
            built.clear()
            built[book.content] = found
        return found

    return of
