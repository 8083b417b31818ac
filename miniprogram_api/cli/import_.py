"""`shukun import`: departments' files into the database; list them, take one back."""

from __future__ import annotations

import getpass
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from backend.citizens.exchange import registry
from backend.citizens.exchange.load import CHUNK_ROWS, LoadOptions, LoadReport, load_file
from backend.citizens.exchange.mapping import load_mapping
from backend.citizens.exchange.undo import undo_file
from backend.kernel.areas import is_area
from backend.kernel.database import transaction
from backend.kernel.money import format_yuan
from backend.kernel.yaml_file import FileError
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import Day

CHINESE: Final = {
    "people": "参保人", "identities": "身份名册", "households": "家庭收入", "bills": "结算单",
    "assignments": "1+1+1 结对", "hospitals": "医疗机构", "vital": "死亡和迁出等",
}  # fmt: skip
STATES: Final = {"loading": "未完成", "loaded": "已导入", "undone": "已撤回"}
WITH_MONEY: Final = ("bills", "households")
File = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class _Wanted:
    kind: str | None
    file: Path | None
    rejects: Path | None
    mapping: Path | None
    by: str
    area: str | None
    complete: date | None
    listed: bool
    undo: int | None
    chunk_rows: int


@click.command("import")
@click.argument("kind", type=click.Choice(registry.KINDS), required=False)
@click.argument("file", type=File, required=False)
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="退回的行写到这个 CSV 文件。"
)
@click.option("--mapping", type=File, help="部门自有表头的对照文件（YAML）。")
@click.option("--by", default=getpass.getuser, help="经办人；不填时为当前系统用户。")
@click.option("--area", help="名册来自哪个县、市或省（区划代码）。")
@click.option(
    "--complete",
    type=Day(),
    help="名册在这一天是全量的：--area 里（没有写明时，名册所及各县里）不在册的到前一天为止。",
)
@click.option("--list", "listed", is_flag=True, help="列出收到过的文件。")
@click.option("--chunk-rows", type=click.IntRange(1, 200_000), default=CHUNK_ROWS, hidden=True)
@click.option("--undo", type=int, metavar="编号", help="整份撤回一个文件。")
@click.pass_context
def import_(context: click.Context, /, **given: Any) -> None:
    """导入部门送来的文件。KIND 是数据种类，FILE 是 CSV、XLSX 或 Parquet 文件。

    有误的行退回并说明原因，其余照收；同一个文件再导入一次不改变任何数据；中断后再运行一次即可接着
    导入。有退回的行时退出状态为 1。
    """
    wanted = _Wanted(**given)
    _check(wanted)
    if wanted.listed:
        _list()
    elif wanted.undo is not None:
        _undo(wanted.undo, wanted.by)
    else:
        context.exit(_load(wanted))


def _check(wanted: _Wanted) -> None:
    asked = [wanted.file is not None, wanted.listed, wanted.undo is not None]
    if sum(asked) != 1:
        raise click.UsageError(
            "请写明数据种类和文件（shukun import bills 文件），或只用 --list，或只用 --undo。"
        )
    if wanted.area is not None and not is_area(wanted.area):
        raise click.UsageError(f"没有 {wanted.area} 这个行政区划：请填 GB/T 2260 的六位代码。")
    if wanted.complete and wanted.kind not in ("identities", "assignments"):
        raise click.UsageError("--complete 只用于 identities 和 assignments。")


def _load(wanted: _Wanted) -> int:
    assert wanted.kind is not None
    assert wanted.file is not None
    chosen = work.settings()
    try:
        mapping = load_mapping(wanted.mapping) if wanted.mapping else None
        digest = hashlib.sha256(wanted.mapping.read_bytes()).digest() if wanted.mapping else b""
        with work.working_database(chosen), _bar(wanted.kind) as progress:
            options = LoadOptions(
                keyring=work.keyring(chosen),
                by=wanted.by,
                mapping=mapping,
                mapping_sha256=digest,
                origin_area=int(wanted.area[:6]) if wanted.area else 0,
                complete_on=wanted.complete,
                chunk_rows=wanted.chunk_rows,
                progress=progress,
            )
            report = load_file(wanted.kind, wanted.file, options)
            _tell(report, wanted)
    except FileError as error:
        raise click.ClickException(f"文件不能用，请改正后重新导入：\n{error}") from error
    except OSError as error:
        raise click.ClickException(
            f"文件读写不了：{error.filename}（{error.strerror}）。"
        ) from error
    return 1 if report.rejected else 0


@contextmanager
def _bar(kind: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task(f"导入{CHINESE[kind]}", total=None)
        yield lambda done, all_: bar.update(task, completed=done, total=max(done, all_) or None)


def _tell(report: LoadReport, wanted: _Wanted) -> None:
    if report.recognised:
        click.echo(
            f"这个文件已经导入过（编号 {report.serial}，{report.loaded_on}），数据没有变化。"
        )
    money = f"，金额合计 {format_yuan(report.money)} 元" if report.kind in WITH_MONEY else ""
    click.echo(f"编号 {report.serial}，{CHINESE[report.kind]}：共 {report.rows} 行{money}。")
    click.echo(
        f"新增 {report.added}，更正 {report.changed}，与原有相同 {report.unchanged}，"
        f"退回 {report.rejected}。"
    )
    if report.waiting:
        click.echo(f"其中 {report.waiting} 行的人还没有登记，已先收下，登记后自动生效。")
    for note in report.notes:
        click.echo(f"提示：{note}。")
    if wanted.rejects is not None:
        with transaction() as session:
            registry.write_rejects(session, report.serial, wanted.rejects)
    if report.rejected:
        where = f"见 {wanted.rejects}" if wanted.rejects else "加 --rejects 文件名 可写出"
        click.echo(f"退回的行号和原因{where}，请改正后把这些行另存为文件再导入。", err=True)


def _list() -> None:
    with work.working_database(work.settings()), transaction() as session:
        files = registry.list_files(session)
    for one in files:
        money = f" {format_yuan(one.money)} 元" if one.kind in WITH_MONEY else ""
        click.echo(
            f"{one.id} {one.started_at:%Y-%m-%d} {STATES[one.state]} {CHINESE[one.kind]} {one.name}"
            f" 共 {one.rows} 行（新增 {one.added}，更正 {one.changed}，相同 {one.unchanged}，"
            f"退回 {one.rejected}）{money} {one.sha256.hex()[:16]} {one.loaded_by}"
        )
    click.echo(f"共 {len(files)} 个文件。")


def _undo(serial: int, by: str) -> None:
    with work.working_database(work.settings()), transaction() as session:
        done = undo_file(session, serial, by)
    if done.before:
        click.echo(f"编号 {serial} 的文件早已撤回，数据没有变化。")
        return
    click.echo(
        f"已撤回编号 {serial}（{CHINESE[done.kind]}）：{done.restored} 行回到原来的内容，"
        f"{done.removed} 行不再有效。"
    )
