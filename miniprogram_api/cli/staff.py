"""`shukun staff`: accounts of staff, their duties, deputies, and what a leaver hands over."""

from __future__ import annotations

from typing import Any, Final

import click
import pyotp

from backend.accounts.duties import (
    ROLE_NAMES,
    Duty,
    NewDeputy,
    NewDuty,
    appoint_deputy,
    grant_duty,
    revoke_duty,
)
from backend.accounts.handovers import hand_over
from backend.accounts.staff_admin import (
    STATES,
    FirstCredentials,
    StaffShown,
    add_staff,
    disable_staff,
    enable_staff,
    list_staff,
    reset_password,
    staff_of,
)
from backend.applications.kin import record_staff_person
from backend.kernel import clock
from backend.kernel.database import transaction
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import Day, Name, Place, by_user

number: Final = click.argument("staff_no", metavar="工号")
role: Final = click.option(
    "--role", type=click.Choice(list(ROLE_NAMES)), required=True, help="职责。"
)
area: Final = click.option(
    "--area", type=Place(), required=True, help="地区代码：6 位、9 位（乡镇）或 12 位（村居）。"
)


@click.group()
def staff() -> None:
    """工作人员：账号、任职、代理、离任移交。"""


@staff.command()
@number
@click.option("--name", type=Name(), required=True, help="姓名。")
@by_user
def add(staff_no: str, name: str, by: str) -> None:
    """建立账号；初始口令和动态码的密钥只显示这一次，请当面交给本人。"""
    chosen = work.settings()
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        with transaction() as session:
            given = add_staff(session, keyring, staff_no, name, by)
    _hand(given)
    click.echo(f"下一步：shukun staff duty {staff_no} --role 职责 --area 地区")


@staff.command("reset-password")
@number
@by_user
def reset(staff_no: str, by: str) -> None:
    """重发初始口令和动态码的密钥；已登录的立即退出。"""
    chosen = work.settings()
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        with transaction() as session:
            given = reset_password(session, keyring, staff_no, by)
    _hand(given)


@staff.command()
@number
@role
@area
@click.option("--from", "from_on", type=Day(), help="首日；不填为今天。")
@click.option("--to", "to_on", type=Day(), help="末日；不填为没有期限。")
@by_user
def duty(staff_no: str, by: str, **given: Any) -> None:
    """任职：从某日起在某地担任某项职责。经办、审计、系统管理不能由同一人担任。"""
    given["from_on"] = given["from_on"] or clock.today()
    with work.working_database(work.settings()), transaction() as session:
        new = NewDuty(staff_of(session, staff_no).id, **given)
        duty_id = grant_duty(session, new, by)
    click.echo(f"已任职：第 {duty_id} 号，{staff_no}，{ROLE_NAMES[new.role]}，{new.area}")


@staff.command("end-duty")
@click.argument("duty_id", type=int, metavar="任职编号")
@by_user
def end_duty(duty_id: int, by: str) -> None:
    """结束任职，立即生效；代理这项任职的也一并结束。"""
    with work.working_database(work.settings()), transaction() as session:
        revoke_duty(session, duty_id, by)
    click.echo(f"已结束：第 {duty_id} 号任职")


@staff.command()
@click.argument("duty_id", type=int, metavar="任职编号")
@number
@click.option("--from", "from_on", type=Day(), help="首日；不填为今天。")
@click.option("--to", "to_on", type=Day(), required=True, help="末日。")
@click.option("--reason", required=True, help="缘由，例如：休假。")
@by_user
def deputy(staff_no: str, by: str, **given: Any) -> None:
    """代理：请别人在一段时间里代为担任某项任职，以代理人自己的名义。"""
    today = clock.today()
    given["from_on"] = given["from_on"] or today
    with work.working_database(work.settings()), transaction() as session:
        new = NewDeputy(staff_id=staff_of(session, staff_no).id, **given)
        duty_id = appoint_deputy(session, new, today, by)
    click.echo(f"已安排代理：第 {duty_id} 号，{staff_no}，至 {new.to_on}")


@staff.command()
@number
@by_user
def disable(staff_no: str, by: str) -> None:
    """停用账号；已登录的立即退出。"""
    with work.working_database(work.settings()), transaction() as session:
        disable_staff(session, staff_no, by)
    click.echo(f"已停用：{staff_no}")


@staff.command()
@number
@by_user
def enable(staff_no: str, by: str) -> None:
    """恢复已停用的账号。"""
    with work.working_database(work.settings()), transaction() as session:
        enable_staff(session, staff_no, by)
    click.echo(f"已恢复：{staff_no}")


@staff.command()
@number
@click.option("--id-number", prompt="身份证号", hide_input=True, help="不填的，会问，不显示。")
@by_user
def person(staff_no: str, id_number: str, by: str) -> None:
    """登记工作人员本人是谁：本人、家人、监护的人的申请，系统不让他（她）办。"""
    chosen = work.settings()
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        with transaction() as session:
            record_staff_person(session, keyring, staff_no, id_number, by)
    click.echo(f"已登记：{staff_no} 不能办理本人、家人和监护的人的申请")


@staff.command("hand-over")
@number
@click.option("--to", "successor", required=True, metavar="工号", help="接手的人。")
@by_user
def handover(staff_no: str, successor: str, by: str) -> None:
    """离任移交：把全部任职、照看的人、代办委托一次交给接手的人，账号停用。"""
    with work.working_database(work.settings()), transaction() as session:
        counts = hand_over(session, staff_no, successor, clock.today(), by)
    click.echo(
        f"已移交给 {successor}：任职 {counts['duties']} 项，照看的人 {counts['assignments']} 个，"
        f"代办委托 {counts['delegations']} 件，清单里的待办 {counts['work_items']} 件。"
    )


@staff.command("list")
def show() -> None:
    """列出账号、状态和今天的任职。"""
    with work.working_database(work.settings()), transaction() as session:
        found = list_staff(session, clock.today())
    if not found:
        click.echo("还没有账号：请用 shukun staff add 建立。")
    for one in found:
        click.echo(_account(one))
        for held in one.duties:
            click.echo(f"    {_duty(held)}")


@staff.command()
@click.argument("enrolment", metavar="地址")
def code(enrolment: str) -> None:
    """由 otpauth:// 地址算出现在的动态码，供没有手机验证器时演示用。"""
    try:
        parsed = pyotp.parse_uri(enrolment)
    except ValueError as error:
        raise click.UsageError("这不是 otpauth:// 开头的地址。") from error
    if not isinstance(parsed, pyotp.TOTP):
        raise click.UsageError("这不是按时间变化的动态码的地址。")
    click.echo(parsed.at(clock.now()))


def _hand(given: FirstCredentials) -> None:
    click.echo(f"工号：{given.staff_no}")
    click.echo(f"初始口令：{given.password}（第一次登录时要换成新口令）")
    click.echo(f"动态码的密钥，请加进本人手机上的验证器：{given.enrolment}")


def _account(one: StaffShown) -> str:
    locked = "，已锁定" if one.locked else ""
    refused = f"，{one.refused} 次没登上" if one.refused else ""
    state = f"{STATES[one.state]}{locked}{refused}"
    return f"{one.staff_no}  {one.name}  {state}  登录 {one.sessions} 处"


def _duty(held: Duty) -> str:
    until = "" if held.to_on is None else f" 至 {held.to_on}"
    deputises = "（代理）" if held.deputises else ""
    days = f"{held.from_on} 起{until}"
    return f"第 {held.id} 号  {ROLE_NAMES[held.role]}{deputises}  {held.area}  {days}"
