"""听懂 (understanding): what a resident wants; the seam at which another understanding fits.

Whoever understands says only what is wanted and what was named. Answers are made elsewhere, from
the policies, the estimate and the register, so that no understanding can invent one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, Protocol, TypeAlias, get_args

Intent: TypeAlias = Literal[
    "emergency",
    "fraud",
    "progress",
    "settings",
    "complaint",
    "lost_paper",
    "my_details",
    "access",
    "person",
    "estimate",
    "policy",
    "greeting",
    "out_of_scope",
]
INTENTS: Final[tuple[Intent, ...]] = get_args(Intent)


@dataclass(frozen=True, slots=True)
class Slots:
    """What was named. `paid`: layer → fen; `own`: what the person paid themselves (fen);
    `categories`: codes; `area`: a GB/T 2260 code; `identity_none`: said to hold none."""

    categories: tuple[str, ...] = ()
    setting: str | None = None
    day: date | None = None
    total: int | None = None
    in_scope: int | None = None
    own: int | None = None
    paid: Mapping[str, int] = field(default_factory=dict)
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """One utterance. `also`: a second thing that was asked in the same breath, and its words.
    `sure`: a word of the text itself says so, not merely its likeness to what others wrote."""

    intent: Intent
    slots: Slots = Slots()
    also: tuple[Intent, str] | None = None
    sure: bool = True


class Understand(Protocol):
    """Makes out what an utterance wants. A language model would stand here."""

    def __call__(self, text: str, today: date) -> Understood:
        """What is wanted in a resident's words; never raises for any text."""
