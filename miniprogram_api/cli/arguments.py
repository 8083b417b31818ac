"""Arguments that several commands take: a day, an area."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from typing import Final

import click

from backend.kernel.areas import code_range, is_area
from backend.kernel.audit import person

EVERYWHERE: Final = (0, 999_999_999_999)
"""Every place, as the range of an area."""


class Day(click.ParamType[date]):
    """A day written YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"“{value}”不是日期，请写成 2024-01-31 这样。", param, context)


class Area(click.ParamType[tuple[int, int]]):
    """A code of 6, 9 or 12 digits, as the range of its places."""

    name = "CODE"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        try:
            found = code_range(str(value))
        except ValueError:
            self.fail("地区代码是 6 位、9 位或 12 位数字，例如 320281。", param, context)
        if not is_area(str(value)[:6]):
            self.fail(f"没有“{value}”这个地区，请核对前六位，例如 320281。", param, context)
        return found


class Governed(click.ParamType[str]):
    """The six-digit code of a province, city or county."""

    name = "CODE"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        if len(str(value)) != 6 or not is_area(str(value)):
            self.fail(f"没有“{value}”这个地区，请填六位代码，例如 320281。", param, context)
        return str(value)


class Place(click.ParamType[str]):
    """The code of a county or what stands above it (6 digits), a township (9) or a village (12)."""

    name = "CODE"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        code = str(value)
        plain = len(code) in (6, 9, 12) and code.isascii() and code.isdigit()
        if not plain or not is_area(code[:6]):
            self.fail(f"没有“{value}”这个地区，请填 6、9 或 12 位代码。", param, context)
        return code


class Name(click.ParamType[str]):
    """A person's name."""

    name = "NAME"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> str:
        name = person(str(value))
        if not name:
            self.fail("请填写姓名。", param, context)
        return name


by_user: Final = click.option(
    "--by", type=Name(), default=getpass.getuser, help="办理人；不填时为当前系统用户。"
)
"""Who does it, for the audit."""
