"""`shukun calendar`: what is due on a day, and the lists and summaries that were made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import click
from sqlalchemy.orm import Session

from backend.calendars.carrying_out import Errand, carry_out, places_of
from backend.calendars.duties import NAMES, duties_on
from backend.calendars.exits import ask_to_renew, tell_exits
from backend.calendars.review import review_rows
from backend.calendars.summaries import InstitutionSum, summary_rows
from backend.citizens.counties import counties
from backend.citizens.lookup import numbers_of
from backend.kernel import audit, clock
from backend.kernel.audit import Operator, Subject
from backend.kernel.database import transaction
from backend.kernel.money import format_yuan
from backend.matching.editions import Edition, current_edition
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import Day, Governed, by_user
from miniprogram_api.cli.private_file import private_csv

OUT: Final = click.Path(dir_okay=False, path_type=Path)
NOT_MADE: Final = "这份名单或汇总还没有生成：请先运行 shukun calendar run --on 日期。"


@click.group()
def calendar() -> None:
    """经办日历：退出告知、续办、年终复核名单、按月汇总、年度结算。"""


@calendar.command()
@click.option("--on", type=Day(), help="哪一天的；默认今天。")
@click.option("--dry-run", is_flag=True, help="只显示要做什么，不写入。")
@by_user
def run(on: date | None, dry_run: bool, by: str) -> None:
    """办理这一天到期的事项（每天自动进行）；办过的不会再办。"""
    day, chosen = on or clock.today(), work.settings()
    with work.working_database(chosen):
        with transaction() as session:
            edition = current_edition(session, chosen.catalogue)
            errands = [
                Errand(duty, place, day, by)
                for duty in duties_on(edition.rules.book, day)
                for place in places_of(session, duty)
            ]
        _people(edition, day, by, dry_run)
        for errand in errands:
            _run(errand, edition, dry_run)
    if dry_run:
        click.echo("以上只是预览，没有写入。")


@calendar.command()
@click.option("--area", type=Governed(), required=True, help="县（市、区）的代码。")
@click.option("--year", type=click.IntRange(2000, 2100), required=True, metavar="YYYY")
@click.option("--out", type=OUT, required=True, help="写到这个文件（CSV）。")
@by_user
def review(area: str, year: int, out: Path, by: str) -> None:
    """导出年终复核名单。文件里有身份证号，只有本人可读；请妥善保管，用完删除。"""
    chosen = work.settings()
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        with transaction() as session:
            rows = review_rows(session, area, year)
            if rows is None:
                raise click.ClickException(NOT_MADE)
            people = [row.person_id for row in rows]
            audit.read_people(session, Operator(by), people, "export", ("number", "bills"))
            numbers = numbers_of(session, keyring, people)
            _exported(session, "review", area, {"year": year, "rows": len(rows)}, by)
    _write(
        out,
        ("id_number", "bills", "burden", "deductible"),
        (
            (numbers.get(row.person_id, ""), row.bills, *_yuan(row.burden, row.deductible))
            for row in rows
        ),
    )


@calendar.command()
@click.option("--area", type=Governed(), required=True, help="政策所在地区的代码。")
@click.option("--period", required=True, metavar="YYYY-MM|YYYY", help="月份，或结算的年度。")
@click.option("--out", type=OUT, required=True, help="写到这个文件（CSV）。")
@by_user
def summary(area: str, period: str, out: Path, by: str) -> None:
    """导出各机构的按月汇总（如 2023-05）或年度结算（如 2023）。"""
    with work.working_database(work.settings()), transaction() as session:
        rows = summary_rows(session, area, period)
        if rows is None:
            raise click.ClickException(NOT_MADE)
        _exported(session, "summary", area, {"period": period, "rows": len(rows)}, by)
    _write(
        out,
        ("layer", "hospital_code", "name", "bills", "advanced", "granted", "sum"),
        (_summed(row) for row in rows),
    )


def _exported(session: Session, what: str, area: str, detail: Mapping[str, Any], by: str) -> None:
    subject = Subject("area", area)
    audit.record(session, actor=by, action=f"export.{what}", subject=subject, detail=detail)


def _people(edition: Edition, day: date, by: str, dry_run: bool) -> None:
    subject = Subject("day", day.isoformat())
    with transaction(keep=not dry_run) as session:
        audit.record(session, actor=by, action="calendar.run", subject=subject)
        told = tell_exits(session, day)
        asked = ask_to_renew(session, day, edition.rules.book, counties(session))
    _preview(dry_run)
    click.echo(
        f"退出告知：消息 {told.notices} 条，当面告知 {told.tasks} 件；续办认定 {asked.tasks} 件；"
        f"撤回 {told.superseded + asked.superseded} 件。"
    )


def _run(errand: Errand, edition: Edition, dry_run: bool) -> None:
    duty = errand.duty
    with transaction(keep=not dry_run) as session:
        rows = carry_out(session, errand, edition)
    if rows is not None:
        _preview(dry_run)
        click.echo(f"{NAMES[duty.kind]} {errand.place} {duty.period}：{rows} 行。")


def _preview(dry_run: bool) -> None:
    if dry_run:
        click.echo("（预览）", nl=False)


def _summed(row: InstitutionSum) -> Sequence[Any]:
    money = _yuan(row.advanced, row.granted, row.advanced + row.granted)
    return (row.layer, row.code, row.name, row.bills, *money)


def _yuan(*fen: int) -> tuple[str, ...]:
    return tuple(format_yuan(one) for one in fen)


def _write(out: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    count = 0
    with private_csv(out) as writer:
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    click.echo(f"已导出 {count} 行：{out}")
