"""`shukun grants`: the ledger of one bill, every entry explained as it was decided."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import click

from backend.kernel.audit import Operator
from backend.kernel.clock import CHINA
from backend.kernel.database import transaction
from backend.kernel.money import format_yuan
from backend.matching.explaining import EntryExplained, NotAsDecided, explain_grants
from backend.matching.ledger import KINDS, EntryKind
from backend.policies.catalogue import shared_vocabulary
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import by_user

NOTHING = "这张结算单没有发放记录：还没有匹配，或者没有应享受的待遇。"
TAMPERED = "台账与当时的规则和数据对不上：有人绕过系统改动过，请停止付款，并立即报告维护人员。"


@click.command()
@click.argument("bill_no")
@by_user
@click.pass_context
def grants(context: click.Context, bill_no: str, by: str) -> None:
    """一张结算单的台账：每一笔怎样决定的，按当时的规则和数据逐步说明。

    不显示姓名和证件号码；查看记入审计，本人看得到。台账与当时的规则和数据对不上时，退出状态为 1。
    """
    with work.working_database(work.settings()), transaction() as session:
        try:
            entries = explain_grants(session, Operator(by), bill_no)
        except NotAsDecided:
            click.echo(TAMPERED, err=True)
            context.exit(1)
    click.echo("\n".join(_told(entries)) or NOTHING)


def _told(entries: list[EntryExplained]) -> Iterator[str]:
    names = shared_vocabulary().layers
    for layer, own in groupby(entries, lambda one: one.layer):
        yield f"{names[layer]}："
        for entry in own:
            yield from _entry(entry)
    explained = [one.payment.explained for one in entries if one.payment is not None]
    readings = [reading.text for one in explained if one is not None for reading in one.readings]
    for text in dict.fromkeys(readings):
        yield f"解读：{text}"


def _entry(entry: EntryExplained) -> Iterator[str]:
    settled = entry.kind == EntryKind.SETTLED
    day = entry.decided_at.astimezone(CHINA).date()
    amount = _yuan(entry.amount_after if settled else abs(entry.amount))
    yield f"  {entry.seq}. {day} {KINDS[entry.kind]} {amount}，至此共 {_yuan(entry.amount_after)}"
    yield f"     原因：{'；'.join(entry.reasons)}"
    yield f"     运行 {entry.run_id}，规则第 {entry.rules_id} 版，数据第 {entry.data_version} 版"
    if entry.barred is not None:
        yield f"     {entry.barred}"
    explained = entry.payment.explained if entry.payment and not settled else None
    if explained is not None:
        yield f"     依据：{explained.document} {explained.clause}"
        for number, step in enumerate(explained.steps, 1):
            yield f"       {number}) {step.text}"


def _yuan(fen: int) -> str:
    return f"{format_yuan(fen)} 元"
