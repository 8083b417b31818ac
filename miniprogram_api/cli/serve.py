"""`shukun demo` and `shukun serve`: the database and the web server, up together, gone together."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import click

from backend.kernel.crypto import Keyring
from backend.kernel.database import ping
from backend.kernel.settings import Settings
from backend.policies.catalogue import load_catalogue
from miniprogram_api import demo_people as demo_data
from miniprogram_api import demo_staff, lifeline, serving
from miniprogram_api.cli import work
from miniprogram_api.worker_processes import worker_processes

BROUGHT: Final = "演示数据已就绪：{0.people} 人、{0.bills} 张结算单，已匹配并放行 {0.runs} 次。"
Port = click.IntRange(0, 65_535)


@click.command()
@click.option("--port", type=Port, default=8000, show_default=True, help="端口；0：自动选择。")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="数据文件夹；默认 var/。"
)
def demo(port: int, data: Path | None) -> None:
    """在本机启动全部功能，就绪后显示 ready 和网址；按 Ctrl-C 停止。

    数据库还是空的，就在后台编造三百个人，导入、匹配并放行，供演示。
    """
    chosen = work.settings()
    if data is not None:
        chosen = replace(chosen, data=data.absolute())
    _serve(chosen, ("127.0.0.1", port), _DEMO)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址（IPv4）。")
@click.option("--port", type=Port, default=8000, show_default=True, help="端口；0：自动选择。")
@click.option("--migrate", is_flag=True, help="启动前升级表结构。")
def serve(host: str, port: int, migrate: bool) -> None:
    """启动网站（正式运行）。所配置的数据库表结构不是最新时不启动，除非加 --migrate。"""
    _serve(work.settings(), (host, port), _Manner(migrate=migrate))


@click.command("demo-people", hidden=True)
def demo_people() -> None:
    """演示数据：由 shukun demo 在后台运行。"""
    lifeline.end_with_supervisor()
    chosen = work.settings()
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        brought = demo_data.bring(chosen.data / "demo", keyring, chosen.catalogue)
    if brought is not None:
        click.echo(BROUGHT.format(brought), err=True)


@dataclass(frozen=True)
class _Manner:
    """How a site is served. `demo`: with an account of staff, and invented people."""

    migrate: bool
    word: str = "就绪："
    demo: bool = False


_DEMO: Final = _Manner(migrate=True, word="ready ", demo=True)


def _serve(chosen: Settings, address: tuple[str, int], manner: _Manner) -> None:
    with (
        serving.stop_signals() as stopping,
        serving.listen(*address) as listener,
        work.working_database(chosen, migrate=manner.migrate) as engine,
    ):
        load_catalogue(chosen.catalogue)  # faults of its files are said plainly, here
        work.keyring(chosen)  # made before anybody needs it
        own = chosen.database_url is None
        url = chosen.database_url or engine.url.render_as_string(hide_password=False)
        address = listener.getsockname()
        keyring = work.keyring(chosen)
        if manner.demo:
            _for_staff(chosen, keyring, f"http://{address[0]}:{address[1]}")
        engine.dispose()
        if stopping.is_set():
            return
        with (
            serving.gunicorn(chosen, url, listener) as server,
            worker_processes(chosen, url) as workers,
        ):
            if serving.wait_until_ready(server, address, stopping):
                click.echo(f"{manner.word}http://{address[0]}:{address[1]}")
                # A configured server may come back; /readyz says so meanwhile. Ours will not.
                alive = partial(ping, engine) if own else None
                people = demo_data.brought_beside(chosen, url) if manner.demo else nullcontext()
                with people:
                    serving.wait_until_stopped(server, stopping, workers.keep, alive)


def _for_staff(chosen: Settings, keyring: Keyring, site: str) -> None:
    """An account for staff, and where it stands how to sign in."""
    path = demo_staff.bring(chosen.data, keyring)
    click.echo(f"工作人员页面：{site}/staff，账号在 {path} 里。", err=True)
