"""`shukun invent`: files of people who do not exist, for demonstrations and measurements."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from backend.citizens.invent import plan as plans
from backend.citizens.invent.delivery import invent as write_delivery
from backend.citizens.invent.files import Files, FilesExist
from backend.citizens.invent.plan import Plan

Folder = click.Path(file_okay=False, path_type=Path)
Year = click.IntRange(2000, 2100)


@dataclass(frozen=True)
class _Wanted:
    people: int
    seed: int
    folder: Path
    areas: tuple[str, ...]
    years: tuple[int, ...]
    parquet: bool


@click.command()
@click.option("--people", type=click.IntRange(min=1), required=True, help="多少人。")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="随机种子。")
@click.option("--out", "folder", type=Folder, required=True, help="写到哪个文件夹。")
@click.option("--area", "areas", multiple=True, default=plans.PLACES, help="户籍地代码，可以多次。")
@click.option("--year", "years", type=Year, multiple=True, default=(plans.YEAR,), help="结算年份。")
@click.option("--parquet", is_flag=True, help="写成 Parquet，不写成 CSV。")
def invent(**wanted: Any) -> None:
    """编造一套数据：参保人、名册、结算单等七个文件，平均每人三张结算单。

    人都是虚构的。参数和种子相同，文件就完全相同。不指定地区时为无锡各区县、张家港、乐清、亭湖；
    不指定年份时为 2024 年。
    """
    chosen = _Wanted(**wanted)
    try:
        plan = plans.plan(chosen.people, chosen.seed, chosen.areas, chosen.years)
        with Files(chosen.folder, parquet=chosen.parquet) as files:
            _write(plan, files)
    except (plans.CannotInvent, FilesExist) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"写不进“{chosen.folder}”（{error.strerror}）。") from error
    click.echo(f"已编造 {plan.people} 人、{plan.bills} 张结算单：{chosen.folder}")


def _write(plan: Plan, files: Files) -> None:
    console = Console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("编造", total=plan.people + plan.bills)
        write_delivery(plan, files, lambda rows: progress.advance(task, rows))
