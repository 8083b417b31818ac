"""拒绝 (refusals): what cannot be done with a payment, and why."""

from __future__ import annotations

from typing import ClassVar

from backend.kernel.errors import DomainError


class PaymentUnknown(DomainError):
    """No batch has this serial, or no item this number."""

    code: ClassVar[str] = "unknown-payment"


class AccountWrong(DomainError):
    """No account can be that."""

    code: ClassVar[str] = "payment-account-wrong"


class PaymentMoved(DomainError):
    """The batch or item is not in the state that this needs."""

    code: ClassVar[str] = "payment-wrong-state"


class OneWithItself(DomainError):
    """Whoever made or reviewed a batch does not approve it."""

    code: ClassVar[str] = "payment-same-person"


class BatchOutdated(DomainError):
    """What the batch pays has changed since it was made."""

    code: ClassVar[str] = "payment-outdated"
