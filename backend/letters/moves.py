"""文书的状态 (moves): every move of a letter, and what a state is called.

The database holds the same rows (`letter_move`) and refuses every other move; a test compares them.
A letter that was signed is never changed: a correction is a new letter, which refers to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

Seat: TypeAlias = Literal["applicant", "system", "applicant_or_system", "applicant_or_staff"]

STATES: Final[Mapping[str, str]] = {
    "drafted": "已拟好",
    "presented": "待阅读",
    "identity_ok": "待签名",
    "signed": "已签名，正在盖章",
    "sealed": "已盖章",
    "delivered": "已盖章，本人已领取",
    "expired": "过期未签",
    "refused": "本人不签",
    "revoked": "已撤销",
}
OPEN: Final = ("drafted", "presented", "identity_ok")
STANDING: Final = ("signed", "sealed", "delivered")
"""In these a letter counts."""
MOVES: Final[Mapping[tuple[str, str, str], Seat]] = {
    ("present", "drafted", "presented"): "applicant",
    ("identify", "presented", "identity_ok"): "applicant",
    ("open", "identity_ok", "identity_ok"): "applicant",
    ("read", "identity_ok", "identity_ok"): "applicant",
    ("sign", "identity_ok", "signed"): "applicant",
    ("seal", "signed", "sealed"): "system",
    ("deliver", "sealed", "delivered"): "applicant",
    ("refuse", "presented", "refused"): "applicant",
    ("refuse", "identity_ok", "refused"): "applicant",
    **{("expire", state, "expired"): "applicant_or_system" for state in OPEN},
    **{("revoke", state, "revoked"): "applicant_or_staff" for state in STANDING},
}


def to_state(deed: str, state: str) -> str | None:
    """Where the deed brings a letter from the state; None: it is not possible now."""
    return next((to for name, came, to in MOVES if (name, came) == (deed, state)), None)
