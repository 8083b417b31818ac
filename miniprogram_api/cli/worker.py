"""`shukun worker`: does the background jobs."""

from __future__ import annotations

from dataclasses import replace

import click

from backend.kernel import jobs, jobs_upkeep, keys
from backend.kernel.database import transaction
from backend.letters import seals
from backend.letters.seal_keys import files_of
from backend.notifications import sms
from backend.papers import store as papers_store
from backend.wechat import connection
from miniprogram_api import lifeline, observability, queue_app
from miniprogram_api import worker as process
from miniprogram_api.audit_sealer import AuditSealer
from miniprogram_api.cli import work

FAILED = "有 {count} 个任务多次重试后仍未完成，原因见日志；改正后请用 --retry-failed 重新执行。"


@click.command()
@click.option("--queues", default="", help="只处理这些队列（逗号分隔）；默认全部。")
@click.option("--until-empty", is_flag=True, help="没有待办任务时结束；定时任务不在此时安排。")
@click.option(
    "--concurrency", type=click.IntRange(1, 16), default=1, show_default=True, help="同时处理几个。"
)
@click.option("--retry-failed", is_flag=True, help="先把已放弃的任务重新排队。")
@click.pass_context
def worker(
    context: click.Context, queues: str, until_empty: bool, concurrency: int, retry_failed: bool
) -> None:
    """处理后台任务（匹配、提醒、定时事项）；可以在多台机器上同时运行。按 Ctrl-C 停止。

    正在处理的任务最多再等 20 秒；没做完的会由其他进程接着做。
    """
    lifeline.end_with_supervisor()
    chosen = work.settings()
    chosen = replace(chosen, threads=max(chosen.threads, concurrency + process.BESIDE_JOBS))
    observability.configure(chosen.log_level)
    queue_app.import_tasks()
    keys.bind(chosen.key_file)
    papers_store.bind(papers_store.FolderStore(chosen.papers_folder))
    seals.bind(files_of(chosen))
    connection.bind(chosen.wechat)
    sms.bind(sms.RecordingSms() if chosen.sms == "record" else None)
    wanted = _wanted(queues)
    with work.working_database(chosen) as engine:
        if retry_failed:
            with transaction() as session:
                again = jobs_upkeep.retry_failed(session, wanted)
            click.echo(f"已重新排队 {again} 个任务。")
        url = engine.url.render_as_string(hide_password=False)
        click.echo(f"后台任务已就绪：{'、'.join(wanted)}")
        silence = float(chosen.worker_silence)
        plan = process.Plan(url, wanted, concurrency, until_empty, silence, silence / 2)
        process.work(replace(plan, seal=AuditSealer(chosen)))
        with transaction() as session:
            failed = jobs_upkeep.failed_jobs(session, wanted)
    if failed:
        click.echo(FAILED.format(count=failed), err=True)
        context.exit(1)


def _wanted(queues: str) -> tuple[str, ...]:
    known = jobs.queues()
    wanted = tuple(name.strip() for name in queues.split(",") if name.strip()) or known
    if unknown := [name for name in wanted if name not in known]:
        raise click.BadParameter(
            f"没有名为 {'、'.join(unknown)} 的队列；现有：{'、'.join(known)}。",
            param_hint="--queues",
        )
    return wanted
