"""命令行 (cli): `shukun`. Exit status 0: done; 1: done, with findings; 2: could not run."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click
from sqlalchemy.exc import OperationalError

from backend.kernel.errors import CannotRun, DomainError
from backend.kernel.settings import DEFAULT_DATA
from backend.kernel.yaml_file import FileError
from miniprogram_api.cli.chinese import speak_chinese
from miniprogram_api.cli.on_demand import CommandsOnDemand

COULD_NOT_RUN: Final = 2
INTERRUPTED: Final = 130
COMMANDS: Final = {
    "audit": "audit:audit",
    "calendar": "calendar:calendar",
    "db": "db:db",
    "demo": "serve:demo",
    "demo-days": "demo_days:demo_days",
    "demo-people": "demo_people:demo_people",
    "estimate": "estimate:estimate",
    "export": "export:export",
    "grants": "grants:grants",
    "import": "import_:import_",
    "invent": "invent:invent",
    "keys": "keys:keys",
    "match": "match:match",
    "pay": "payments:pay",
    "policy": "policy:policy",
    "serve": "serve:serve",
    "staff": "staff:staff",
    "verify": "verify:verify_letter",
    "warnings": "warnings:warnings",
    "wechat-simulator": "wechat_simulator:wechat_simulator",
    "worker": "worker:worker",
    "worklist": "worklist:worklist",
}
"""Name → module of this package, and its command."""
NO_DATABASE: Final = (
    "数据库连接不上，或没有按时答复：请检查数据库是否在运行、DATABASE_URL 是否正确。"
)


@click.group(
    cls=CommandsOnDemand, of=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--debug", is_flag=True, help="出错时显示完整的技术信息。")
def shukun(debug: bool) -> None:
    """纾困：医疗救助政策查询与待遇测算。

    退出状态：0 完成；1 完成，但有需要处理的问题；2 无法运行。
    """


def main() -> NoReturn:
    """The entry point of `shukun`."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; every refusal is a plain sentence on stderr."""
    speak_chinese()
    try:
        status = shukun.main(list(arguments), prog_name="shukun", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        return _say("已中断。", INTERRUPTED)
    except CannotRun as error:
        return _say(str(error))
    except OperationalError as error:
        if "--debug" in arguments:
            raise
        return _say(f"{NO_DATABASE}（{type(error.orig).__name__}）")
    except FileError as error:
        return _say(f"政策目录有误，请改正后重试：\n{error}")
    except DomainError as error:
        return _say("\n".join(fault.detail for fault in error.faults) or error.code)
    except Exception as error:
        if "--debug" in arguments:
            raise
        return _say(_logged(error))
    return status if isinstance(status, int) else 0


def _say(sentence: str, status: int = COULD_NOT_RUN) -> int:
    click.echo(sentence, err=True)
    return status


def _logged(error: Exception) -> str:
    place = Path(os.environ.get("SHUKUN_DATA") or DEFAULT_DATA) / "shukun.log"
    reason = f"出现意外错误（{type(error).__name__}）"
    advice = "加 --debug 重新运行可以看到全部技术信息。"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(place, encoding="utf-8")
    except OSError:
        return f"{reason}。{advice}"
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.Logger("shukun")
    log.addHandler(handler)
    log.error("unexpected fault", exc_info=error)
    handler.close()
    return f"{reason}，详情记在 {place}，请交给维护人员；{advice}"


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)
