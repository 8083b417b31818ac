"""短信 (text messages): whoever sends them for us, behind one door; nobody unless one is named.

The recording provider writes them into a table instead of sending them, for trials and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from sqlalchemy.dialects.postgresql import insert

from backend.kernel import keys
from backend.kernel.crypto import Place
from backend.kernel.database import transaction
from backend.kernel.row_ids import next_id
from backend.notifications.tables import SMS_OUTBOX


class SmsRefused(Exception):
    """This number takes no text message, now or later; nothing was sent. Names no number."""


class SmsUnavailable(Exception):
    """Not now, or nobody knows whether it went out: it is sent again under its reference."""


@dataclass(frozen=True, slots=True)
class Sms:
    """One text message. `reference`: our number of it, the same each time it is tried."""

    phone: str = field(repr=False)
    text: str
    reference: str


class SmsProvider(Protocol):
    """Sends text messages. Calls are made outside of transactions, by several threads."""

    def send(self, sms: Sms) -> str:
        """Its receipt. The same reference again is the same message: nobody gets it twice.

        Raises `SmsRefused`, `SmsUnavailable`; takes at most some seconds.
        """


class RecordingSms:
    """Keeps them in `sms_outbox`."""

    def send(self, sms: Sms) -> str:
        """The reference itself."""
        with transaction() as session:
            own = next_id(session)
            sealed = keys.keyring().shared().seal(Place("sms_outbox", "phone", own), sms.phone)
            row = {"id": own, "reference": sms.reference, "phone": sealed, "text": sms.text}
            session.execute(insert(SMS_OUTBOX).on_conflict_do_nothing(), row)
        return sms.reference


_bound: Final[list[SmsProvider]] = []


def bind(chosen: SmsProvider | None) -> None:
    """Name who sends for this process; None: nobody. A later call replaces it."""
    _bound[:] = [] if chosen is None else [chosen]


@contextmanager
def bound(chosen: SmsProvider | None) -> Iterator[None]:
    """`bind` for the length of the block, for tests."""
    before = _bound[:]
    bind(chosen)
    try:
        yield
    finally:
        _bound[:] = before


def provider() -> SmsProvider | None:
    """Who sends; None: this way does not exist here."""
    return _bound[0] if _bound else None
