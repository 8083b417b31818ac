"""是否齐全 (completeness): what is still missing before an application can be submitted."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Final

import msgspec
from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.applications.drafts import Answered
from backend.kernel.errors import Fault
from backend.papers.papers import Kept, kept_papers
from backend.policies.procedures import Paper, Procedure

REGISTRATION: Final = "registration"
NO_PROMISE: Final = "no_promise"


def missing(
    case: Case,
    answers: Mapping[str, Answered],
    papers: Collection[Kept],
    procedure: Procedure,
    *,
    promises: bool = True,
) -> tuple[Fault, ...]:
    """What is missing of answers and papers, each with what to do; the letter is apart.
    `promises`: whether the letter stands in for papers.
    """
    kept = {one.kind for one in papers}
    return (
        *(
            Fault(f"/answers/{field.code}", f"“{field.label}”还没有填写，请填写。")
            for field in procedure.fields.values()
            if field.required and field.code not in answers
        ),
        *(
            Fault(f"/papers/{paper.code}", f"还缺“{paper.label}”，请拍照上传。")
            for paper in papers_wanted(case, procedure, promises=promises)
            if paper.code not in kept
        ),
    )


def papers_wanted(case: Case, procedure: Procedure, *, promises: bool = True) -> tuple[Paper, ...]:
    """The papers that must be there at submitting: in the fast lane the certificate is enough.
    `promises`: as `missing` has it.
    """
    wanted: Collection[str] = ("fast_lane",) if case.fast_lane else _usual(promises)
    return tuple(paper for paper in procedure.papers.values() if paper.required in wanted)


def papers_owed(
    session: Session, case_id: int, procedure: Procedure, *, promises: bool = True
) -> tuple[Paper, ...]:
    """What who was helped first still owes. `promises`: as `missing` has it."""
    kept = {one.kind for one in kept_papers(session, case_id)}
    wanted = _usual(promises)
    return tuple(
        paper
        for paper in procedure.papers.values()
        if paper.required in wanted and paper.code not in kept
    )


def subject_sha256(case: Case, answers: Mapping[str, Answered], papers: Collection[Kept]) -> bytes:
    """What a letter is signed for: a hash of the answers and papers. A letter signed for others
    does not count.
    """
    said = {
        "case": case.id,
        "kind": case.kind,
        "answers": {field: answers[field].value for field in sorted(answers)},
        "papers": sorted((one.kind, one.sha256) for one in papers),
        "fast_lane": case.fast_lane,
    }
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).digest()


def subject_of(procedure: Procedure, answers: Mapping[str, Answered]) -> str:
    """What the case is about: one going case of a person, kind and subject."""
    for field in procedure.fields.values():
        if field.code not in answers:
            continue
        value = answers[field.code].value
        if field.type in ("category", "grant"):
            return f"{field.type}:{value}"
        if field.type == "bills":
            return f"bills:{_digest(value)}"
    if procedure.brings == REGISTRATION:
        return f"once:{_digest('|'.join(answers[one].value for one in sorted(answers)))}"
    return ""


def category_of(procedure: Procedure, answers: Mapping[str, Answered]) -> str:
    """Which identity is asked for; "": the kind asks for none."""
    for field in procedure.fields.values():
        if field.type == "category" and field.code in answers:
            return answers[field.code].value
    return ""


def _usual(promises: bool) -> Collection[str]:
    return ("always",) if promises else ("always", NO_PROMISE)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
