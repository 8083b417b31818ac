"""依据 (ground): the policies of this process, and who answers by them on a day.

The catalogue is read at the first utterance and kept, as the site reads it at its start; days that
localities confirm act at once.
"""

from __future__ import annotations

import os
from datetime import date
from functools import cache

from sqlalchemy.orm import Session

from backend.assistant.by_words import ByWords
from backend.assistant.speaker import Speaker
from backend.assistant.understanding import Understand
from backend.estimation.terms import Rules
from backend.kernel.settings import Settings
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from backend.policies.confirmation import confirmed_dates

Confirmed = tuple[tuple[str, date, date | None], ...]


def speaker(session: Session, today: date) -> Speaker:
    """Who answers by the rules as they stand now."""
    known = _book().policies
    dates = {name: days for name, days in confirmed_dates(session).items() if name in known}
    confirmed = tuple((name, *days) for name, days in sorted(dates.items()))
    return Speaker(understanding(), _rules(confirmed), today, _settings().emergency_area)


@cache
def understanding() -> Understand:
    """What makes out what people want: here a language model would be chosen instead."""
    return ByWords(_book())


@cache
def _settings() -> Settings:
    return Settings.from_env(os.environ)


@cache
def _book() -> PolicyBook:
    return load_catalogue(_settings().catalogue)


@cache
def _rules(confirmed: Confirmed) -> Rules:
    return Rules(_book().with_confirmed({name: (first, last) for name, first, last in confirmed}))
