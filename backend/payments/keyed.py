"""换密钥的范围 (keyed): what of the payees depends on the master and index keys."""

from __future__ import annotations

from typing import Final

from backend.kernel.rotation import BlindIndex, Keyed

KEYED: Final = (
    Keyed(
        "payee",
        row="id",
        person="person_id",
        indexes=(BlindIndex("account_index", "account", sealed="account"),),
    ),
)
