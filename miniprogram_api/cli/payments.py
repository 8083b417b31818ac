"""`shukun pay`: payees, batches for the bank with two approvals, and what the bank returns."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from sqlalchemy.orm import Session

from backend.citizens.exchange.chunk import Reject
from backend.kernel import clock
from backend.kernel.database import transaction
from backend.kernel.money import format_yuan
from backend.kernel.yaml_file import FileError
from backend.payments import bank_file, batches, decisions, listing
from backend.payments.collecting import Range
from backend.payments.hospital_accounts import HospitalAccount, register_account
from backend.payments.payees import take_payees
from backend.payments.returns import take_return
from backend.payments.states import BATCH_NAMES, HOLDS, ITEM_NAMES, OPEN, ORDER_NAMES
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import EVERYWHERE, Area, Name, by_user
from miniprogram_api.cli.private_file import private_file

WITH_REJECTS: Final = 1
MOST: Final = 50


class FileUnusable(click.ClickException):
    """A file cannot be read or written; the message says why, in Chinese."""


IN_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT_FILE: Final = click.Path(dir_okay=False, path_type=Path)
by = click.option("--by", type=Name(), required=True, help="办理人姓名，记入审计。")
rejects_to = click.option("--rejects", type=OUT_FILE, help="退回行写到这个文件（CSV）。")


@click.group()
def pay() -> None:
    """支付：登记收款账户，生成批次，复核审批，出盘，处理银行回盘。"""


@pay.command()
@click.argument("file", type=IN_FILE)
@rejects_to
@by
@click.pass_context
def payees(context: click.Context, file: Path, rejects: Path | None, by: str) -> None:
    """登记收款账户：FILE 为 CSV，列为 id_number,holder,account,bank,relationship。

    用监护人账户的，另加 holder_id_number（监护人的身份证号）。账户加密保存。
    """
    chosen = work.settings()
    with _plainly(), work.working_database(chosen):
        keyring = work.keyring(chosen)
        with transaction() as session:
            taken = take_payees(session, keyring, file, by)
    click.echo(
        f"新登记 {taken.added} 个，变更 {taken.changed} 个，未变 {taken.unchanged} 个，"
        f"退回 {len({one.line for one in taken.rejects})} 行。"
    )
    if taken.shared:
        click.echo(f"有 {taken.shared} 个账号登记在几个互不监护的人名下：请核实。")
    if taken.checks:
        click.echo(f"新转待办 {taken.checks} 件：用 shukun worklist 查看。")
    _tell_rejects(context, taken.rejects, rejects)


@pay.command()
@click.argument("code")
@click.option("--holder", required=True, help="户名。")
@click.option("--account", required=True, help="账号。")
@click.option("--bank", required=True, help="开户银行。")
@by
def hospital(code: str, holder: str, account: str, bank: str, by: str) -> None:
    """登记代码为 CODE 的医院的收款账户：垫付的救助金付到这里。"""
    given = HospitalAccount(code, holder, account, bank)
    with work.working_database(work.settings()), transaction() as session:
        new = register_account(session, given, by)
    click.echo("医院账户已登记。" if new else "医院账户没有变动。")


@pay.command()
@click.option("--area", required=True, metavar="CODE", help="六位行政区划代码。")
@by
def batch(area: str, by: str) -> None:
    """按台账生成支付批次；要由人决定的转入待办。"""
    with work.working_database(work.settings()), transaction() as session:
        made = batches.make_batch(session, area, by, clock.today())
    if made.serial is None:
        click.echo("没有新的可支付项。")
    else:
        click.echo(f"批次 {made.serial}：{_sum(made.ordered)}。请由另外两人复核、审批。")
    for state, name in ITEM_NAMES.items():
        if state in OPEN and state in made.standing:
            click.echo(f"  {name}：{_sum(made.standing[state])}")
    if made.opened:
        click.echo(f"新转待办 {made.opened} 件：用 shukun worklist 查看。")


@pay.command()
@click.argument("serial")
@by
def approve(serial: str, by: str) -> None:
    """复核、审批批次 SERIAL：各由一人，都不能是经办人。"""
    with work.working_database(work.settings()), transaction() as session:
        state = batches.approve(session, serial, by)
    click.echo(f"批次 {serial}：{BATCH_NAMES[state]}。")


@pay.command()
@click.argument("serial")
@by
def withdraw(serial: str, by: str) -> None:
    """撤销尚未出盘的批次 SERIAL，其中各笔重新待支付。"""
    with work.working_database(work.settings()), transaction() as session:
        freed = batches.withdraw(session, serial, by)
    click.echo(f"批次 {serial} 已撤销，{freed} 笔重新待支付。")


@pay.command("file")
@click.argument("serial")
@click.option("--out", type=OUT_FILE, required=True, help="写到这个文件。")
@by
def write_file(serial: str, out: Path, by: str) -> None:
    """出盘：把批准的批次 SERIAL 写成交银行的文件；可以重写，内容一字不差。"""
    chosen = work.settings()
    with _plainly(), work.working_database(chosen):
        if not out.parent.is_dir():
            raise FileUnusable(f"没有文件夹 {out.parent}：请先建立，或改写到别处。")
        keyring = work.keyring(chosen)
        with transaction() as session:
            made = bank_file.bank_file(session, keyring, serial, by)
        with private_file(out) as file:
            file.write(made.content)
    click.echo(
        f"批次 {made.serial} 已{'重' if made.again else ''}写到 {out}：{made.orders} 笔，"
        f"合计 {format_yuan(made.total)} 元，SHA-256 {made.sha256}。"
    )
    click.echo("文件含完整账号，只有当前用户可读：请交银行后即删除，不要用邮件或微信传送。")


@pay.command()
@click.argument("file", type=IN_FILE)
@rejects_to
@by
@click.pass_context
def returns(context: click.Context, file: Path, rejects: Path | None, by: str) -> None:
    """处理银行回盘：FILE 为 CSV，列为 serial,item,result,reason。"""
    with _plainly(), work.working_database(work.settings()), transaction() as session:
        taken = take_return(session, file, by)
    if taken.known:
        click.echo(f"这份回盘已经处理过（回盘 {taken.number} 号），没有任何变动。")
    click.echo(
        f"回盘 {taken.number} 号：支付成功 {taken.paid} 笔，退回 {taken.returned} 笔，"
        f"先前已知 {taken.unchanged} 笔，不能处理 {len({one.line for one in taken.rejects})} 行。"
    )
    _tell_rejects(context, taken.rejects, rejects)


def _decision(deed: Callable[[Session, int, str], None], name: str, help_: str, said: str) -> None:
    """A command about one item that only records what a person decided."""

    @click.argument("item", type=int)
    @by
    def command(item: int, by: str) -> None:
        with work.working_database(work.settings()), transaction() as session:
            deed(session, item, by)
        click.echo(said.format(item=item))

    pay.command(name, help=help_)(command)


_decision(
    decisions.retry, "retry", "银行退回的第 ITEM 笔，账户无误，再付。", "第 {item} 笔将再付。"
)
_decision(decisions.release, "release", "放行暂缓支付的第 ITEM 笔。", "第 {item} 笔已放行。")
_decision(
    decisions.refunded, "refunded", "登记：应退的第 ITEM 笔已经收到。", "第 {item} 笔已登记退回。"
)


@pay.command()
@click.argument("item", type=int)
@click.option("--because", type=click.Choice(list(decisions.REASONS)), required=True, help="原因。")
@by
def close(item: int, because: str, by: str) -> None:
    """第 ITEM 笔不再支付，或不再追回。"""
    with work.working_database(work.settings()), transaction() as session:
        decisions.close(session, item, by, because)
    click.echo(f"第 {item} 笔已了结：{decisions.REASONS[because]}。")


@pay.command("list")
@click.option("--area", type=Area(), default=EVERYWHERE, help="只看这个地区。")
@click.option("--limit", type=click.IntRange(1, 10_000), default=MOST, help="最多列出多少行。")
def list_(area: tuple[int, int], limit: int) -> None:
    """列出支付批次和未了结的各笔。"""
    within = Range(*area)
    with work.working_database(work.settings()), transaction() as session:
        for one in listing.batches(session, within, limit):
            serial, state = batches.serial_of(one), BATCH_NAMES[one.state]
            total = format_yuan(one.total)
            click.echo(f"{serial}  {state}  {one.orders} 笔  {total} 元  经办 {one.made_by}")
        for item in listing.items(session, within, limit):
            why = f"  {HOLDS[item.hold]}" if item.hold else ""
            amount = format_yuan(item.amount)
            click.echo(f"第 {item.id} 笔  {ITEM_NAMES[item.state]}  {amount} 元{why}")


@pay.command()
@click.argument("serial")
@click.option("--limit", type=click.IntRange(1, 100_000), default=MOST, help="最多列出多少笔。")
@by_user
def show(serial: str, limit: int, by: str) -> None:
    """列出批次 SERIAL 的各笔；户名和账号都作遮盖。查看记入审计。"""
    chosen = work.settings()
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        with transaction() as session:
            orders = listing.orders(session, keyring, serial, limit, by)
    for one in orders:
        reason = f"（{one.reason}）" if one.reason else ""
        click.echo(
            f"第 {one.item} 笔  {one.holder}  {one.account}  {format_yuan(one.amount)} 元"
            f"  {ORDER_NAMES[one.state]}{reason}"
        )


def _sum(sum_: batches.Sum) -> str:
    return f"{sum_.orders} 笔，合计 {format_yuan(sum_.total)} 元"


def _tell_rejects(context: click.Context, found: Sequence[Reject], path: Path | None) -> None:
    """Write the rejects, and leave with the status that says so."""
    if path is not None:
        written = io.StringIO()
        lines = csv.writer(written)
        lines.writerow(("line", "column", "reason"))
        lines.writerows((one.line, one.column, one.reason) for one in found)
        path.write_text(written.getvalue(), encoding="utf-8", newline="")
    for one in found[:MOST] if path is None else ():
        click.echo(f"第 {one.line} 行 {one.column}：{one.reason}", err=True)
    if found:
        context.exit(WITH_REJECTS)


@contextmanager
def _plainly() -> Iterator[None]:
    """A file that cannot be used is said in a sentence."""
    try:
        yield
    except FileError as error:
        raise FileUnusable(f"文件用不了，请改正后重试：\n{error}") from error
    except OSError as error:
        raise FileUnusable(f"文件打不开或写不了（{error.strerror}）：请检查路径和权限。") from error
