"""进度 (timeline): what happened to an application, what happens now, who has it, until when.

One statement reads it, with the rights of the session; residents are not shown the office's inner
steps, nor who proposed what. Every look is written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.applications.cases import UnknownCase, case_of, cipher_of, unknown
from backend.applications.steps import place
from backend.kernel import audit
from backend.kernel.crypto import Keyring
from backend.policies.book import PolicyBook
from backend.policies.procedures import KINDS, RefusalReason
from backend.progress.words import WORDS, Mode, holder, of_step, period

_SHOWN: Final = ("applications",)
_FOUND: Final = text(
    """
    SELECT a.person_id, a.kind, a.policy, a.state, a.desk,
        person_now(a.person_id) = ANY (authority_over('speak')) AS own,
        coalesce((SELECT r.ui_mode FROM resident AS r WHERE r.id = :resident), '') AS ui_mode,
        coalesce((SELECT json_agg(json_build_array(s.id, s.seq, s.deed, s.to_state, s.proposal,
                s.reason, s.role, (s.at AT TIME ZONE 'Asia/Shanghai')::date,
                CASE WHEN s.note <> '' THEN encode(s.note, 'hex') ELSE '' END) ORDER BY s.seq)
            FROM application_step AS s WHERE s.application_id = a.id), '[]')::text AS steps,
        coalesce((SELECT json_agg(json_build_array(c.clock, c.due_on, c.provisional,
                c.stopped_on IS NOT NULL) ORDER BY c.due_on, c.id)
            FROM application_clock AS c
            WHERE c.application_id = a.id AND c.ended_on IS NULL), '[]')::text AS clocks
    FROM application AS a WHERE a.id = :case
    """
)


class _Step(msgspec.Struct, array_like=True, frozen=True):
    id: int
    seq: int
    deed: str
    to_state: str
    proposal: str
    reason: str
    role: str
    day: date
    note: str


class _Clock(msgspec.Struct, array_like=True, frozen=True):
    clock: str
    due_on: date
    provisional: bool
    stopped: bool


class StepTold(msgspec.Struct, frozen=True):
    """A step in words. `note`: what was written to it; `why`, `remedy`: of a refusal; `message`:
    by which the reader was told; None: by none."""

    seq: int
    day: date
    deed: str
    text: str
    note: str
    why: str
    remedy: str
    message: int | None


class StaffStep(StepTold, frozen=True):
    """Besides, for staff: `role`: whose; `proposal`: of a review; `inner`: residents do not see
    it."""

    role: str
    proposal: str
    inner: bool


class Period(msgspec.Struct, frozen=True):
    """A period that runs, or stands still. `due_on`: its last day; `late`: it is over."""

    clock: str
    due_on: date
    provisional: bool
    stopped: bool
    late: bool
    text: str


class Progress(msgspec.Struct, frozen=True):
    """Where an application stands. `until`: the period that is due first; None: none runs."""

    id: int
    kind: str
    kind_name: str
    state: str
    state_name: str
    now: str
    who: str
    todo: str
    until: Period | None
    periods: list[Period]
    steps: list[StepTold]
    wording: Mode


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks, with which keys and rules, on which day. `messages`: by which message the reader
    was told of a step, by its number."""

    actor: Actor
    keyring: Keyring
    book: PolicyBook
    today: date
    messages: Mapping[int, int]


_STEPS: Final = msgspec.json.Decoder(list[_Step])
_CLOCKS: Final = msgspec.json.Decoder(list[_Clock])


def progress_of(session: Session, look: Look, case_id: int) -> Progress:
    """The progress, in the wording that the reader chose; for staff who decide, in theirs.

    Raises `UnknownCase`.
    """
    asked = {"case": case_id, "resident": look.actor.resident_id}
    row = session.execute(_FOUND, asked).first()
    if row is None:
        raise unknown()
    audit.read_person(session, look.actor, row.person_id, _purpose(look.actor, row.own), _SHOWN)
    mode = _mode(look.actor, row.ui_mode)
    periods = [_period(one, look.today, mode) for one in _CLOCKS.decode(row.clocks)]
    said = WORDS.states[row.state].to(mode)
    return Progress(
        case_id, row.kind, KINDS.get(row.kind, row.kind), row.state, said.name, said.now,
        holder(row.state, row.desk, mode), said.todo,
        next((one for one in periods if not one.stopped), None), periods,
        _told(session, look, case_id, row, mode), mode,
    )  # fmt: skip


def _purpose(actor: Actor, own: bool) -> str:
    if actor.kind == "resident":
        return "own" if own else "delegated"
    return "delegated" if actor.visits else "review"


def _mode(actor: Actor, ui_mode: str) -> Mode:
    """Staff who visit read what the resident reads."""
    if actor.kind == "staff":
        return "normal" if actor.visits else "staff"
    return "elder" if ui_mode == "elder" else "normal"


def _period(clock: _Clock, today: date, mode: Mode) -> Period:
    late = not clock.stopped and clock.due_on < today
    own = WORDS.clocks[clock.clock].own
    more = None
    if clock.stopped:
        more = WORDS.stopped
    elif late:
        more = WORDS.missed if own else WORDS.late
    elif clock.provisional:
        more = WORDS.provisional
    told = period(clock.clock, clock.due_on, more, mode)
    return Period(clock.clock, clock.due_on, clock.provisional, clock.stopped, late, told)


def _told(session: Session, look: Look, case_id: int, row: Any, mode: Mode) -> list[StepTold]:
    shown = [
        step
        for step in _STEPS.decode(row.steps)
        if mode == "staff" or not of_step(step.deed, step.to_state).inner
    ]
    notes = dict(_notes(session, look, case_id, shown, mode))
    return [_step(look, row, step, notes.get(step.id, ""), mode) for step in shown]


def _notes(
    session: Session, look: Look, case_id: int, steps: list[_Step], mode: Mode
) -> Iterator[tuple[int, str]]:
    """What was written to the steps, as far as the reader is shown it: opened only where there is
    something."""
    written = [
        step
        for step in steps
        if step.note and (mode == "staff" or of_step(step.deed, step.to_state).note)
    ]
    if not written:
        return
    try:
        cipher = cipher_of(session, look.keyring, case_of(session, case_id))
    except UnknownCase:  # the key was destroyed, or the reader may not open the person's file
        return
    for step in written:
        yield step.id, cipher.open(place(step.id), bytes.fromhex(step.note))


def _step(look: Look, row: Any, step: _Step, note: str, mode: Mode) -> StepTold:
    words = of_step(step.deed, step.to_state)
    reason = _reason(look.book, row, step)
    why, remedy = ("", "") if reason is None else (reason.residents, reason.remedy)
    told = (
        step.seq, step.day, step.deed, words.to(mode), note, why, remedy,
        look.messages.get(step.seq),
    )  # fmt: skip
    if mode == "staff":
        return StaffStep(*told, step.role, step.proposal, words.inner)
    return StepTold(*told)


def _reason(book: PolicyBook, row: Any, step: _Step) -> RefusalReason | None:
    """Why it was refused, in the words of the procedure; None: it was not, or they are not known
    any more."""
    if step.deed != "refuse":
        return None
    procedure = book.procedures.get(row.policy, {}).get(row.kind)
    return None if procedure is None else procedure.refusal_reasons.get(step.reason)
