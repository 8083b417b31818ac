"""已在办 (going): the same is going on already for the person: told from the draft on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.applications.completeness import subject_of
from backend.applications.drafts import Answered
from backend.applications.tables import APPLICATION, BESIDE
from backend.policies.procedures import Procedure

OWN: Final = APPLICATION.c
_TOLD: Final = (
    "同一件事已经有一件申请在办：请从“我的申请”里打开那一件，不用再填；这份草稿可以删除。"
)


@dataclass(frozen=True, slots=True)
class Going:
    """The other case. `told`: words for who fills in the draft."""

    id: int
    told: str


def going_beside(
    session: Session, case: Case, procedure: Procedure, answers: Mapping[str, Answered]
) -> Going | None:
    """The case because of which the draft, as it is filled in now, could not be submitted."""
    if case.state != "draft":
        return None
    query = select(OWN.id).where(
        OWN.person_id == case.person_id,
        OWN.kind == case.kind,
        OWN.subject == subject_of(procedure, answers),
        OWN.state.not_in(BESIDE),
    )
    found: int | None = session.execute(query.limit(1)).scalar_one_or_none()
    return None if found is None else Going(found, _TOLD)
