"""换密钥的范围 (keyed): what of the accounts depends on the master and index keys."""

from __future__ import annotations

from typing import Final

from backend.kernel.rotation import BlindIndex, Keyed

KEYED: Final = (
    Keyed(
        "resident",
        row="id",
        indexes=(BlindIndex("phone_index", "phone", sealed="phone"),),
        shared=("phone",),
    ),
    Keyed(
        "wechat_user",
        row="resident_id",
        indexes=(BlindIndex("openid_index", "openid", sealed="openid"),),
        shared=("openid",),
    ),
    Keyed("staff", row="id", shared=("totp_secret",)),
)
