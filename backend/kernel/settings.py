"""设置 (settings): read from the environment once, checked whole, then passed along as a value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PROJECT: Final = Path(__file__).resolve().parents[2]
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
CIPHERS: Final = ("aes", "sm4")
MEBIBYTE: Final = 1024 * 1024
NOT_SHOWN: Final = "(不予显示)"
_SECRET: Final = re.compile(r"[!-~]{32,200}", re.ASCII)
DEFAULT_DATA: Final = PROJECT / "var"


@dataclass(frozen=True, slots=True)
class SettingFault:
    """One variable at fault. `remedy`: a Chinese sentence that says what to do."""

    variable: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable}={self.value!r}：{self.remedy}"


class SettingsError(Exception):
    """The environment cannot be used; every fault is named at once."""

    def __init__(self, faults: list[SettingFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["设置有误，请改正后重新启动：", *(f"  {f}" for f in faults)]))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a deployment may choose. Sizes in bytes; `data` is an absolute folder."""

    database_url: str | None = None
    """None: the embedded PostgreSQL in `data` is used."""
    database_app_url: str | None = None
    """A login of its own for the website; None: the login above, in the role `shukun_app`."""
    database_worker_url: str | None = None
    """The same for commands and workers, in the role `shukun_worker`."""
    data: Path = DEFAULT_DATA
    pg_bin: Path | None = None
    keys: Path | None = None
    """The key file; None: `keys.json` in `data`."""
    cipher: str = "aes"
    """What new keys are for: `aes`, or `sm4` for the national algorithms."""
    catalogue: tuple[Path, ...] = ()
    log_level: str = "INFO"
    workers: int = 2
    threads: int = 4
    job_workers: int = 1
    """Worker processes beside the website; 0 where they run elsewhere (`shukun worker`)."""
    worker_silence: int = 30
    """Seconds of silence after which a worker counts as dead and its jobs are taken back."""
    max_body_bytes: int = MEBIBYTE
    max_batch_body_bytes: int = 8 * MEBIBYTE
    staff_token: str | None = field(default=None, repr=False)
    """What staff show to read runs, until they have accounts; None: nobody may."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that `environ` asks for; raises `SettingsError` with every fault."""
        read = _Reader(environ)
        settings = cls(
            database_url=read.database_url("DATABASE_URL"),
            database_app_url=read.database_url("DATABASE_APP_URL", beside="DATABASE_URL"),
            database_worker_url=read.database_url("DATABASE_WORKER_URL", beside="DATABASE_URL"),
            data=read.path("SHUKUN_DATA") or DEFAULT_DATA,
            pg_bin=read.folder("SHUKUN_PG_BIN", holding="initdb"),
            keys=read.file("SHUKUN_KEYS"),
            cipher=read.one_of("SHUKUN_CIPHER", CIPHERS),
            catalogue=read.folders("SHUKUN_CATALOGUE"),
            log_level=read.level("SHUKUN_LOG_LEVEL"),
            workers=read.number("SHUKUN_WORKERS", 2, 1, 64),
            threads=read.number("SHUKUN_THREADS", 4, 1, 64),
            job_workers=read.number("SHUKUN_JOB_WORKERS", 1, 0, 64),
            worker_silence=read.number("SHUKUN_WORKER_SILENCE", 30, 2, 3600),
            max_body_bytes=read.number("SHUKUN_MAX_BODY_BYTES", MEBIBYTE, 1024, 64 * MEBIBYTE),
            max_batch_body_bytes=read.number(
                "SHUKUN_MAX_BATCH_BODY_BYTES", 8 * MEBIBYTE, 1024, 256 * MEBIBYTE
            ),
            staff_token=read.secret("SHUKUN_STAFF_TOKEN"),
        )
        if read.faults:
            raise SettingsError(read.faults)
        return settings

    @property
    def key_file(self) -> Path:
        """Where the keys are."""
        return self.keys or self.data / "keys.json"


class _Reader:
    """Reads one variable after another and gathers what is wrong; an empty one counts as unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[SettingFault] = []

    def _fault(self, variable: str, remedy: str, value: str | None = None) -> None:
        shown = self.environ[variable] if value is None else value
        self.faults.append(SettingFault(variable, shown, remedy))

    def database_url(self, variable: str, *, beside: str | None = None) -> str | None:
        text = self.environ.get(variable)
        if not text:
            return None
        if beside is not None and not self.environ.get(beside):
            self._fault(variable, f"只能和 {beside} 一起设置。", value="(不予显示)")
        try:
            driver = make_url(text).drivername
        except ArgumentError:
            driver = ""
        if driver not in ("postgresql", "postgresql+psycopg"):
            # The value may hold a password: never shown.
            remedy = (
                "请写成 postgresql://用户:口令@主机:端口/数据库；不用外部数据库时请删去此变量。"
            )
            self._fault(variable, remedy, value=NOT_SHOWN)
        return text

    def secret(self, variable: str) -> str | None:
        text = self.environ.get(variable)
        if not text:
            return None
        if _SECRET.fullmatch(text) is None:
            remedy = "请改为 32 至 200 个英文字母、数字或符号，不含空格；最好随机生成。"
            self._fault(variable, remedy, value=NOT_SHOWN)
        return text

    def path(self, variable: str) -> Path | None:
        text = self.environ.get(variable)
        if not text:
            return None
        path = Path(text).expanduser().absolute()
        if path.exists() and not path.is_dir():
            self._fault(variable, "这是一个文件，请改为文件夹。")
        return path

    def file(self, variable: str) -> Path | None:
        text = self.environ.get(variable)
        if not text:
            return None
        path = Path(text).expanduser().absolute()
        if path.is_dir():
            self._fault(variable, "这是一个文件夹，请改为文件。")
        return path

    def one_of(self, variable: str, choices: tuple[str, ...]) -> str:
        """The first one is the default."""
        choice = (self.environ.get(variable) or choices[0]).lower()
        if choice not in choices:
            self._fault(variable, f"请改为 {'、'.join(choices)} 之一。")
        return choice

    def folder(self, variable: str, *, holding: str) -> Path | None:
        path = self.path(variable)
        if path is not None and not (path / holding).is_file():
            self._fault(variable, f"该文件夹里没有 {holding}，请改为存放它的文件夹。")
        return path

    def folders(self, variable: str) -> tuple[Path, ...]:
        texts = [text for text in self.environ.get(variable, "").split(os.pathsep) if text]
        paths = tuple(Path(text).expanduser().absolute() for text in texts)
        for text, path in zip(texts, paths, strict=True):
            if not path.is_dir():
                self._fault(variable, "文件夹不存在，请建立它或改正路径。", value=text)
        return paths

    def level(self, variable: str) -> str:
        level = (self.environ.get(variable) or "INFO").upper()
        if level not in LOG_LEVELS:
            self._fault(variable, f"请改为 {'、'.join(LOG_LEVELS)} 之一。")
        return level

    def number(self, variable: str, default: int, least: int, most: int) -> int:
        text = self.environ.get(variable)
        if not text:
            return default
        whole = text.isascii() and text.isdigit() and len(text) <= 12
        if not (whole and least <= int(text) <= most):
            self._fault(variable, f"请改为 {least} 至 {most} 之间的整数。")
            return default
        return int(text)
