"""换密钥的范围 (keyed): what of the messages depends on the master key."""

from __future__ import annotations

from typing import Final

from backend.kernel.rotation import Keyed

KEYED: Final = (Keyed("sms_outbox", row="id", shared=("phone",)),)
