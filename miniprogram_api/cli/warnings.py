"""`shukun warnings`: the cross-check of an area, its warnings, and what visits found."""

from __future__ import annotations

import getpass
from datetime import date
from typing import Any, Final, get_args

import click

from backend.citizens.counties import counties
from backend.kernel import clock
from backend.kernel.areas import area_short_name, chain
from backend.kernel.audit import Operator
from backend.kernel.database import transaction
from backend.kernel.money import format_yuan
from backend.matching.editions import current_edition
from backend.warnings.cross_check import KINDS, CrossCheck, Found
from backend.warnings.lists import Warned, Within, warnings_in
from backend.warnings.monthly import check_county
from backend.warnings.visits import OUTCOMES, Outcome, Visit, record_visit
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import Area, Day, Governed, by_user

STATES: Final = {
    "open": "待核查",
    "confirmed": "属实",
    "not_confirmed": "不属实",
    "superseded": "已撤销",
}


@click.group()
def warnings() -> None:
    """预警：每月核验、预警清单、入户核查。"""


@warnings.command()
@click.option("--area", type=Governed(), required=True, help="省、市或县（市、区）的代码。")
@click.option("--year", type=click.IntRange(2000, 2100), metavar="YYYY", help="默认当年。")
@click.option("--on", type=Day(), help="核验的日期；默认今天。")
@click.option("--by", default=getpass.getuser, help="办理人；不填时为当前系统用户。")
def check(area: str, year: int | None, on: date | None, by: str) -> None:
    """现在核验一次（每月自动进行）：超过预警线的发预警，开入户任务；重复运行不会重复预警。"""
    day = on or clock.today()
    chosen = work.settings()
    with work.working_database(chosen):
        with transaction() as session:
            book = current_edition(session, chosen.catalogue).rules.book
            within = [code for code in counties(session) if area in chain(code)]
        for county in within:
            with transaction() as session:
                found = check_county(session, CrossCheck(county, year or day.year, day), book, by)
            _show(county, *found)
    if not within:
        click.echo("这个地区没有登记的人。")


@warnings.command("list")
@click.option("--area", type=Area(), required=True, help="只看这个地区。")
@click.option("--state", type=click.Choice(list(STATES)), help="只看这种状态。")
@by_user
def list_(area: tuple[int, int], state: str | None, by: str) -> None:
    """列出预警（没有姓名、证件号码）。查看记入审计，名单上的人看得到。"""
    with work.working_database(work.settings()), transaction() as session:
        found = warnings_in(session, Operator(by), Within(*area, state))
    for one in found:
        click.echo(_line(one))
    click.echo(f"共 {len(found)} 条。")


@warnings.command()
@click.argument("warning_id", type=int, metavar="ID")
@click.option("--outcome", type=click.Choice(get_args(Outcome)), required=True, help="核查结果。")
@click.option("--on", type=Day(), help="入户的日期；默认今天。")
@click.option("--by", required=True, help="入户的人。")
@click.option("--note", default="", help="情况说明，加密保存；不属实的必须写明理由。")
def visit(**options: Any) -> None:
    """记下一次入户核查：属实的生成救助申请草稿，无人应答的转上一级。"""
    chosen, today = work.settings(), clock.today()
    made = Visit(
        options["warning_id"],
        options["outcome"],
        options["on"] or today,
        options["by"],
        options["note"],
    )
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        with transaction() as session:
            record_visit(session, made, keyring, today)
    click.echo(f"已记下：预警 {made.warning_id} {OUTCOMES[made.outcome]}。")


def _show(county: str, found: Found, watched: Found | None) -> None:
    name = area_short_name(county)
    click.echo(f"{county} {name}：超过预警线的 {found.exceeding} 户，{_opened(found)}。")
    if found.without_income:
        click.echo(f"  另有 {found.without_income} 户有医疗负担但没有收入数据，无法比较。")
    if watched is not None:
        click.echo(f"  超过当地监测标准的 {watched.exceeding} 人，{_opened(watched)}。")


def _opened(found: Found) -> str:
    new = "、".join(f"{KINDS[kind]} {count} 条" for kind, count in found.opened.items() if count)
    gone = f"，撤销 {found.gone} 条" if found.gone else ""
    return f"新预警{f' {new}' if new else '没有'}{gone}"


def _line(one: Warned) -> str:
    income = f"，收入 {format_yuan(one.income)} 元" if one.income >= 0 else ""
    return (
        f"{one.id}  {one.as_of}  {KINDS[one.kind]}  {STATES[one.state]}  {one.area}  "
        f"{one.year}年负担 {format_yuan(one.burden)} 元，预警线 {format_yuan(one.line)} 元{income}"
        f"，入户 {one.visits} 次"
    )
