"""换密钥的范围 (keyed): what of the notices depends on the master and index keys."""

from __future__ import annotations

from typing import Final

from backend.kernel.rotation import BlindIndex, Keyed

KEYED: Final = (
    Keyed(
        "notice_objection",
        row="id",
        indexes=(BlindIndex("code_index", "objection_code", sealed="code"),),
        shared=("words", "contact", "code", "answer"),
    ),
)
