"""`shukun wechat-simulator`: WeChat on this machine, for demonstration and tests."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Final

import click

from backend.wechat.simulator.server import serving
from backend.wechat.simulator.snapshots import NoSnapshot, load, save
from backend.wechat.simulator.state import World
from miniprogram_api import lifeline

TAKEN: Final = "端口用不了（{}）：请换一个端口，或用 0 自动选择。"
NO_SNAPSHOT: Final = "{} 不是模拟器的快照：请换一个文件，或删去它。"
_PORT: Final = click.IntRange(0, 65535)
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command("wechat-simulator")
@click.option("--api-port", type=_PORT, default=0, help="接口端口；0 为自动选择。")
@click.option("--control-port", type=_PORT, default=0, help="控制端口；0 为自动选择。")
@click.option("--seed", type=int, default=1, help="相同的种子和动作得到相同的编号与机遇。")
@click.option("--ready-file", type=_FILE, help="就绪后在此文件写入两个端口。")
@click.option("--snapshot", type=_FILE, help="从此文件接着上次的状态，结束时写回。")
def wechat_simulator(
    api_port: int, control_port: int, seed: int, ready_file: Path | None, snapshot: Path | None
) -> None:
    """微信模拟器：演示和测试用，只在本机。就绪后打印两个端口；Ctrl+C 结束。"""
    lifeline.end_with_supervisor()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    world = _world(seed, snapshot)
    try:
        with serving(world, api_port, control_port) as ports:
            line = json.dumps({"api": ports.api, "control": ports.control})
            click.echo(line)
            if ready_file is not None:
                _write(ready_file, line)
            stopping.wait()
    except OSError as error:
        raise click.ClickException(TAKEN.format(error.strerror)) from error
    if snapshot is not None:
        save(snapshot, world.data)


def _world(seed: int, snapshot: Path | None) -> World:
    world = World(seed)
    if snapshot is not None and snapshot.exists():
        try:
            world.data = load(snapshot)
        except NoSnapshot as error:
            raise click.ClickException(NO_SNAPSHOT.format(snapshot)) from error
    return world


def _write(path: Path, line: str) -> None:
    """At once: who waits for the file never reads half a line."""
    draft = path.with_suffix(f"{path.suffix}.draft")
    draft.write_text(f"{line}\n", encoding="utf-8")
    draft.replace(path)
