"""`shukun estimate`: one request as a statement for people or as JSON; many as JSON alone."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec
from marshmallow import ValidationError
from rich.console import Console
from rich.progress import track

from backend.estimation.checks import InvalidCase
from backend.estimation.terms import Rules
from backend.kernel.database import transaction
from backend.kernel.errors import Fault
from backend.policies.book import PolicyBook, UnknownArea, UnknownPolicy
from backend.policies.catalogue import load_catalogue
from backend.policies.confirmation import confirmed_dates
from backend.policies.policy import Policy
from miniprogram_api.cli import work

WITH_PROBLEMS = 1


class NotEstimated(click.ClickException):
    """The request cannot be used; the message says why, in Chinese."""


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON，与接口的答复相同。")
def estimate(file: str, as_json: bool) -> None:
    """测算 FILE 中的请求（JSON；- 表示从标准输入读）。

    一个请求：与 POST /api/v1/estimates 的正文相同。许多请求：{"requests": […]}，不限个数，
    输出 {"answers": […]}；其中有不能测算的，退出状态为 1。
    """
    sent = _read(file)
    if isinstance(sent, dict) and isinstance(sent.get("requests"), list):
        _estimate_many(sent["requests"])
    else:
        _estimate_one(sent, as_json)


def _estimate_one(sent: Any, as_json: bool) -> None:
    # What it needs is read from the catalogue: a fault there is said by the command, not at import.
    from miniprogram_api.estimation.answering import estimate_case
    from miniprogram_api.estimation.presenter import present_estimate
    from miniprogram_api.estimation.schemas import ESTIMATE_REQUEST
    from miniprogram_api.estimation.statement import statement
    from miniprogram_api.schemas import faults_of

    try:
        case = ESTIMATE_REQUEST.load(sent)
        found = estimate_case(case, _rules([sent]))
    except ValidationError as error:
        raise _faulty(faults_of(error.messages)) from error
    except InvalidCase as error:
        raise _faulty(error.faults) from error
    if as_json:
        _print_json(present_estimate(found))
    else:
        click.echo("\n".join(statement(found)))


def _estimate_many(requests: list[Any]) -> None:
    from miniprogram_api.estimation.answering import answer

    rules = _rules(requests)
    progress = track(
        requests, "测算", console=Console(stderr=True), disable=not sys.stderr.isatty()
    )
    answers = [answer(request, rules) for request in progress]
    _print_json({"answers": answers})
    if any("problem" in one for one in answers):
        raise click.exceptions.Exit(WITH_PROBLEMS)


def _print_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def _read(file: str) -> Any:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return msgspec.json.decode(content)
    except OSError as error:
        raise NotEstimated(f"打不开“{file}”（{error.strerror}）：请检查文件名。") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise NotEstimated(f"“{file}”不是 UTF-8 编码的 JSON，请改正。") from error


def _rules(requests: Iterable[Any]) -> Rules:
    """The catalogue's; where days of force are left open, with those that were confirmed."""
    chosen = work.settings()
    book = load_catalogue(chosen.catalogue)
    named = {
        (request.get("policy"), request.get("area"))
        for request in requests
        if isinstance(request, dict)
        and all(isinstance(request.get(key), str | None) for key in ("policy", "area"))
    }
    if any(policy.dates_open for names in named for policy in _concerned(*names, book)):
        with work.working_database(chosen), transaction() as session:
            book = book.with_confirmed(confirmed_dates(session))
    return Rules(book)


def _concerned(policy: str | None, area: str | None, book: PolicyBook) -> Iterable[Policy]:
    try:
        if area is not None:
            return book.concerning(area)
        return () if policy is None else (book.policy(policy),)
    except (UnknownPolicy, UnknownArea):
        return ()


def _faulty(faults: Iterable[Fault]) -> NotEstimated:
    lines = [f"  {fault.pointer or '/'}：{fault.detail}" for fault in faults]
    return NotEstimated("\n".join(["填写的内容有误，请逐项改正后重试：", *lines]))
