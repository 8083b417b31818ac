"""`shukun match`: automatic matching (免申即享) of an area and year; its release; its reasons."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import Any, Final

import click

from backend.kernel import clock
from backend.kernel.database import transaction
from backend.kernel.money import format_yuan
from backend.matching.dry_run import dry_run
from backend.matching.ledger import KINDS, EntryKind
from backend.matching.release import release_run
from backend.matching.runs import (
    StartRun,
    finish_run,
    nothing_changed,
    open_parts,
    summaries,
    total_of,
)
from backend.matching.tasks import begin
from backend.policies.catalogue import shared_vocabulary
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import Name
from miniprogram_api.cli.crew import compute

NOT_FINISHED: Final = "运行 {run} 还有 {left} 个部分没有算完：原因见日志；再运行一次可以接着算。"
COMPUTED: Final = "运行 {run} 已算完，等待两个人先后放行：shukun match --release {run} --by 姓名"
FIRST: Final = "已记下 {by} 的放行，还要由另一个人放行。"


@click.command()
@click.option("--area", metavar="CODE", help="六位行政区划代码：省、市或县（市、区）。")
@click.option("--year", type=click.IntRange(2000, 2100), metavar="YYYY", help="救助年度。")
@click.option("--dry-run", is_flag=True, help="只计算并显示，不写入。")
@click.option("--full", is_flag=True, help="全部重新计算，不看数据有没有变化。")
@click.option("--workers", type=click.IntRange(1, 64), help="用几个进程；默认按处理器个数。")
@click.option("--release", type=int, metavar="RUN", help="放行一次运行，要由两个人先后进行。")
@click.option("--by", type=Name(), default=getpass.getuser, help="办理人；不填时为当前系统用户。")
@click.pass_context
def match(context: click.Context, /, **options: Any) -> None:
    """自动匹配（免申即享）：算出该地区、该年度每个人应享受的待遇，写入台账并显示。

    数据没有变化时再运行一次不会改动任何内容。算完以后要由两个人放行（--release 运行号），
    才会通知本人、安排付款。
    """
    if options["release"] is not None:
        _release(options["release"], options["by"])
    elif options["area"] is None or options["year"] is None:
        raise click.UsageError("请写明 --area 和 --year，例如 --area 320281 --year 2024。")
    else:
        _match(context, options)


def _match(context: click.Context, options: Mapping[str, Any]) -> None:
    chosen = work.settings()
    if options["year"] > clock.today().year + 1:
        raise click.UsageError(f"{options['year']} 年还没有到，请核对年度。")
    command = StartRun(
        area=options["area"],
        year=options["year"],
        as_of=clock.today(),
        by=options["by"],
        full=options["full"],
        catalogue=chosen.catalogue,
    )
    with work.working_database(chosen) as engine:
        if options["dry_run"]:
            _show(dry_run(command))
            click.echo("以上只是试算，没有写入。")
            return
        with transaction() as session:
            begun = begin(session, command)
        compute(chosen, engine, begun, options["workers"])
        with transaction() as session:
            finish_run(session, begun.run_id)
            left = len(open_parts(session, begun.run_id))
            total = total_of(summaries(session, begun.run_id))
        if left:
            click.echo(NOT_FINISHED.format(run=begun.run_id, left=left), err=True)
            context.exit(2)
        _show(total)
        click.echo(COMPUTED.format(run=begun.run_id))


def _release(run_id: int, by: str) -> None:
    with work.working_database(work.settings()), transaction() as session:
        released = release_run(session, run_id, by, clock.today())
    click.echo(f"运行 {run_id} 已放行。" if released else FIRST.format(by=by))


def _show(total: Mapping[str, Any]) -> None:
    words = shared_vocabulary().layers
    click.echo(
        f"共 {total['people']} 人，重新计算 {total['computed']} 人，"
        f"读取结算单 {total['bills']} 张。"
    )
    for layer, kinds in total["entries"].items():
        for kind, (count, money) in kinds.items():
            name = KINDS[EntryKind[kind.upper()]]
            click.echo(f"  {words[layer]}：{name} {count} 笔，{format_yuan(money)} 元")
    if total["in_kind_added"] or total["in_kind_ended"]:
        click.echo(
            f"  其他待遇：新增 {total['in_kind_added']} 项，终止 {total['in_kind_ended']} 项"
        )
    if total["opened"]:
        click.echo(f"  新增待办 {total['opened']} 件，请用 shukun worklist 查看。")
    if nothing_changed(total):
        click.echo("没有变化：台账没有改动。")
