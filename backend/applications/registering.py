"""登记 (registering): a referral or a stay elsewhere is written down, from day to day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from backend.applications.cases import Case, cipher_of
from backend.applications.drafts import answers_of
from backend.applications.effect_tables import REGISTRATION
from backend.applications.ground import Ground, whom
from backend.kernel.crypto import Place
from backend.kernel.row_ids import next_id

OWN: Final = REGISTRATION.c
_OPEN: Final = "infinity"


def register(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """What the answers say of hospital, place and days; no run is needed."""
    cipher, own = cipher_of(session, ground.keyring, case), next_id(session)
    answers = {code: one.value for code, one in answers_of(session, cipher, case.id).items()}
    from_on, to_on = days_of(answers, ground.today)
    row = {
        "id": own, "application_id": case.id, "person_id": whom(session, case.person_id).id,
        "area": case.area, "kind": case.kind, "from_on": from_on, "to_on": to_on or _OPEN,
        **{
            name: cipher.seal(Place("registration", name, own), answers[name])
            for name in ("hospital", "place") if answers.get(name)
        },
    }  # fmt: skip
    session.execute(insert(REGISTRATION).inline().values(row))
    return ()


def end(session: Session, ground: Ground, case: Case) -> Sequence[int]:
    """It counts no more."""
    mine = (OWN.application_id == case.id) & OWN.ended_on.is_(None)
    session.execute(update(REGISTRATION).where(mine).values(ended_on=ground.today))
    return ()


def days_of(answers: Mapping[str, str], today: date) -> tuple[date, date | None]:
    """From which day, until which; None: no end was said. Days in the wrong order: a day long."""
    from_on = date.fromisoformat(answers["from_on"]) if answers.get("from_on") else today
    to_on = date.fromisoformat(answers["to_on"]) if answers.get("to_on") else None
    return from_on, None if to_on is None else max(from_on, to_on)
