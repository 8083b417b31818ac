"""规则版本 (editions): the catalogue as a run used it, kept to decide and explain again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from backend.estimation.terms import Rules
from backend.matching.tables import RULE_EDITION
from backend.policies.archive import archive, unarchive
from backend.policies.confirmation import confirmed_dates

ENGINE: Final = 1
"""Raised when the same catalogue would be computed otherwise: everything is then computed anew."""

Confirmed = Mapping[str, tuple[date, date | None]]

_known: dict[bytes, Rules] = {}
"""Rules by digest: making them takes a second."""
_KEPT: Final = 4


@dataclass(frozen=True)
class Edition:
    """Rules with the number under which they are kept."""

    id: int
    digest: bytes
    rules: Rules
    engine: int = ENGINE


def current_edition(session: Session, catalogue: Sequence[Path] = ()) -> Edition:
    """The catalogue as it stands now, with the days confirmed so far; kept when it is new."""
    files, confirmed = archive(catalogue), _plain(confirmed_dates(session))
    digest = _digest(files, confirmed)
    session.execute(
        postgresql.insert(RULE_EDITION)
        .values(digest=digest, engine=ENGINE, files=files, confirmed=confirmed)
        .on_conflict_do_nothing()
    )
    found = session.execute(
        select(RULE_EDITION.c.id).where(RULE_EDITION.c.digest == digest)
    ).scalar_one()
    return Edition(found, digest, _rules(digest, files, confirmed))


def edition(session: Session, number: int) -> Edition:
    """The edition of this number, as kept."""
    which = RULE_EDITION.c.id == number
    row = session.execute(select(RULE_EDITION.c.digest, RULE_EDITION.c.engine).where(which)).one()
    rules = _known.get(row.digest)
    if rules is None:
        kept = select(RULE_EDITION.c.files, RULE_EDITION.c.confirmed).where(which)
        rules = _rules(row.digest, *session.execute(kept).one())
    return Edition(number, row.digest, rules, row.engine)


def _rules(digest: bytes, files: Mapping[str, str], confirmed: Mapping[str, Any]) -> Rules:
    found = _known.get(digest)
    if found is None:
        days = {
            policy: (date.fromisoformat(first), date.fromisoformat(last) if last else None)
            for policy, (first, last) in confirmed.items()
        }
        book = unarchive(files)
        known = {policy: span for policy, span in days.items() if policy in book.policies}
        found = Rules(book.with_confirmed(known))
        if len(_known) >= _KEPT:
            _known.pop(next(iter(_known)))
        _known[digest] = found
    return found


def _plain(confirmed: Confirmed) -> dict[str, list[str | None]]:
    return {
        policy: [first.isoformat(), last.isoformat() if last else None]
        for policy, (first, last) in sorted(confirmed.items())
    }


def _digest(files: Mapping[str, str], confirmed: Mapping[str, Any]) -> bytes:
    text = repr([ENGINE, sorted(files.items()), sorted(confirmed.items())])
    return hashlib.sha256(text.encode()).digest()
