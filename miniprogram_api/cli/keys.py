"""`shukun keys`: new keys, while everything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from sqlalchemy.orm import Session

from backend.accounts import keyed as accounts
from backend.applications import keyed as applications
from backend.assistant import keyed as assistant
from backend.citizens import keyed as citizens
from backend.kernel import audit, key_check, key_file, rotation
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.key_file import KeysUnusable
from backend.kernel.settings import Settings
from backend.notifications import keyed as notifications
from backend.payments import keyed as payments
from backend.public_notices import keyed as public_notices
from backend.wechat import keyed as wechat
from miniprogram_api.audit_sealer import AuditSealer
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import by_user

KEYED: Final = (
    *citizens.KEYED,
    *accounts.KEYED,
    *payments.KEYED,
    *wechat.KEYED,
    *notifications.KEYED,
    *assistant.KEYED,
    *applications.KEYED,
    *public_notices.KEYED,
)


@click.group()
def keys() -> None:
    """加密密钥：先 add（备好新密钥），再 rotate（改用新密钥），最后 drop（废除旧密钥）。"""


@keys.command()
def show() -> None:
    """列出各密钥和还在用它的数据行数；密钥本身不显示。"""
    chosen = work.settings()
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        for number in keyring.numbers:
            standing = "现用" if number == keyring.active else "备用"
            standing = "旧" if number < keyring.active else standing
            click.echo(f"第 {number} 号密钥（{standing}）：{_in_use(number)} 行在用")


@keys.command()
@by_user
def add(by: str) -> None:
    """在密钥文件里备好一组新密钥，尚不启用。"""
    chosen = work.settings()
    path = chosen.key_file
    content = key_file.read(path)
    with work.working_database(chosen), key_file.locked(path), transaction() as session:
        content = key_file.read(path).added(chosen.cipher)
        _record(session, "add", content.newest, by)
        key_file.write(path, content)
    click.echo(
        f"已备好第 {content.newest} 号密钥，尚未启用。请备份 {path}；有多台机器的，"
        "先把它换到每台机器上。然后运行 shukun keys rotate。"
    )


@keys.command()
@by_user
@click.pass_context
def rotate(context: click.Context, by: str) -> None:
    """启用最新的密钥，把旧密钥加密的数据改用新密钥；可随时中断，重新运行即继续。"""
    chosen = work.settings()
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        _activate_newest(chosen, keyring, by)
        with _bar() as tell:
            progress = rotation.rotate(keyring, KEYED, tell)
    click.echo(f"已改用第 {keyring.active} 号密钥：{progress.done} 行。")
    if progress.broken:
        click.echo(f"{progress.broken} 行解不开，没有改动：请从备份核对。", err=True)
        context.exit(1)


@keys.command()
@click.argument("number", metavar="ID", type=int)
@by_user
def drop(number: int, by: str) -> None:
    """废除旧密钥 ID；还有数据在用时不废除。先运行 shukun audit verify：用旧密钥的锚点以后不能核对。

    备份里的数据仍要用它，请按备份的期限保管。
    """
    chosen = work.settings()
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        _refuse_unless_old(keyring, number)
        AuditSealer(chosen)()  # anchors under the old key can no longer be checked afterwards
        with transaction() as session:
            rotation.hold_still(session, KEYED)
            if used := sum(rotation.uses(session, one, number) for one in KEYED):
                raise KeysUnusable(
                    f"第 {number} 号密钥还有 {used} 行在用：请先运行 shukun keys rotate。"
                )
            key_check.forget(session, number)
            _record(session, "drop", number, by)
        with key_file.locked(keyring.path):
            key_file.write(keyring.path, key_file.read(keyring.path).without(number))
    click.echo(f"已废除第 {number} 号密钥。有多台机器的，请把 {keyring.path} 换到每台机器上。")


def _record(session: Session, deed: str, number: int, by: str) -> None:
    audit.record(session, actor=by, action=f"keys.{deed}", subject=Subject("key", str(number)))


def _activate_newest(chosen: Settings, keyring: Keyring, by: str) -> None:
    with key_file.locked(chosen.key_file), transaction() as session:
        content = key_file.read(chosen.key_file)
        _record(session, "rotate", content.newest, by)
        if content.active != content.newest:
            key_file.write(chosen.key_file, replace(content, active=content.newest))
    keyring.refresh()


def _refuse_unless_old(keyring: Keyring, number: int) -> None:
    if number not in keyring.numbers:
        raise KeysUnusable(f"没有第 {number} 号密钥：请用 shukun keys show 查看。")
    if number >= keyring.active:
        raise KeysUnusable(
            f"第 {number} 号密钥正在使用或备用，不能废除：请先运行 keys add 和 keys rotate。"
        )


def _in_use(number: int) -> int:
    with transaction() as session:
        return sum(rotation.uses(session, one, number) for one in KEYED)


@contextmanager
def _bar() -> Iterator[Callable[[rotation.Progress], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("改用新密钥"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda said: bar.update(task, total=said.total, completed=said.done)
