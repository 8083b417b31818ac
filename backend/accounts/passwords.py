"""口令 (passwords): argon2id, and what a password must be. Never in a text, a log or an error."""

from __future__ import annotations

import secrets
import unicodedata
from typing import ClassVar, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.kernel.errors import DomainError, Fault

SHORTEST: Final = 10
LONGEST: Final = 128
FEWEST_SIGNS: Final = 5
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""19 MiB and two passes (OWASP's least for argon2id): some 30 ms of one core."""
_NOBODYS: Final = _HASHER.hash(secrets.token_urlsafe(16))
_WEAK: Final = (
    f"新口令要 {SHORTEST} 至 {LONGEST} 个字符，至少 {FEWEST_SIGNS} 种不同的字符，"
    "不能含工号，也不能和原来的相同。"
)


class WeakPassword(DomainError):
    """The new password is too short, too plain, or the old one."""

    code: ClassVar[str] = "weak-password"


def hash_password(password: str) -> str:
    """What is kept of it."""
    return _HASHER.hash(_normal(password))


def first_password() -> str:
    """A password of 16 signs without those that are taken for others, to be changed at once."""
    signs = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(signs) for _ in range(4)) for _ in range(4))


def is_password(password: str, kept: str | None) -> bool:
    """Whether it is the one; `kept` None, where there is no account, takes the same time."""
    try:
        return _HASHER.verify(kept or _NOBODYS, _normal(password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def check_new(password: str, staff_no: str, kept: str) -> None:
    """Raises `WeakPassword`, with advice."""
    plain = _normal(password)
    long_enough = SHORTEST <= len(plain) <= LONGEST
    varied = len(set(plain)) >= FEWEST_SIGNS and staff_no.lower() not in plain.lower()
    if not (long_enough and varied) or is_password(password, kept):
        raise WeakPassword(Fault("/new_password", _WEAK))


def _normal(password: str) -> str:
    """One spelling, whatever the keyboard sends."""
    return unicodedata.normalize("NFKC", password)[: LONGEST + 1]
