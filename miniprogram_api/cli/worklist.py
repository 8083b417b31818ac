"""`shukun worklist`: what waits for people to decide or do, without personal data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click
from sqlalchemy.orm import Session

from backend.kernel import clock
from backend.kernel.database import transaction
from backend.worklist.escalation import escalate_overdue
from backend.worklist.items import Closing, close_item
from backend.worklist.kinds import KINDS, ROLES
from backend.worklist.lists import (
    ListCount,
    OpenItem,
    Within,
    kind_of,
    list_counts,
    open_in,
)
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import EVERYWHERE, Area, by_user

MOST_LISTS: Final = 40
OWN_COMMAND: Final = {
    "home_visit": "shukun warnings visit",
    "payment_held": "shukun pay release 或 close",
    "payment_returned": "shukun pay retry 或 close",
    "refund_due": "shukun pay refunded 或 close",
    "refund_elsewhere": "shukun pay refunded 或 close",
}
"""Kinds whose outcome has an effect: they are closed by the command that has it."""


@click.group(invoke_without_command=True)
@click.option("--area", type=Area(), default=EVERYWHERE, help="只看这个地区。")
@click.option("--role", type=click.Choice(list(ROLES)), help="只看这种人员的。")
@click.option("--kind", type=click.Choice(list(KINDS)), help="只看这一种。")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="最多逐件列出多少件。")
@click.pass_context
def worklist(
    context: click.Context, area: tuple[int, int], role: str | None, kind: str | None, limit: int
) -> None:
    """列出待办：各清单有多少件，最先到期的在前。"""
    if context.invoked_subcommand is not None:
        return
    within = Within(*area, role, kind)
    with work.working_database(work.settings()), transaction() as session:
        _show(session, within, limit)


@worklist.command()
@click.argument("item_id", type=int, metavar="ID")
@click.option("--outcome", required=True, help="办理结果，例如 done、not_needed。")
@by_user
def close(item_id: int, outcome: str, by: str) -> None:
    """办结一件待办，并记入审计。"""
    with work.working_database(work.settings()), transaction() as session:
        own = OWN_COMMAND.get(kind_of(session, item_id))
        if own is not None:
            raise click.UsageError(f"这件事请用 {own} 办理。")
        close_item(session, item_id, Closing(outcome, by))
    click.echo(f"已办结：{item_id}")


@worklist.command()
@by_user
def escalate(by: str) -> None:
    """把过期的待办转给上一级（每天自动进行，也可以手动）。"""
    with work.working_database(work.settings()), transaction() as session:
        moved = escalate_overdue(session, clock.today(), by)
    click.echo(f"已转上一级 {moved} 件。" if moved else "没有过期的待办。")


def _show(session: Session, within: Within, limit: int) -> None:
    today = clock.today()
    counts = list_counts(session, within, today)
    if not counts:
        click.echo("没有待办。")
        return
    waiting, overdue = sum(c.waiting for c in counts), sum(c.overdue for c in counts)
    click.echo(f"待办 {waiting} 件，其中过期 {overdue} 件。")
    for count in counts[:MOST_LISTS]:
        click.echo(_count(count))
    if len(counts) > MOST_LISTS:
        click.echo(f"其余 {len(counts) - MOST_LISTS} 项略，请用 --area、--role 缩小范围。")
    items = open_in(session, within, limit)
    click.echo(f"\n最先到期的 {len(items)} 件：")
    for item in items:
        click.echo(_item(item))


def _count(count: ListCount) -> str:
    overdue = f"，过期 {count.overdue} 件" if count.overdue else ""
    return (
        f"{count.area} {ROLES[count.role]}：{KINDS[count.kind].name} {count.waiting} 件"
        f"{overdue}，最早 {count.next_due} 到期"
    )


def _item(item: OpenItem) -> str:
    marks = [mark for held, mark in _marks(item) if held]
    marked = f"（{'，'.join(marks)}）" if marks else ""
    return f"{item.id}  {item.due_on}{marked}  {KINDS[item.kind].name}  {item.area}  {item.reason}"


def _marks(item: OpenItem) -> Sequence[tuple[bool, str]]:
    return (
        (item.escalated, "已转上一级"),
        (item.due_provisional, "期限为推定，放假安排未公布"),
    )
