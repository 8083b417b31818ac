"""换密钥的范围 (keyed): what of the conversations depends on the master and index keys."""

from __future__ import annotations

from typing import Final

from backend.kernel.rotation import BlindIndex, Keyed

KEYED: Final = (
    Keyed(
        "conversation",
        row="id",
        indexes=(BlindIndex("openid_index", "openid", sealed="openid"),),
        shared=("openid", "memory"),
    ),
    Keyed("utterance", row="id", shared=("content",)),
)
