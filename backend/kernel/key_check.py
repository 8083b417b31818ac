"""密钥核对 (key check): the database knows its keys again: a wrong key file is told at once.

Without it, a program with other keys would look up nobody and take everybody in anew.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, Table, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.kernel.crypto import Keyring, KeysUnusable
from backend.kernel.database import Base, transaction
from backend.kernel.settings import Settings

KEY_CHECK: Final = Table(
    "key_check",
    Base.metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""By the number of each key in use, a known value sealed by it."""


def open_keyring(chosen: Settings) -> Keyring:
    """The keys of the bound database, as `worker`; opens a transaction.

    Made at the first use of a database; never where it has keys already. Raises `KeysUnusable`.
    """
    with transaction() as session:
        first = not _kept(session)
    path = chosen.key_file
    keyring = Keyring.open_or_create(path, chosen.cipher) if first else Keyring.load(path)
    with transaction() as session:
        acknowledge(session, keyring)
    return keyring


def acknowledge(session: Session, keyring: Keyring) -> None:
    """Let the database know new keys, and check those it knows; raises `KeysUnusable`."""
    verify(session, keyring)
    newest = max(_kept(session), default=0)  # an older one was dropped, whatever the file says
    new = [
        {"number": number, "sealed": keyring.check(number)}
        for number in keyring.numbers
        if number > newest
    ]
    if new:
        session.execute(insert(KEY_CHECK).on_conflict_do_nothing(), new)
        verify(session, keyring)  # another process may have been first


def verify(session: Session, keyring: Keyring) -> None:
    """Raises `KeysUnusable` where the file lacks a key of the database, or has another one."""
    for number, kept in _kept(session).items():
        if number not in keyring.numbers:
            raise KeysUnusable(
                f"密钥文件 {keyring.path} 里没有本数据库用的第 {number} 号密钥："
                "请从备份恢复完整的密钥文件。"
            )
        if not keyring.checks(number, kept):
            raise KeysUnusable(
                f"密钥文件 {keyring.path} 不是本数据库的（第 {number} 号密钥不符）："
                "请用 SHUKUN_KEYS 指出原来的密钥文件，或从备份恢复。"
            )


def forget(session: Session, number: int) -> None:
    """The database no longer needs the key."""
    session.execute(delete(KEY_CHECK).where(KEY_CHECK.c.number == number))


def _kept(session: Session) -> dict[int, bytes]:
    rows = session.execute(select(KEY_CHECK.c.number, KEY_CHECK.c.sealed))
    return {row.number: row.sealed for row in rows}
