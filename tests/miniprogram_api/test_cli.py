import shutil
from datetime import date
from pathlib import Path

import click
import pytest
from sqlalchemy import Engine, text

from backend.kernel import migrations
from backend.kernel.database import transaction
from backend.policies import catalogue
from backend.policies.confirmation import confirmed_dates
from miniprogram_api.cli import run, shukun, work

CONTEXT = click.Context(shukun)
Output = pytest.CaptureFixture[str]
CONFIRM = ("policy", "confirm", "tinghu-trial", "--from", "2022-03-01", "--to", "2024-02-29")


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    for name in group.list_commands(CONTEXT):
        command = group.get_command(CONTEXT, name)
        assert command is not None
        found += (
            commands(command, (*path, name))
            if isinstance(command, click.Group)
            else [(*path, name)]
        )
    return found


@pytest.fixture
def configured(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


@pytest.fixture
def bad_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHUKUN_WORKERS", "many")
    monkeypatch.setenv("SHUKUN_LOG_LEVEL", "loud")


@pytest.mark.parametrize("path", commands(shukun), ids=" ".join)
@pytest.mark.usefixtures("bad_settings")
def test_every_command_has_help_even_where_the_settings_are_bad(
    path: tuple[str, ...], capsys: Output
) -> None:
    assert run([*path, "--help"]) == 0
    assert "用法: shukun" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["policy", "confirm"], ["demo", "--port", "-1"], ["db", "status", "--what"]],
)
def test_a_command_that_is_written_wrong_cannot_run(arguments: list[str], capsys: Output) -> None:
    assert run(arguments) == 2
    assert "查看用法：shukun" in capsys.readouterr().err


@pytest.mark.usefixtures("bad_settings")
def test_bad_settings_are_all_named_and_the_command_cannot_run(capsys: Output) -> None:
    assert run(["db", "status"]) == 2
    said = capsys.readouterr().err
    assert "SHUKUN_WORKERS" in said
    assert "SHUKUN_LOG_LEVEL" in said


def test_an_unexpected_fault_is_a_plain_sentence_and_a_line_in_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("inner words")

    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    monkeypatch.setattr(work, "settings", fail)
    assert run(["policy", "check"]) == 2
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "Traceback" not in said
    assert "inner words" in (tmp_path / "shukun.log").read_text()
    with pytest.raises(ZeroDivisionError):
        run(["--debug", "policy", "check"])


def test_an_interrupted_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "settings", interrupted)
    assert run(["policy", "check"]) == 130
    assert capsys.readouterr().err.strip() == "已中断。"


def test_the_catalogue_is_checked(capsys: Output) -> None:
    assert run(["policy", "check"]) == 0
    assert "全部正确" in capsys.readouterr().out


def test_faults_of_the_catalogue_are_findings_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    shutil.copytree(catalogue.HOME / "wuxi-2022-98", tmp_path / "wuxi-2022-98")
    clauses = tmp_path / "wuxi-2022-98" / "clauses.yaml"
    clauses.write_text(clauses.read_text(encoding="utf-8") + "- nonsense: 1\n", encoding="utf-8")
    monkeypatch.setenv("SHUKUN_CATALOGUE", str(tmp_path))
    assert run(["policy", "check"]) == 1
    assert "wuxi-2022-98/clauses.yaml:" in capsys.readouterr().out
    for command in (list(CONFIRM), ["demo", "--port", "0"]):
        assert run(command) == 2
        said = capsys.readouterr().err
        assert "政策目录有误" in said
        assert "wuxi-2022-98/clauses.yaml:" in said


@pytest.mark.usefixtures("configured")
def test_dates_are_confirmed(database: Engine, capsys: Output) -> None:
    assert run([*CONFIRM, "--by", "李工", "--note", "亭医保〔2022〕1号"]) == 0
    assert "2024-02-29" in capsys.readouterr().out
    with transaction() as session:
        expected = {"tinghu-trial": (date(2022, 3, 1), date(2024, 2, 29))}
        assert confirmed_dates(session) == expected


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--from", "2024-01-01"], "没有“nowhere”这个政策"),
        (["yueqing-2022-41", "--from", "2022-09-16"], "不需要确认"),
        (["tinghu-trial", "--from", "2024-01-02", "--to", "2024-01-01"], "早于施行日期"),
        (["tinghu-trial", "--from", "2024-02-30"], "不是日期"),
    ],
)
def test_dates_that_cannot_be_confirmed_are_refused_in_plain_words(
    arguments: list[str], words: str, capsys: Output
) -> None:
    assert run(["policy", "confirm", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("configured")
def test_a_configured_server_that_is_behind_is_upgraded_by_its_owner_only(
    database: Engine, capsys: Output
) -> None:
    migrations.downgrade(database, "0002")
    for command in (list(CONFIRM), ["serve", "--port", "0"]):
        assert run(command) == 2
        assert "shukun db upgrade" in capsys.readouterr().err
    assert run(["db", "status"]) == 1
    assert run(["db", "upgrade"]) == 0
    assert run(["db", "status"]) == 0
    assert run(list(CONFIRM)) == 0


@pytest.mark.usefixtures("configured")
def test_a_database_newer_than_the_program_asks_for_a_newer_program(
    database: Engine, capsys: Output
) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert run(["db", "status"]) == 1
    said = capsys.readouterr().out
    assert "请换用新版程序" in said
    assert "upgrade" not in said


def test_a_server_that_does_not_answer_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:geheim@/x?host=/nonexistent")
    assert run(["db", "status"]) == 2
    said = capsys.readouterr().err
    assert "数据库" in said
    assert "geheim" not in said


def test_the_embedded_database_is_started_migrated_and_stopped_by_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path / "new" / "data"))
    assert run(list(CONFIRM)) == 0
    assert not (tmp_path / "new" / "data" / "postgres" / "postmaster.pid").exists()
    assert run(["db", "status"]) == 0


def test_the_migrations_can_be_read_as_sql_without_a_database(capsys: Output) -> None:
    assert run(["db", "upgrade", "--sql"]) == 0
    assert "CREATE TABLE audit_event" in capsys.readouterr().out
