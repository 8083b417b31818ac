"""答复 (replies): what is said to an utterance, from what was understood and what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from backend.assistant.pages import Page
from backend.assistant.progress import Stage
from backend.assistant.sheet import Sheet
from backend.assistant.understanding import Intent

Waiting: TypeAlias = Literal["", "place_for_person"]
Cause: TypeAlias = Literal["asked", "complaint", "details", "emergency", "lost", "fault"]
CAUSES: Final[dict[Cause, str]] = {
    "asked": "要求和工作人员说话",
    "complaint": "反映情况或有意见",
    "details": "要改登记的信息",
    "emergency": "说到危险或不想活，请马上联系",
    "lost": "单子丢失或没有收到",
    "fault": "程序出了故障，没能答复",
}
"""Why a conversation is handed over → how the work list tells it, without what was said."""


class Memory(Struct, frozen=True, omit_defaults=True):
    """What a conversation remembers from one utterance to the next. `area`: where the person said
    to be registered; `question`: the last one about policy; `cause`: of a hand-over that waits for
    the place."""

    area: str | None = None
    sheet: Sheet | None = None
    question: str = ""
    waiting: Waiting = ""
    cause: Cause | None = None
    asked_twice: bool = False

    def without_question(self) -> Memory:
        """No longer asked for the place; an emergency waits for it nevertheless."""
        cause = self.cause if self.in_danger else None
        return replace(self, waiting="", cause=cause, asked_twice=False)

    @property
    def in_danger(self) -> bool:
        """An emergency was told from a place not known yet."""
        return self.cause == "emergency"


@dataclass(frozen=True, slots=True)
class Known:
    """Who speaks, as far as it is known. `person`: an account that is known to be a person;
    `area`: where that person is registered (12 digits); `stages`: of the people they act for."""

    person: bool = False
    area: str | None = None
    stages: Sequence[Stage] = ()
    handed_over: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said, in this order, then shown. `hand_over`: why a person must take over, to the
    list of `area`."""

    intent: Intent
    texts: tuple[str, ...]
    memory: Memory
    card: Page | None = None
    hand_over: Cause | None = None
    area: str | None = None

    @property
    def parts(self) -> tuple[str | Page, ...]:
        """The messages, in their order."""
        return self.texts if self.card is None else (*self.texts, self.card)
