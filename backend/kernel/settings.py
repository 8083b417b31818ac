"""设置 (settings): read from the environment once, checked whole, then passed along as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.kernel.environment import NOT_SHOWN, Reader, SettingFault, SettingsError
from backend.kernel.settings_wechat import WeChatSettings, read_wechat

__all__ = ["NOT_SHOWN", "SettingFault", "Settings", "SettingsError", "WeChatSettings"]

PROJECT: Final = Path(__file__).resolve().parents[2]
CIPHERS: Final = ("aes", "sm4")
SMS: Final = ("none", "record")
EMERGENCY_AREA: Final = "SHUKUN_EMERGENCY_AREA"
MEBIBYTE: Final = 1024 * 1024
DEFAULT_DATA: Final = PROJECT / "var"
DEFAULT_SITE: Final = "http://127.0.0.1:8000"


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
    audit_anchors: Path | None = None
    """The anchors of the audit chain; None: `audit-anchors.jsonl` in `data`."""
    papers: Path | None = None
    """The folder of residents' papers, the same for the site and all workers; None: `papers` in
    `data`."""
    seal_key: Path | None = None
    """The key of the seal of letters, PEM; None: an own one in `data`, for trials."""
    seal_cert: Path | None = None
    """Its certificate, then those above it but for the root, PEM."""
    site: str = DEFAULT_SITE
    """Under which address people reach the website: for links and QR codes."""
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
    max_paper_bytes: int = 10 * MEBIBYTE
    """The largest photo or PDF that is taken, by pieces."""
    account_requests: int = 600
    """How many requests one account may make in any five minutes."""
    proxies: int = 0
    """Reverse proxies in front of the website, of which each adds to X-Forwarded-For."""
    production: bool = False
    """Whether real people are served: nothing made for trials is taken then."""
    wechat: WeChatSettings | None = None
    """The mini-program; None: none is connected."""
    sms: str = "none"
    """Who sends text messages: nobody, or `record`, which writes them into a table, for trials."""
    emergency_area: str | None = None
    """Whose list gets a chat's emergency where the place is not known or has no policy; None: the
    first place that has one."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that `environ` asks for; raises `SettingsError` with every fault."""
        read = Reader(environ)
        production = read.one_of("SHUKUN_PRODUCTION", ("0", "1")) == "1"
        settings = cls(
            database_url=read.database_url("DATABASE_URL"),
            database_app_url=read.database_url("DATABASE_APP_URL", beside="DATABASE_URL"),
            database_worker_url=read.database_url("DATABASE_WORKER_URL", beside="DATABASE_URL"),
            data=read.path("SHUKUN_DATA") or DEFAULT_DATA,
            pg_bin=read.folder("SHUKUN_PG_BIN", holding="initdb"),
            keys=read.file("SHUKUN_KEYS"),
            audit_anchors=read.file("SHUKUN_AUDIT_ANCHORS"),
            papers=read.path("SHUKUN_PAPERS"),
            seal_key=read.file("SHUKUN_SEAL_KEY"),
            seal_cert=read.file("SHUKUN_SEAL_CERT"),
            site=read.address("SHUKUN_SITE", DEFAULT_SITE),
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
            max_paper_bytes=read.number(
                "SHUKUN_MAX_PAPER_BYTES", 10 * MEBIBYTE, MEBIBYTE, 20 * MEBIBYTE
            ),
            account_requests=read.number("SHUKUN_ACCOUNT_REQUESTS", 600, 30, 1_000_000),
            proxies=read.number("SHUKUN_PROXIES", 0, 0, 9),
            production=production,
            wechat=read_wechat(read, production=production),
            sms=read.one_of("SHUKUN_SMS", SMS),
            emergency_area=read.area(EMERGENCY_AREA),
        )
        if production and settings.sms == "record":
            read.fault("SHUKUN_SMS", "这是试用的办法，并不发出短信：正式运行时请删去此变量。")
        if production and settings.wechat is not None and settings.emergency_area is None:
            remedy = (
                "没有设置：请写明谁接手对话里不知道在哪里的紧急情况，用行政区划代码，如 320200。"
            )
            read.fault(EMERGENCY_AREA, remedy, NOT_SHOWN)
        if (settings.seal_key is None) != (settings.seal_cert is None):
            read.fault("SHUKUN_SEAL_CERT", "要和 SHUKUN_SEAL_KEY 一起设置，或者都不设。", NOT_SHOWN)
        if read.faults:
            raise SettingsError(read.faults)
        return settings

    @property
    def key_file(self) -> Path:
        """Where the keys are."""
        return self.keys or self.data / "keys.json"

    @property
    def papers_folder(self) -> Path:
        """Where residents' papers are."""
        return self.papers or self.data / "papers"

    @property
    def seal_folder(self) -> Path:
        """Where the own authority of letters is: made at first use."""
        return self.data / "seal"

    @property
    def anchors_file(self) -> Path:
        """Where the anchors of the audit chain are."""
        return self.audit_anchors or self.data / "audit-anchors.jsonl"
