"""`shukun demo-people`: run by `shukun demo` beside the site."""

from __future__ import annotations

from typing import Final

import click

from miniprogram_api import demo_bringing, lifeline
from miniprogram_api.cli import work
from miniprogram_api.demo_sheet import Addresses

BROUGHT: Final = "演示数据已就绪：{0.people} 人、{0.bills} 张结算单，已匹配并放行 {0.runs} 次。"
SHEET: Final = "演示用的居民和工作人员账号在 {0} 里；工作人员页面：{1}/staff。"


@click.command("demo-people", hidden=True)
@click.option("--site", required=True)
@click.option("--phones", default="")
@click.option("--user", "users", multiple=True)
def demo_people(site: str, phones: str, users: tuple[str, ...]) -> None:
    """演示数据：由 shukun demo 在后台运行。"""
    lifeline.end_with_supervisor()
    chosen = work.settings()
    with work.working_database(chosen):
        told = demo_bringing.bring(chosen, work.keyring(chosen), Addresses(site, phones, users))
    if told is None:
        return
    if told.brought is not None:
        click.echo(BROUGHT.format(told.brought), err=True)
    click.echo(SHEET.format(told.sheet, site), err=True)
