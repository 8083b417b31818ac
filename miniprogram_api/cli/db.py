"""`shukun db`: the tables of the database."""

from __future__ import annotations

import sys

import click

from backend.kernel import migrations
from miniprogram_api.cli import work


@click.group()
def db() -> None:
    """数据库表结构。"""


@db.command()
@click.option("--sql", is_flag=True, help="只写出 SQL，不执行（不需要数据库）。")
def upgrade(sql: bool) -> None:
    """升级到最新的表结构，全部成功或全部不做。"""
    if sql:
        migrations.write_sql(sys.stdout)
        return
    with work.bare_database(work.settings()) as engine:
        before = migrations.current(engine)
        migrations.upgrade(engine)
        after = migrations.current(engine)
    click.echo(f"已是最新：{after}" if before == after else f"已升级：{before or '空库'} → {after}")


@db.command()
@click.pass_context
def status(context: click.Context) -> None:
    """显示当前和最新的表结构；不是最新时退出状态为 1。"""
    with work.bare_database(work.settings()) as engine:
        current = migrations.current(engine)
    newest = migrations.head()
    click.echo(f"当前：{current or '空库'}；最新：{newest}")
    if current != newest:
        click.echo("请运行 shukun db upgrade。")
        context.exit(1)
