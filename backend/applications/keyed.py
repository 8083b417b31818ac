"""换密钥的范围 (keyed): what of the applications depends on the master and index keys.

Answers and notes are sealed with the key of the case's person, which stays.
"""

from __future__ import annotations

from typing import Final

from backend.kernel.rotation import BlindIndex, Keyed

KEYED: Final = (
    Keyed(
        "application",
        row="id",
        indexes=(BlindIndex("code_index", "progress_code", sealed="code"),),
        shared=("code",),
    ),
)
