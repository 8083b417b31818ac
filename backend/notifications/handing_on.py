"""转协管员 (handing on): what no phone brings is told by a coordinator where the person lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.kernel.audit import Subject
from backend.notifications.events import EVENTS, Channel
from backend.notifications.failing import BY
from backend.notifications.reach import Reach
from backend.notifications.wording import Said, to_tell
from backend.worklist.items import NewItem, open_items

_HANDED: Final = text(
    """
    UPDATE message SET state = 'handed_on', channel = 'task', final_at = :moment
    WHERE id = ANY(:ids) RETURNING id, heard_at IS NOT NULL AS heard
    """
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way."""

    id: int
    channel: Channel
    said: Said
    whom: Reach


class Note(NamedTuple):
    """An attempt that needs no call: this way does not lead to the person, or it is done."""

    message_id: int
    channel: Channel
    state: Literal["sent", "skipped"]
    code: str


@dataclass(frozen=True, slots=True)
class HandedOn:
    """What is to be noted, and who lives nowhere that we know of."""

    notes: Sequence[Note]
    without_place: Sequence[Letter]


def hand_on(session: Session, letters: Sequence[Letter], moment: datetime) -> HandedOn:
    """Open a work item for each, unless somebody visits the person anyhow, or the person has read
    it in the inbox.
    """
    notes, items, told, nowhere = [], {}, [], []
    for letter in letters:
        if EVENTS[letter.said.event].visited:
            notes.append(Note(letter.id, "task", "sent", "visited"))
        elif letter.whom.place is None:
            notes.append(Note(letter.id, "task", "skipped", "no-place"))
            nowhere.append(letter)
            continue
        else:
            notes.append(Note(letter.id, "task", "sent", ""))
            items[letter.id] = _item(letter, letter.whom.place)
        told.append(letter.id)
    if told:
        # Under the lock of the rows: who reads afterwards finds the item, and closes it.
        handed = session.execute(_HANDED, {"ids": told, "moment": moment})
        heard = {row.id for row in handed if row.heard}
        open_items(session, [item for own, item in items.items() if own not in heard], BY)
    return HandedOn(notes, nowhere)


def _item(letter: Letter, place: int) -> NewItem:
    return NewItem(
        kind="tell_person",
        subject=Subject("message", str(letter.id)),
        person_id=letter.whom.person_id,
        area=place,
        reason=to_tell(letter.said),
    )
