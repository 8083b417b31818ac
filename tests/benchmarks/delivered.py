"""Invented people in the register, brought by the real import."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

from backend.citizens.exchange.load import LoadOptions, load_file
from backend.citizens.invent.delivery import invent
from backend.citizens.invent.files import Files
from backend.citizens.invent.plan import plan
from backend.kernel.crypto import Keyring
from tests.benchmarks.report import seconds

PLACES: Final = ("320200", "320582")
SEED: Final = 20261122
KINDS: Final = ("people", "identities", "households", "hospitals", "vital", "bills")


def deliver(folder: Path, engine: Engine, people: int, year: int) -> Iterator[str]:
    """Invent and import so many people; a line of figures for each step."""
    files = folder / "files"
    with Files(files, parquet=True) as into:
        took = seconds(lambda: invent(plan(people, SEED, PLACES, (year,)), into))
    yield f"invented in {took:.1f} s"
    options = LoadOptions(keyring=Keyring.open_or_create(folder / "data" / "keys.json"), by="b")
    for kind in KINDS:
        path = files / f"{kind}.parquet"
        rows: list[int] = []
        took = seconds(lambda: rows.append(load_file(kind, path, options).rows))  # noqa: B023
        yield f"{kind}: {rows[0]:,} rows imported in {took:.1f} s, {rows[0] / took:,.0f} a second"
        path.unlink()
    with engine.connect() as connection:
        maintenance = connection.execution_options(isolation_level="AUTOCOMMIT")
        maintenance.execute(text("RESET ROLE"))
        maintenance.execute(text("SET statement_timeout = 0"))
        maintenance.execute(text("VACUUM ANALYZE"))
        maintenance.invalidate()
