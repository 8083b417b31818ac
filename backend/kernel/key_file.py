"""密钥文件 (key file): the master keys and index keys, kept apart from the database.

JSON: `{"active": 2, "keys": [{"id": 1, "suite": "aes", "master": "…", "index": "…"}, …]}`, secrets
in base64. Suite `aes`: AES-256-GCM and HMAC-SHA256; `sm4`: SM4-GCM and HMAC-SM3. A change replaces
the whole file, so that a reader sees the old one or the new one.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from backend.kernel.errors import CannotRun
from backend.kernel.sealing import ALGORITHMS

SUITES: Final = {"aes": (b"A", "sha256"), "sm4": (b"S", "sm3")}
"""Suite → the algorithm that seals, the hash of the blind index."""
INDEX_BYTES: Final = 32
MOST: Final = 2**16 - 1
_FOR_OTHERS: Final = stat.S_IROTH | stat.S_IWOTH


class KeysUnusable(CannotRun):
    """The keys cannot be used; the message is a Chinese sentence that says what to do."""


@dataclass(frozen=True)
class Generation:
    """A master key and an index key that came together."""

    id: int
    suite: str
    master: bytes = field(repr=False)
    index: bytes = field(repr=False)


@dataclass(frozen=True)
class KeyFile:
    """What the file says. `active`: the generation that seals; the others still open."""

    active: int
    keys: tuple[Generation, ...]

    @property
    def newest(self) -> int:
        """The generation that was added last."""
        return max(one.id for one in self.keys)

    def added(self, suite: str) -> KeyFile:
        """The same with a new generation, not active yet."""
        if self.newest == MOST:
            raise KeysUnusable("密钥编号已用尽，请联系维护人员。")
        return replace(self, keys=(*self.keys, _new_generation(self.newest + 1, suite)))

    def without(self, number: int) -> KeyFile:
        """The same without a generation."""
        return replace(self, keys=tuple(one for one in self.keys if one.id != number))


def new_file(suite: str) -> KeyFile:
    """A first generation, active."""
    return KeyFile(1, (_new_generation(1, suite),))


def read(path: Path) -> KeyFile:
    """The file's keys; raises `KeysUnusable`."""
    try:
        if path.stat().st_mode & _FOR_OTHERS:
            raise KeysUnusable(f"其他用户可以读写密钥文件：请运行 chmod 600 {path}，再重试。")
        found = msgspec.json.decode(path.read_bytes(), type=_File)
        keys = tuple(_generation(one) for one in found.keys)
    except FileNotFoundError as error:
        raise KeysUnusable(
            f"没有找到密钥文件 {path}：请从备份恢复它，或用 SHUKUN_KEYS 指出它的位置。"
        ) from error
    except OSError as error:
        raise KeysUnusable(
            f"读不了密钥文件 {path}（{error.strerror}）：请检查文件的属主和权限。"
        ) from error
    except (msgspec.MsgspecError, ValueError) as error:  # binascii.Error is a ValueError
        raise KeysUnusable(f"密钥文件 {path} 已损坏：请从备份恢复，不要重新生成。") from error
    if found.active not in {one.id for one in keys} or len({one.id for one in keys}) != len(keys):
        raise KeysUnusable(f"密钥文件 {path} 里的密钥编号不对：请从备份恢复。")
    return KeyFile(found.active, keys)


def create(path: Path, content: KeyFile) -> None:
    """Write a first file; the one that another process wrote just before is left as it is."""
    draft = _draft(path, content)
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    _sync(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else changes the file meanwhile."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def write(path: Path, content: KeyFile) -> None:
    """Replace the file as a whole; it is on disk when this returns. Hold `locked`."""
    draft = _draft(path, content)
    draft.chmod(stat.S_IMODE(path.stat().st_mode))
    draft.replace(path)
    _sync(path.parent)


class _Generation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: int
    suite: str
    master: str
    index: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    active: int
    keys: tuple[_Generation, ...]


def _new_generation(number: int, suite: str) -> Generation:
    algorithm, _ = SUITES[suite]
    master = secrets.token_bytes(ALGORITHMS[algorithm].secret_bytes)
    return Generation(number, suite, master, secrets.token_bytes(INDEX_BYTES))


def _generation(found: _Generation) -> Generation:
    """Raises `ValueError` where it is none."""
    if found.suite not in SUITES or not 0 < found.id <= MOST:
        raise ValueError("unknown suite, or a number out of range")
    master, index = _secret(found.master), _secret(found.index)
    algorithm, _ = SUITES[found.suite]
    if len(master) != ALGORITHMS[algorithm].secret_bytes or len(index) != INDEX_BYTES:
        raise ValueError("a secret of the wrong length")
    return Generation(found.id, found.suite, master, index)


def _secret(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _draft(path: Path, content: KeyFile) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(_plain(content)), indent=1) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def _plain(content: KeyFile) -> _File:
    keys = (
        _Generation(one.id, one.suite, _text(one.master), _text(one.index)) for one in content.keys
    )
    return _File(content.active, tuple(keys))


def _text(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
