"""`shukun db`: the tables of the database, and the roles that act in it."""

from __future__ import annotations

import sys
from typing import Final

import click
from sqlalchemy import make_url

from backend.kernel import database, migrations
from miniprogram_api.cli import work

ROLES_SQL: Final = """\
-- 由数据库管理员（超级用户）在目标服务器上执行，可以重复执行；
-- {login} 是 DATABASE_URL 里的用户，{name} 是其中的数据库。
DO $$
BEGIN
    -- 网站：只看得到办理人辖区内的数据
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{app}') THEN
        CREATE ROLE {app} NOLOGIN;
    END IF;
    -- 导入、匹配、导出：看得到全部数据
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{worker}') THEN
        CREATE ROLE {worker} NOLOGIN;
    END IF;
END
$$;
ALTER ROLE {app} NOBYPASSRLS;
ALTER ROLE {worker} BYPASSRLS;
GRANT {app}, {worker} TO {login};
-- 出错的语句和数值不记入数据库日志：里面可能有个人信息
ALTER DATABASE {name} SET log_min_messages = 'log';
ALTER DATABASE {name} SET log_error_verbosity = 'terse';
ALTER DATABASE {name} SET log_min_error_statement = 'panic';
ALTER DATABASE {name} SET log_parameter_max_length = 0;"""


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
    if current == newest:
        return
    older = current is not None and not migrations.is_known(current)
    click.echo(
        "数据库的表结构比本程序新：请换用新版程序。" if older else "请运行 shukun db upgrade。"
    )
    context.exit(1)


@db.command()
def roles() -> None:
    """写出建立数据库角色的 SQL，供数据库管理员执行（不连接数据库）。"""
    url = work.settings().database_url
    named = make_url(url) if url else None
    login = f'"{named.username}"' if named and named.username else "数据库用户"
    name = f'"{named.database}"' if named and named.database else "数据库名"
    click.echo(ROLES_SQL.format(**database.ROLES, login=login, name=name))
