"""`shukun demo-days`: days pass in a demo; refused everywhere else."""

from __future__ import annotations

from typing import Final

import click

from miniprogram_api.cli import work
from miniprogram_api.demo_days import MOST, pass_days

PASSED: Final = (
    "过了 {0} 天：新公示 {1.published} 件，公示期满批准 {1.granted} 件，发放、办结共 {1.steps} 步。"
)


@click.command("demo-days")
@click.argument("days", type=click.IntRange(1, MOST), metavar="天数")
def demo_days(days: int) -> None:
    """演示里过几天：公示期满的批准，发放完的办结。只用于演示，正式运行时拒绝。"""
    chosen = work.settings()
    with work.working_database(chosen):
        passed = pass_days(chosen, work.keyring(chosen), days)
    click.echo(PASSED.format(days, passed))
