"""`shukun export`: what other programs take over, as files."""

from __future__ import annotations

from pathlib import Path

import click

from backend.kernel import audit
from backend.kernel.audit import Operator, Subject
from backend.kernel.database import transaction
from backend.matching.applicable import Applicable
from backend.matching.applicable import could_apply as could_be_applied_for
from backend.matching.export import Asked, Granted
from backend.matching.export import grants as granted
from backend.matching.runs import check_area
from miniprogram_api.cli import work
from miniprogram_api.cli.arguments import by_user
from miniprogram_api.cli.private_file import private_csv


@click.group()
def export() -> None:
    """导出数据。"""


@export.command()
@click.option("--area", required=True, metavar="CODE", help="六位行政区划代码。")
@click.option("--year", required=True, type=click.IntRange(2000, 2100), metavar="YYYY")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@by_user
def grants(area: str, year: int, out: Path, by: str) -> None:
    """自动匹配决定的救助，逐单逐项（CSV）。

    文件里有身份证号，只有当前用户可读；请妥善保管，用完删除。导出记入审计，名单上的人看得到。
    """
    check_area(area)
    chosen = work.settings()
    rows = 0
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        # The file appears after the transaction: none is without its line in the audit.
        with private_csv(out) as writer, transaction() as session:
            writer.writerow(Granted._fields)
            for row in granted(session, keyring, Asked(area, year, Operator(by))):
                writer.writerow(row)
                rows += 1
            subject, detail = Subject("area", area), {"year": year, "rows": rows}
            audit.record(session, actor=by, action="export.grants", subject=subject, detail=detail)
    click.echo(f"已导出 {rows} 笔：{out}")


@export.command("could-apply")
@click.option("--area", required=True, metavar="CODE", help="六位行政区划代码。")
@click.option("--year", required=True, type=click.IntRange(2000, 2100), metavar="YYYY")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@by_user
def could_apply(area: str, year: int, out: Path, by: str) -> None:
    """申请了才有的救助：谁的哪些费用单可以申请、还没有申请（CSV）。

    金额按全部费用单都申请来算。文件里有身份证号，只有当前用户可读；请妥善保管，用完删除。导出记入
    审计，名单上的人看得到。
    """
    check_area(area)
    chosen = work.settings()
    rows = 0
    with work.working_database(chosen):
        keyring = work.keyring(chosen)
        with private_csv(out) as writer, transaction() as session:
            writer.writerow(Applicable._fields)
            asked = Asked(area, year, Operator(by))
            for row in could_be_applied_for(session, keyring, asked, chosen.catalogue):
                writer.writerow(row)
                rows += 1
            subject, detail = Subject("area", area), {"year": year, "rows": rows}
            audit.record(
                session, actor=by, action="export.could_apply", subject=subject, detail=detail
            )
    click.echo(f"已导出 {rows} 张：{out}")
