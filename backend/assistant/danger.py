"""危险 (danger): to whose list somebody goes who does not want to live, however late the place is
named."""

from __future__ import annotations

from dataclasses import dataclass, replace

from msgspec import structs

from backend.assistant import sayings
from backend.assistant.replies import Reply
from backend.kernel import areas
from backend.policies.book import PolicyBook


@dataclass(frozen=True)
class Danger:
    """`fallback`: the place whose list gets an emergency from where there is no policy."""

    book: PolicyBook
    fallback: str

    def handed(self, place: str | None) -> tuple[str, str]:
        """The word that it is handed over, and to whose list: that of the place, or of the fallback
        where the place is not known or has no policy. Whether anybody is on duty there is not known
        here: the item goes to the level above where nobody is (`handover.hand_over`)."""
        served = place is not None and self.book.concerning(place)
        area = place if place and served else self.fallback
        name = areas.area_short_name(area) or "当地"
        return sayings.HANDED_IN_DANGER.format(name), area

    def remembered(self, reply: Reply, place: str | None) -> Reply:
        """The reply; an emergency from a place not known then goes there too, once any word names
        it: also a word that was answered before the place was taken in."""
        memory = reply.memory
        if not memory.in_danger or place is None:
            return reply
        memory = structs.replace(memory, area=place, waiting="", cause=None, asked_twice=False)
        handed, area = self.handed(place)
        texts = _told(reply, handed)
        return replace(reply, texts=texts, memory=memory, hand_over="emergency", area=area)


def _told(reply: Reply, handed: str) -> tuple[str, ...]:
    """The ambulance is named first; of working days, as at other hand-overs, nothing is said."""
    if reply.hand_over is not None:
        return reply.texts if reply.hand_over == "emergency" else (handed,)
    return (*reply.texts, handed) if reply.intent == "emergency" else (handed, *reply.texts)
