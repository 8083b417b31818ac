"""Looking for texts in a database's raw files, its log, and whatever else lies beside them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

FORMS: Final = ("utf-8", "gb18030", "utf-16-le")


def found_in(data: Path, server: str, secrets: Sequence[str]) -> list[tuple[str, str]]:
    """Which of the texts are where, in plain, in hexadecimal, or in another encoding."""
    spelled = {}
    for secret in secrets:
        for form in FORMS:
            spelled[secret.encode(form)] = secret
        spelled[secret.encode().hex().encode()] = secret
    patterns = data.parent / f"{data.name}.patterns"
    patterns.write_bytes(b"\n".join(spelled) + b"\n")
    tables = data.parent / f"{data.name}.tables"
    tables.mkdir(exist_ok=True)
    copy_out(server, tables)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    found = []
    for folder in (data, tables):
        for file, hit in grep(patterns, folder):
            found.append((spelled[hit], str(file.relative_to(folder))))
    return found


def grep(patterns: Path, folder: Path) -> Iterator[tuple[Path, bytes]]:
    done = subprocess.run(
        ["grep", "-raozF", "-f", str(patterns), str(folder)],
        env={**os.environ, "LC_ALL": "C"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    for line in done.stdout.split(b"\0"):
        if line:
            file, hit = line.split(b":", 1)
            yield Path(os.fsdecode(file)), hit


def copy_out(server: str, folder: Path) -> None:
    """Every table as text: what is compressed in the files is not so here."""
    with psycopg.connect(server) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (name,) in names:
            statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                (folder / f"table {name}").write_bytes(b"".join(map(bytes, copy)))
