"""任务 (tasks): signed letters are sealed; those that nobody signed expire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

import msgspec
from sqlalchemy.orm import Session

from backend.kernel import audit, keys
from backend.kernel.database import transaction
from backend.kernel.jobs import task
from backend.kernel.jobs_schedule import every_day
from backend.letters import seals
from backend.letters.evidence import Package, package_of
from backend.letters.letters import (
    Letter,
    LetterMoved,
    add_part,
    cipher_of,
    events_of,
    letter_seen,
    letters_where,
    move,
    part_of,
)
from backend.letters.moves import OPEN
from backend.letters.signing_provider import Sealed, ToSeal
from backend.letters.tables import LETTER

QUEUE: Final = "letters"
KEPT_OPEN: Final = timedelta(days=7)
"""How long a letter waits to be signed."""
SYSTEM: Final = audit.Operator("worker", role="operator")


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is sealed, read in one transaction; the seal is put on in none."""

    letter: Letter
    shown: bytes
    png: bytes
    package: Package


@task("letters.seal", queue=QUEUE)
def seal_letter(letter_id: int) -> None:
    """Seal a signed letter; once in effect, however often it runs and wherever it was ended."""
    ready = _ready(letter_id)
    if ready is None:
        return
    provider = seals.provider()
    evidence = ready.package.attested(provider)
    to_seal = ToSeal(ready.shown, ready.png, ready.package.drawn, ready.package.sha256)
    _keep(ready.letter, provider.seal(to_seal), evidence)


@every_day("letters.expire", queue=QUEUE, at=time(2, 30))
def expire_unsigned(session: Session, period: str) -> None:
    """Letters that waited for a week expire."""
    before = date.fromisoformat(period) - KEPT_OPEN
    for letter in letters_where(session, LETTER.c.state.in_(OPEN), LETTER.c.day < before):
        move(session, letter, "expire", SYSTEM, {"why": "time"})


def _ready(letter_id: int) -> _Ready | None:
    with transaction() as session:
        letter = letter_seen(session, letter_id)
        if letter.state != "signed":
            return None
        cipher = cipher_of(session, keys.keyring(), letter)
        parts = {
            part: part_of(session, cipher, letter, part)
            for part in ("content", "document", "signature", "will")
        }
        package = package_of(
            letter, msgspec.json.decode(parts["content"]), msgspec.json.decode(parts["will"]),
            events_of(session, letter),
        )  # fmt: skip
        return _Ready(letter, parts["document"], parts["signature"], package)


def _keep(letter: Letter, sealed: Sealed, evidence: bytes) -> None:
    """With the move, or not at all: of two workers one is too late."""
    told = {
        "sealed": sealed.sha256.hex(), "provider": sealed.provider,
        "certificate": sealed.certificate.hex(),
    }  # fmt: skip
    try:
        with transaction() as session:
            cipher = cipher_of(session, keys.keyring(), letter)
            add_part(session, cipher, letter, "sealed", sealed.pdf)
            add_part(session, cipher, letter, "evidence", evidence)
            move(session, letter, "seal", SYSTEM, told)
    except LetterMoved:
        with transaction() as session:
            if letter_seen(session, letter.id).state == "signed":
                raise
