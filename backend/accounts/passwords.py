"""口令 (passwords): argon2id, and what a password must be. Never in a text, a log or an error.

The database keeps how it is to be done and the digest of what comes of it: what comes of the right
password is the proof that opens a session, and can be read nowhere.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import ClassVar, Final

from argon2 import Parameters, PasswordHasher, extract_parameters

from backend.kernel.errors import DomainError, Fault

SHORTEST: Final = 10
LONGEST: Final = 128
FEWEST_SIGNS: Final = 5
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""19 MiB and two passes (OWASP's least for argon2id): some 30 ms of one core."""
_WEAK: Final = (
    f"新口令要 {SHORTEST} 至 {LONGEST} 个字符，至少 {FEWEST_SIGNS} 种不同的字符，"
    "不能含工号，也不能和原来的相同。"
)


class WeakPassword(DomainError):
    """The new password is too short, too plain, or the old one."""

    code: ClassVar[str] = "weak-password"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database keeps of a password: `salt`, the parameters and salt in the usual notation
    of argon2 (`$argon2id$v=19$m=…,t=…,p=…$…`), and the SHA-256 of what comes of it.
    """

    salt: str
    sha256: bytes


def keep(password: str) -> Kept:
    """What is kept of a password, with a new salt."""
    salt, shown = _HASHER.hash(_normal(password)).rsplit("$", 1)
    return Kept(salt, hashlib.sha256(shown.encode()).digest())


def show(password: str, salt: str | None) -> bytes:
    """What comes of the password, to be shown to the database; `salt` None, where there is no
    account, takes the same time.
    """
    parameters, own = _read(salt or _NOBODYS)
    return _again(parameters).hash(_normal(password), salt=own).rsplit("$", 1)[1].encode()


def first_password() -> str:
    """A password of 16 signs without those that are taken for others, to be changed at once."""
    signs = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(signs) for _ in range(4)) for _ in range(4))


def check_new(password: str, staff_no: str, present: str) -> None:
    """Raises `WeakPassword`, with advice. `present`: the password that was typed."""
    plain = _normal(password)
    long_enough = SHORTEST <= len(plain) <= LONGEST
    varied = len(set(plain)) >= FEWEST_SIGNS and staff_no.lower() not in plain.lower()
    if not (long_enough and varied) or plain == _normal(present):
        raise WeakPassword(Fault("/new_password", _WEAK))


def _read(salt: str) -> tuple[Parameters, bytes]:
    """Parameters and salt; the library reads them with a hash behind, here an empty one."""
    whole = f"{salt}${b64encode(bytes(32)).decode().rstrip('=')}"
    encoded = salt.rsplit("$", 1)[1]
    return extract_parameters(whole), b64decode(encoded + "=" * (-len(encoded) % 4))


def _again(parameters: Parameters) -> PasswordHasher:
    return PasswordHasher(
        time_cost=parameters.time_cost,
        memory_cost=parameters.memory_cost,
        parallelism=parameters.parallelism,
        hash_len=parameters.hash_len,
        type=parameters.type,
    )


def _normal(password: str) -> str:
    """One spelling, whatever the keyboard sends."""
    return unicodedata.normalize("NFKC", password)[: LONGEST + 1]


_NOBODYS: Final = keep(secrets.token_urlsafe(16)).salt
