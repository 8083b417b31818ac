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
    """`fallback`: the place whose list gets an emergency from where nobody reads one."""

    book: PolicyBook
    fallback: str

    def handed(self, place: str | None) -> tuple[str, str]:
        """The word that it is handed over, and to whose list: never to one that nobody reads."""
        served = place is not None and self.book.concerning(place)
        area = place if place and served else self.fallback
        name = areas.area_short_name(area) or "当地"
        return sayings.HANDED_IN_DANGER.format(name), area

    def remembered(self, reply: Reply, place: str | None) -> Reply:
        """The reply; an emergency from a place not known then goes there too, once any word names
        it."""
        memory = reply.memory
        if not memory.in_danger or memory.waiting or place is None:
            return reply
        memory = structs.replace(memory, cause=None)
        handed, area = self.handed(place)
        texts = (handed, *reply.texts) if reply.hand_over is None else reply.texts
        return replace(reply, texts=texts, memory=memory, hand_over="emergency", area=area)
