"""`shukun policy`: the catalogue's files, and the dates that documents leave open."""

from __future__ import annotations

import getpass
from datetime import date

import click

from backend.citizens.diagnoses import missing_groups
from backend.kernel.database import transaction
from backend.kernel.yaml_file import FileError
from backend.policies.catalogue import load_catalogue
from backend.policies.confirmation import ConfirmDates, confirm_dates
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import Day


@click.group()
def policy() -> None:
    """政策目录。"""


@policy.command()
@click.pass_context
def check(context: click.Context) -> None:
    """检查全部政策文件；有误时逐条说明文件、行号和原因，退出状态为 1。"""
    try:
        book = load_catalogue(work.settings().catalogue)
    except FileError as error:
        for fault in error.faults:
            click.echo(str(fault))
        click.echo(f"共 {len(error.faults)} 处有误，请改正后重新检查。", err=True)
        context.exit(1)
    missing = list(missing_groups(book.policies.values()))
    for sentence in missing:
        click.echo(sentence)
    if missing:
        click.echo(f"共 {len(missing)} 个病种没有编码，请先写进 diagnoses.yaml。", err=True)
        context.exit(1)
    click.echo(f"{len(book.policies)} 个政策，全部正确：{'、'.join(book.policies)}")


@policy.command()
@click.argument("policy_id", metavar="POLICY")
@click.option("--from", "from_", type=Day(), required=True, help="施行日期（含当日）。")
@click.option("--to", type=Day(), help="终止日期（含当日）；不知道时不填。")
@click.option("--by", default=getpass.getuser, help="确认人；不填时为当前系统用户。")
@click.option("--note", default="", help="依据或说明。")
def confirm(policy_id: str, from_: date, to: date | None, by: str, note: str) -> None:
    """确认政策 POLICY 的施行日期（仅限文件没有写明的），并记入审计。"""
    chosen = work.settings()
    book = load_catalogue(chosen.catalogue)
    command = ConfirmDates(policy_id, from_, to, confirmed_by=by, note=note)
    with work.working_database(chosen), transaction() as session:
        confirm_dates(session, book, command)
    end = f"至 {to} 止" if to else "终止日期未定"
    click.echo(f"已确认：{policy_id} 自 {from_} 起施行，{end}。")
