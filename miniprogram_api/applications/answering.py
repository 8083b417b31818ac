"""答复 (answering): a case as plain values; and the circumstances in which applicants act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from backend.applications.cases import Case, case_of
from backend.applications.deciding import Filed, Office, moves_open_to, procedure_of
from backend.applications.going import Going, going_beside
from backend.applications.owing import promised
from backend.applications.reading import Made, Opened
from backend.applications.revoking import Proof, proof_instead
from backend.applications.steps import Circumstances
from backend.kernel import keys
from backend.kernel.clock import today
from backend.papers.handing_in import OPEN
from backend.progress.words import of_step
from miniprogram_api.access import actor
from miniprogram_api.problems import occurrence_of
from miniprogram_api.rulebook import rules


def circumstances(session: Session, case_id: int) -> Circumstances:
    """Who acts, with the procedure of the case. Raises `UnknownCase`."""
    procedure = procedure_of(rules().book, case_of(session, case_id))
    return Circumstances(actor(), keys.keyring(), procedure, today())


def office() -> Office:
    """Who decides, by the rules of now."""
    return Office(actor(), keys.keyring(), rules().book, today())


def shown(case: Case) -> dict[str, Any]:
    """A case, in short."""
    return {
        "id": case.id, "person_id": case.person_id, "kind": case.kind, "policy": case.policy,
        "category": case.category, "state": case.state, "seq": case.seq,
        "fast_lane": case.fast_lane, "filing": case.filing, "begun_at": case.begun_at,
        "submitted_at": case.submitted_at,
    }  # fmt: skip


def proof_for(session: Session, case: Case) -> Proof | None:
    """What is handed in instead of the letter, while papers are taken; who was helped on the letter
    owes nothing instead. Told to staff too."""
    if case.state not in OPEN:
        return None
    procedure = procedure_of(rules().book, case)
    if case.state == "helped" and promised(session, case, procedure):
        return None
    return proof_instead(session, case, procedure, today())


def shown_own(session: Session, opened: Opened) -> dict[str, Any]:
    """An application as its applicants see it."""
    procedure = procedure_of(rules().book, opened.case)
    going = going_beside(session, opened.case, procedure, opened.answers)
    return shown_whole(opened, proof_for(session, opened.case), going)


def shown_whole(opened: Opened, proof: Proof | None, going: Going | None = None) -> dict[str, Any]:
    """An application with everything in it. `proof`: what is handed in instead of a letter;
    `going`: another case of the same."""
    answers = [
        {"field": field, "value": one.value, "version": one.version, "source": one.source}
        for field, one in opened.answers.items()
    ]
    return {
        **shown(opened.case), "name": opened.name, "answers": answers,
        "steps": _steps(opened.steps),
        "clocks": opened.clocks, "code": opened.code, "granted": opened.granted,
        "advance": opened.advance, "proof": proof, "going": going, "rested": opened.rested,
        "deeds": [] if opened.rested or actor().kind != "staff" else [*moves_open_to(opened.case)],
    }  # fmt: skip


def _steps(steps: Sequence[Made]) -> Sequence[Made]:
    """To staff who decide, as they were made. Others see what progress tells: neither the office's
    inner steps, nor who proposed what, nor words that were not written to them.
    """
    who = actor()
    if who.kind == "staff" and not who.visits:
        return steps
    told = [(step, of_step(step.deed, step.to_state)) for step in steps]
    return [
        replace(step, proposal="", note=step.note if words.note else "")
        for step, words in told
        if not words.inner
    ]


def shown_filed(filed: Filed) -> dict[str, Any]:
    """What became of one of many."""
    if filed.refusal is None:
        return {"id": filed.case_id, "filed": True, "problem": None, "detail": None}
    refused = occurrence_of(filed.refusal)
    detail = filed.refusal.faults[0].detail if filed.refusal.faults else refused.problem.advice
    return {
        "id": filed.case_id, "filed": False, "problem": filed.refusal.code, "detail": detail,
    }  # fmt: skip
