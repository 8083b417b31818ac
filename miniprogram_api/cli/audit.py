"""`shukun audit`: whether the audit was touched, and what it says."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from backend.kernel import audit as record_of
from backend.kernel.audit import Subject
from backend.kernel.audit_anchors import Anchors
from backend.kernel.audit_list import Asked, Event, events
from backend.kernel.audit_verify import Report
from backend.kernel.audit_verify import verify as verified
from backend.kernel.audit_words import PURPOSES, ROLES
from backend.kernel.audit_written import write_off
from backend.kernel.clock import CHINA
from backend.kernel.database import transaction
from backend.kernel.settings import Settings
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import Day, by_user

SHOWN: Final = 50
"""Findings listed on the screen."""


@click.group()
def audit() -> None:
    """审计：verify 核验审计链有没有被动过，show 查看谁做了什么，lost 登记遗失的锚点文件。"""


@audit.command()
@click.option(
    "--anchors",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="锚点文件，可以重复；默认用本机的，多台机器各有一份时请都给出（给了就不再看默认的）。",
)
@by_user
@click.pass_context
def verify(context: click.Context, files: tuple[Path, ...], by: str) -> None:
    """核验审计链：改动、删除、插入、换序、截尾、拨时钟、锚点缺失都会指出。退出状态 1：有发现。"""
    chosen = work.settings()
    with work.working_database(chosen):
        start = time.monotonic()
        report = verified(_anchors(chosen, files))
        _show(report, time.monotonic() - start)
        detail = {"positions": report.positions, "findings": report.count}
        with transaction() as session:
            subject = Subject("audit", "chain")
            record_of.record(
                session, actor=by, action="audit.verify", subject=subject, detail=detail
            )
    context.exit(0 if report.whole else 1)


@audit.command()
@click.argument("file")
@click.option("--why", required=True, help="为什么丢了，例如“恢复了 3 月 1 日的备份”。")
@by_user
def lost(file: str, why: str, by: str) -> None:
    """登记一份遗失的锚点文件（编号见 verify 的发现）；以后的核验不再报错，但每次都列出谁登记的。"""
    with work.working_database(work.settings()), transaction() as session:
        if not write_off(session, file, why=why, by=by):
            raise click.ClickException(f"没有写过锚点文件 {file}：请照 verify 给出的编号填写。")
    click.echo(f"已登记锚点文件 {file} 遗失。")


@audit.command()
@click.option("--actor", help="只看这个账号，例如 staff:S001。")
@click.option("--person", type=click.IntRange(1), help="只看和这个人（编号）有关的。")
@click.option("--action", help="只看这一种，例如 person.read。")
@click.option("--since", type=Day(), help="从这一天起。")
@click.option("--until", type=Day(), help="到这一天止。")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="最多列出多少条。")
@by_user
def show(**given: Any) -> None:
    """列出审计记录，最新的在前；查看本身也会记下。"""
    limit, by, until = given.pop("limit"), given.pop("by"), given.pop("until")
    until = None if until is None else until + timedelta(days=1)
    asked = Asked(since=_midnight(given.pop("since")), until=_midnight(until), **given)
    with work.working_database(work.settings()), transaction() as session:
        found = events(session, asked, limit)
        subject = Subject("audit", "events")
        detail = {"shown": len(found)}
        record_of.record(session, actor=by, action="audit.shown", subject=subject, detail=detail)
    for event in found:
        click.echo(_line(event))
    click.echo(f"共 {len(found)} 条。" if found else "没有这样的记录。")


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, day_time(), CHINA)


def _anchors(chosen: Settings, files: tuple[Path, ...]) -> list[Anchors]:
    """None where this machine has no keys: an anchor is worth nothing without them."""
    if not chosen.key_file.exists():
        click.echo(f"没有密钥文件 {chosen.key_file}，无法核对锚点。", err=True)
        return []
    keyring = work.keyring(chosen)
    return [Anchors(path, keyring) for path in files or (chosen.anchors_file,)]


def _show(report: Report, seconds: float) -> None:
    click.echo(
        f"已核对 {report.positions:,} 位、{report.events:,} 条记录，用时 {seconds:.1f} 秒；"
        f"库外锚点 {report.anchors['genuine']:,} 个，对上 {report.met:,} 个。"
    )
    if unread := report.anchors["unknown_key"] + report.anchors["torn"]:
        click.echo(f"另有 {unread:,} 行锚点不完整，或所用密钥已废除，没有核对。")
    for one in report.lost:
        click.echo(f"锚点文件 {one.file} 已由{one.by}登记遗失：{one.why}。它的锚点没有核对。")
    if report.waiting:
        click.echo(
            f"尚未封存 {report.waiting:,} 条，最早的一条写于 {report.oldest_seconds:.0f} 秒前："
            "封存之前的改动发现不了。"
        )
    else:
        click.echo("全部记录都已封存。")
    for finding in report.findings[:SHOWN]:
        click.echo(f"发现：{finding.says}")
    if report.count > SHOWN:
        click.echo(f"另有 {report.count - SHOWN:,} 处，未列出。")
    click.echo("没有发现改动。" if report.whole else "请保留现场，报告审计负责人。")


def _line(event: Event) -> str:
    when = f"{event.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
    role = f"（{ROLES.get(event.role, event.role)}）" if event.role else ""
    purpose = f"  {PURPOSES.get(event.purpose, event.purpose)}" if event.purpose else ""
    detail = f"  {msgspec.json.encode(event.detail).decode()}" if event.detail else ""
    subject = f"{event.subject_kind}/{event.subject_id}"
    return f"{event.id}  {when}  {event.actor}{role}  {event.action}  {subject}{purpose}{detail}"
