"""现行承诺书 (standing): the letter that stands for an application."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Standing:
    """A letter. `subject_sha256`: of the answers and papers for which it was signed."""

    id: int
    state: str
    signed: bool
    subject_sha256: bytes


def letter_of(session: Session, application_id: int) -> Standing | None:
    """The newest letter of the application; None: there is none."""
    raise NotImplementedError
