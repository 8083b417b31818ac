"""`shukun demo` and `shukun serve`: the database and the web server, up together, gone together."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from backend.kernel.database import ping
from backend.kernel.settings import Settings
from backend.policies.catalogue import load_catalogue
from miniprogram_api import serving
from miniprogram_api.cli import work
from miniprogram_api.worker_processes import worker_processes

Port = click.IntRange(0, 65_535)


@click.command()
@click.option("--port", type=Port, default=8000, show_default=True, help="端口；0：自动选择。")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="数据文件夹；默认 var/。"
)
def demo(port: int, data: Path | None) -> None:
    """在本机启动全部功能，就绪后显示 ready 和网址；按 Ctrl-C 停止。"""
    chosen = work.settings()
    if data is not None:
        chosen = replace(chosen, data=data.absolute())
    _serve(chosen, ("127.0.0.1", port), migrate=True, word="ready ")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址（IPv4）。")
@click.option("--port", type=Port, default=8000, show_default=True, help="端口；0：自动选择。")
@click.option("--migrate", is_flag=True, help="启动前升级表结构。")
def serve(host: str, port: int, migrate: bool) -> None:
    """启动网站（正式运行）。所配置的数据库表结构不是最新时不启动，除非加 --migrate。"""
    _serve(work.settings(), (host, port), migrate=migrate, word="就绪：")


def _serve(chosen: Settings, address: tuple[str, int], *, migrate: bool, word: str) -> None:
    with (
        serving.stop_signals() as stopping,
        serving.listen(*address) as listener,
        work.working_database(chosen, migrate=migrate) as engine,
    ):
        load_catalogue(chosen.catalogue)  # faults of its files are said plainly, here
        own = chosen.database_url is None
        url = chosen.database_url or engine.url.render_as_string(hide_password=False)
        engine.dispose()
        address = listener.getsockname()
        if stopping.is_set():
            return
        with (
            serving.gunicorn(chosen, url, listener) as server,
            worker_processes(chosen, url) as workers,
        ):
            if serving.wait_until_ready(server, address, stopping):
                click.echo(f"{word}http://{address[0]}:{address[1]}")
                # A configured server may come back; /readyz says so meanwhile. Ours will not.
                alive = partial(ping, engine) if own else None
                serving.wait_until_stopped(server, stopping, workers.keep, alive)
