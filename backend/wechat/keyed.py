"""换密钥的范围 (keyed): what of WeChat's tables depends on the master key."""

from __future__ import annotations

from typing import Final

from backend.kernel.rotation import Keyed

KEYED: Final = (
    Keyed("wechat_token", row="id", shared=("token",)),
    Keyed("wechat_push", row="id", shared=("payload",)),
)
