"""The policy book in use: the catalogue read at start, with the days localities confirmed since."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import date
from typing import Final

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.estimation.terms import Rules
from backend.kernel import database
from backend.policies.book import PolicyBook
from backend.policies.confirmation import confirmed_dates
from backend.policies.search.index import index_of

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 5.0
"""A confirmation acts in every worker within this time."""
RETRY_SECONDS: Final = 15.0
"""The wait after the database did not answer: the last known days stay in use meanwhile, and a
request that looks must not wait for a connection too often."""

_NAME: Final = "rulebook"


class RuleBook:
    """Rules by policy and day; confirmed days are read anew at most every `FRESH_SECONDS`."""

    def __init__(self, book: PolicyBook) -> None:
        self._book = book
        self._rules = Rules(book)
        self._dates: Mapping[str, tuple[date, date | None]] = {}
        self._lock = threading.Lock()
        self._read_again = 0.0

    def current(self) -> Rules:
        """The rules now. One request at a time looks for confirmations; the others do not wait."""
        if time.monotonic() >= self._read_again and self._lock.acquire(blocking=False):
            try:
                self._read_again = time.monotonic() + self._refresh()
            finally:
                self._lock.release()
        return self._rules

    def _refresh(self) -> float:
        try:
            with Session(database.engine()) as session:
                dates = confirmed_dates(session)
        except (SQLAlchemyError, database.EngineNotBound) as error:
            log.warning("confirmed days not read", extra={"reason": type(error).__name__})
            return RETRY_SECONDS
        if dates != self._dates:
            known = {name: days for name, days in dates.items() if name in self._book.policies}
            self._rules, self._dates = Rules(self._book.with_confirmed(known)), dates
        return FRESH_SECONDS


def install(app: Flask, book: PolicyBook) -> None:
    """Give the application its rule book; the search index is built now, before any search."""
    app.extensions[_NAME] = RuleBook(book)
    index_of(book)


def rules() -> Rules:
    """The rules of the application at hand."""
    book: RuleBook = current_app.extensions[_NAME]
    return book.current()
