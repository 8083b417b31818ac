"""封存者 (audit sealer): what a worker does every few seconds for the audit."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from backend.kernel import clock, key_check
from backend.kernel.audit_anchors import Anchors
from backend.kernel.audit_seal import seal
from backend.kernel.crypto import Keyring, KeysUnusable
from backend.kernel.settings import Settings

log = logging.getLogger(__name__)


@dataclass
class AuditSealer:
    """Seals once at each call. Of any number of workers one does it at a time."""

    settings: Settings
    _keyring: Keyring | None = field(default=None, init=False)

    def __call__(self) -> None:
        """Seal, and anchor where there are keys; a fault of files is logged and tried again."""
        try:
            seal(self._anchors(), clock.now())
        except (OSError, KeysUnusable) as error:
            log.error("audit not anchored", extra={"reason": type(error).__name__})
            seal(None, clock.now())

    def _anchors(self) -> Anchors | None:
        """None until a command has made the keys: those of another machine are never made here."""
        if self._keyring is None and self.settings.key_file.exists():
            self._keyring = key_check.open_keyring(self.settings)
        if self._keyring is None:
            return None
        return Anchors(self.settings.anchors_file, self._keyring)
