"""`shukun wechat-simulator`: WeChat on this machine, for demonstration and tests."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

import click

from backend.wechat.simulator.server import serving
from backend.wechat.simulator.state import World

TAKEN = "端口已被占用（{}）：请换一个端口，或用 0 自动选择。"


@click.command("wechat-simulator")
@click.option(
    "--api-port", type=click.IntRange(0, 65535), default=0, help="接口端口；0 为自动选择。"
)
@click.option("--control-port", type=click.IntRange(0, 65535), default=0, help="控制端口。")
@click.option("--seed", type=int, default=1, help="相同的种子和动作得到相同的编号与机遇。")
@click.option(
    "--ready-file", type=click.Path(dir_okay=False, path_type=Path), help="就绪后写入两个端口。"
)
def wechat_simulator(api_port: int, control_port: int, seed: int, ready_file: Path | None) -> None:
    """微信模拟器：演示和测试用，只在本机。就绪后打印两个端口；Ctrl+C 结束。"""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        with serving(World(seed), api_port, control_port) as ports:
            line = json.dumps({"api": ports.api, "control": ports.control})
            click.echo(line)
            if ready_file is not None:
                _write(ready_file, line)
            stopping.wait()
    except OSError as error:
        raise click.ClickException(TAKEN.format(error.strerror)) from error


def _write(path: Path, line: str) -> None:
    """At once: who waits for the file never reads half a line."""
    draft = path.with_suffix(f"{path.suffix}.draft")
    draft.write_text(f"{line}\n", encoding="utf-8")
    draft.replace(path)
