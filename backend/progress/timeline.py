"""进度 (timeline): what happened to an application, what happens now, who has it, until when.

One statement reads it: of most readers the one by which they come in (`at_once`), of others one
with the rights of the session. Messages too, by their table: their package stands above. Residents
are not shown the office's inner steps, nor who proposed what. Every look is written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.applications.cases import unknown
from backend.applications.steps import place
from backend.kernel import audit
from backend.kernel.crypto import Keyring
from backend.policies.book import PolicyBook
from backend.policies.procedures import KINDS, RefusalReason
from backend.progress.at_once import CaseRow, ClockRow, StepRow
from backend.progress.words import WORDS, Mode, holder, of_step, period, to_do

_SHOWN: Final = ("applications",)
_FOUND: Final = text(
    """
    SELECT json_build_object(
        'person_id', a.person_id, 'kind', a.kind, 'policy', a.policy, 'state', a.state,
        'desk', a.desk,
        'own', coalesce(person_now(a.person_id) = ANY (authority_over('speak')), false),
        'ui_mode', (SELECT r.ui_mode FROM resident AS r WHERE r.id = :resident),
        'data_key', CASE WHEN made.noted THEN
            (SELECT encode(p.data_key, 'hex') FROM person AS p WHERE p.id = a.person_id) END,
        'steps', coalesce(made.steps, '[]'),
        'clocks', coalesce((
            SELECT json_agg(json_build_array(c.clock, c.due_on, c.provisional,
                c.stopped_on IS NOT NULL) ORDER BY c.due_on, c.id)
            FROM application_clock AS c
            WHERE c.application_id = a.id AND c.ended_on IS NULL), '[]'),
        'messages', coalesce((
            SELECT json_agg(json_build_array(split_part(m.cause, '\\:', 3)::int, m.id))
            FROM message AS m
            WHERE m.person_id = ANY (ARRAY[a.person_id, person_now(a.person_id)])
                AND m.cause LIKE 'application\\:' || a.id || '\\:%'), '[]')
    )::text
    FROM application AS a CROSS JOIN LATERAL (
        SELECT bool_or(s.note <> '') AS noted,
            json_agg(json_build_array(s.id, s.seq, s.deed, s.to_state, s.proposal, s.reason, s.role,
                (s.at AT TIME ZONE 'Asia/Shanghai')::date, encode(s.note, 'hex'))
                ORDER BY s.seq) AS steps
        FROM application_step AS s WHERE s.application_id = a.id
    ) AS made
    WHERE a.id = :case
    """
)
_CASE: Final = msgspec.json.Decoder(CaseRow)


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
    """Who looks, with which keys and rules, on which day."""

    actor: Actor
    keyring: Keyring
    book: PolicyBook
    today: date


def progress_of(session: Session, look: Look, case_id: int) -> Progress:
    """The progress as the row policies let the session see it; written down. Raises
    `UnknownCase`."""
    return told_of(look, case_id, _looked_at(session, look, case_id))


def told_of(look: Look, case_id: int, row: CaseRow) -> Progress:
    """What was found in words, in the wording that the reader chose; for staff who decide, in
    theirs."""
    mode = _mode(look.actor, row.ui_mode)
    periods = [period_of(one, look.today, mode) for one in row.clocks]
    said = WORDS.states[row.state].to(mode)
    last = row.steps[-1].deed if row.steps else ""
    return Progress(
        case_id, row.kind, KINDS.get(row.kind, row.kind), row.state, said.name, said.now,
        holder(row.state, row.desk, mode), to_do(row.state, last, mode),
        next((one for one in periods if not one.stopped), None), periods,
        _told(look, row, mode), mode,
    )  # fmt: skip


def _looked_at(session: Session, look: Look, case_id: int) -> CaseRow:
    asked = {"case": case_id, "resident": look.actor.resident_id}
    told: str | None = session.execute(_FOUND, asked).scalar()
    if told is None:
        raise unknown()
    row = _CASE.decode(told)
    audit.read_person(session, look.actor, row.person_id, _purpose(look.actor, row.own), _SHOWN)
    return row


def _purpose(actor: Actor, own: bool) -> str:
    if actor.kind == "resident":
        return "own" if own else "delegated"
    return "delegated" if actor.visits else "review"


def _mode(actor: Actor, ui_mode: str | None) -> Mode:
    """Staff who visit read what the resident reads."""
    if actor.kind == "staff":
        return "normal" if actor.visits else "staff"
    return "elder" if ui_mode == "elder" else "normal"


def period_of(clock: ClockRow, today: date, mode: Mode) -> Period:
    """A period in words, as it stands on the day."""
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


def _told(look: Look, row: CaseRow, mode: Mode) -> list[StepTold]:
    shown = [
        step for step in row.steps if mode == "staff" or not of_step(step.deed, step.to_state).inner
    ]
    told, notes = dict(row.messages), dict(_notes(look, row, shown, mode))
    return [
        _step(look.book, row, (step, notes.get(step.id, ""), told.get(step.seq)), mode)
        for step in shown
    ]


def _notes(look: Look, row: CaseRow, steps: list[StepRow], mode: Mode) -> Iterator[tuple[int, str]]:
    """What was written to the steps, as far as the reader is shown it; nothing where the key was
    destroyed, or the reader may not open the person's file."""
    if not row.data_key:
        return
    cipher = None
    for step in steps:
        if step.note and (mode == "staff" or of_step(step.deed, step.to_state).note):
            cipher = cipher or look.keyring.person(row.person_id, bytes.fromhex(row.data_key))
            yield step.id, cipher.open(place(step.id), bytes.fromhex(step.note))


def _step(
    book: PolicyBook, row: CaseRow, made: tuple[StepRow, str, int | None], mode: Mode
) -> StepTold:
    step, note, message = made
    words = of_step(step.deed, step.to_state)
    reason = _reason(book, row, step)
    why, remedy = ("", "") if reason is None else (reason.residents, reason.remedy)
    told = (step.seq, step.day, step.deed, words.to(mode), note, why, remedy, message)
    if mode == "staff":
        return StaffStep(*told, step.role, step.proposal, words.inner)
    return StepTold(*told)


def _reason(book: PolicyBook, row: CaseRow, step: StepRow) -> RefusalReason | None:
    """Why it was refused, in the words of the procedure; None: it was not, or they are not known
    any more."""
    if step.deed != "refuse":
        return None
    procedure = book.procedures.get(row.policy, {}).get(row.kind)
    return None if procedure is None else procedure.refusal_reasons.get(step.reason)
