"""环境变量 (environment): one variable after another, and every fault at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from backend.kernel.areas import is_area
from backend.kernel.errors import CannotRun

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
NOT_SHOWN: Final = "(不予显示)"


@dataclass(frozen=True, slots=True)
class SettingFault:
    """One variable at fault. `remedy`: a Chinese sentence that says what to do."""

    variable: str
    value: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable}={self.value!r}：{self.remedy}"


class SettingsError(CannotRun):
    """The environment cannot be used; every fault is named at once."""

    def __init__(self, faults: list[SettingFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["设置有误，请改正后重新启动：", *(f"  {f}" for f in faults)]))


class Reader:
    """Reads one variable after another and gathers what is wrong; an empty one counts as unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[SettingFault] = []

    def fault(self, variable: str, remedy: str, value: str | None = None) -> None:
        """Note a fault; `value`: what is shown instead of what was set."""
        shown = self.environ[variable] if value is None else value
        self.faults.append(SettingFault(variable, shown, remedy))

    def database_url(self, variable: str, *, beside: str | None = None) -> str | None:
        text = self.environ.get(variable)
        if not text:
            return None
        if beside is not None and not self.environ.get(beside):
            self.fault(variable, f"只能和 {beside} 一起设置。", value=NOT_SHOWN)
        try:
            driver = make_url(text).drivername
        except ArgumentError:
            driver = ""
        if driver not in ("postgresql", "postgresql+psycopg"):
            # The value may hold a password: never shown.
            remedy = (
                "请写成 postgresql://用户:口令@主机:端口/数据库；不用外部数据库时请删去此变量。"
            )
            self.fault(variable, remedy, value=NOT_SHOWN)
        return text

    def path(self, variable: str) -> Path | None:
        text = self.environ.get(variable)
        if not text:
            return None
        path = Path(text).expanduser().absolute()
        if path.exists() and not path.is_dir():
            self.fault(variable, "这是一个文件，请改为文件夹。")
        return path

    def file(self, variable: str) -> Path | None:
        text = self.environ.get(variable)
        if not text:
            return None
        path = Path(text).expanduser().absolute()
        if path.is_dir():
            self.fault(variable, "这是一个文件夹，请改为文件。")
        return path

    def address(self, variable: str, default: str) -> str:
        """Of a website; without a slash at its end."""
        text = self.environ.get(variable)
        if not text:
            return default
        if re.fullmatch(r"https?://[0-9A-Za-z.:\[\]-]+(/[0-9A-Za-z._/-]*)?", text) is None:
            self.fault(variable, "请写成 https://主机，例如 https://yibao.example.cn。")
        return text.rstrip("/")

    def area(self, variable: str) -> str | None:
        code = self.environ.get(variable)
        if code and not is_area(code):
            self.fault(variable, "没有这个行政区划代码，请改为县、市或区的六位代码，如 320281。")
        return code or None

    def one_of(self, variable: str, choices: tuple[str, ...]) -> str:
        """The first one is the default."""
        choice = (self.environ.get(variable) or choices[0]).lower()
        if choice not in choices:
            self.fault(variable, f"请改为 {'、'.join(choices)} 之一。")
        return choice

    def folder(self, variable: str, *, holding: str) -> Path | None:
        path = self.path(variable)
        if path is not None and not (path / holding).is_file():
            self.fault(variable, f"该文件夹里没有 {holding}，请改为存放它的文件夹。")
        return path

    def folders(self, variable: str) -> tuple[Path, ...]:
        texts = [text for text in self.environ.get(variable, "").split(os.pathsep) if text]
        paths = tuple(Path(text).expanduser().absolute() for text in texts)
        for text, path in zip(texts, paths, strict=True):
            if not path.is_dir():
                self.fault(variable, "文件夹不存在，请建立它或改正路径。", value=text)
        return paths

    def level(self, variable: str) -> str:
        level = (self.environ.get(variable) or "INFO").upper()
        if level not in LOG_LEVELS:
            self.fault(variable, f"请改为 {'、'.join(LOG_LEVELS)} 之一。")
        return level

    def number(self, variable: str, default: int, least: int, most: int) -> int:
        text = self.environ.get(variable)
        if not text:
            return default
        whole = text.isascii() and text.isdigit() and len(text) <= 12
        if not (whole and least <= int(text) <= most):
            self.fault(variable, f"请改为 {least} 至 {most} 之间的整数。")
            return default
        return int(text)
