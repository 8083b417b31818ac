"""`shukun demo` and `shukun serve`: the database and the web server, up together, gone together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event

import click

from backend.applications.ruling import tell_rules
from backend.kernel.database import ping, transaction
from backend.kernel.settings import Settings
from backend.policies.catalogue import load_catalogue
from miniprogram_api import demo_site, demo_wechat, serving
from miniprogram_api.cli import work
from miniprogram_api.worker_processes import WorkerProcesses, worker_processes

Port = click.IntRange(0, 65_535)


@click.command()
@click.option("--port", type=Port, default=8000, show_default=True, help="端口；0：自动选择。")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="数据文件夹；默认 var/。"
)
def demo(port: int, data: Path | None) -> None:
    """在本机启动全部功能，就绪后显示 ready 和网址；按 Ctrl-C 停止。

    微信由模拟器代替。数据库还是空的，就在后台编造三百个人，导入、匹配并放行，供演示。
    """
    chosen = work.settings()
    if data is not None:
        chosen = replace(chosen, data=data.absolute())
    chosen = demo_site.fitting(chosen)
    with demo_wechat.simulator(chosen) as wechat:
        _serve(chosen, ("127.0.0.1", port), _Demo(migrate=True, word="ready ", wechat=wechat))


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址（IPv4）。")
@click.option("--port", type=Port, default=8000, show_default=True, help="端口；0：自动选择。")
@click.option("--migrate", is_flag=True, help="启动前升级表结构。")
def serve(host: str, port: int, migrate: bool) -> None:
    """启动网站（正式运行）。所配置的数据库表结构不是最新时不启动，除非加 --migrate。"""
    _serve(work.settings(), (host, port), _Manner(migrate=migrate))


@dataclass(frozen=True)
class _Manner:
    """How a site is served."""

    migrate: bool
    word: str = "就绪："

    def connected(self, chosen: Settings, site: str, stopping: Event) -> Settings:
        """The settings with what else was started for the site, which listens at `site`."""
        return chosen

    def beside(
        self, chosen: Settings, url: str, site: str
    ) -> AbstractContextManager[Callable[[], None]]:
        """What runs while it is served; yields what is called at every look."""
        return nullcontext(lambda: None)


@dataclass(frozen=True)
class _Demo(_Manner):
    """With WeChat simulated, unless one is configured, and with invented people."""

    wechat: demo_wechat.Simulator | None = None

    def connected(self, chosen: Settings, site: str, stopping: Event) -> Settings:
        chosen = demo_site.reached_at(chosen, site)
        if self.wechat is None:
            return chosen
        return replace(chosen, wechat=self.wechat.connect(stopping))

    def beside(
        self, chosen: Settings, url: str, site: str
    ) -> AbstractContextManager[Callable[[], None]]:
        return demo_site.beside(chosen, url, site, self.wechat)


def _serve(chosen: Settings, address: tuple[str, int], manner: _Manner) -> None:
    with (
        serving.stop_signals() as stopping,
        serving.listen(*address) as listener,
        work.working_database(chosen, migrate=manner.migrate) as engine,
    ):
        book = load_catalogue(chosen.catalogue)  # faults of its files are said plainly, here
        with transaction() as session:
            tell_rules(session, book)
        work.keyring(chosen)  # made before anybody needs it
        # A configured server may come back; /readyz says so meanwhile. Ours will not.
        alive = partial(ping, engine) if chosen.database_url is None else None
        url = chosen.database_url or engine.url.render_as_string(hide_password=False)
        address = listener.getsockname()
        site = f"http://{address[0]}:{address[1]}"
        engine.dispose()
        chosen = manner.connected(chosen, site, stopping)
        if stopping.is_set():
            return
        with (
            serving.gunicorn(chosen, url, listener) as server,
            worker_processes(chosen, url) as workers,
        ):
            if serving.wait_until_ready(server, address, stopping):
                with manner.beside(chosen, url, site) as looked:
                    click.echo(f"{manner.word}{site}")
                    keeping = partial(_keep, workers, looked)
                    serving.wait_until_stopped(server, stopping, keeping, alive)


def _keep(workers: WorkerProcesses, looked: Callable[[], None]) -> None:
    workers.keep()
    looked()
