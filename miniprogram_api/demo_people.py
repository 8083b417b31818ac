"""演示数据 (demo people): people who do not exist, brought to an empty register as departments do.

Their files are imported, matched and released; then some are corrected, and all of it again. A
start that was killed goes on at the next one; a register that holds anything else is left alone.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl
from sqlalchemy import exists, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.citizens.exchange.load import LoadOptions, load_file
from backend.citizens.exchange.registry import KINDS
from backend.citizens.file_tables import DATA_FILE
from backend.citizens.invent import plan as plans
from backend.citizens.invent.delivery import invent
from backend.citizens.invent.files import Files
from backend.kernel import clock, database
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.jobs import periodic_done
from backend.matching.release import release_run
from backend.matching.runs import StartRun, compute_part, finish_run, start_run

PEOPLE: Final = 300
SEED: Final = 1
AREAS: Final = ("320281", "320582", "330382")
"""江阴, 张家港, 乐清: places whose policies were in force in the year."""
YEAR: Final = 2025
BY: Final = "演示数据"
OFFICERS: Final = ("演示甲", "演示乙")
LOCK: Final = 7_205_309
DONE: Final = {"job": "demo", "period": str(YEAR)}
CORRECTED: Final = ("bills", "identities")
_WAITING: Final = text(
    "SELECT id, first_release_by FROM match_run"
    " WHERE area = :area AND year = :year AND state = 'computed' ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Brought:
    """How many people and bills, and how many runs were released."""

    people: int
    bills: int
    runs: int


def bring(folder: Path, keyring: Keyring, catalogue: tuple[Path, ...]) -> Brought | None:
    """Bring them, as `worker`; None where there is nothing to do. Opens its own transactions."""
    with database.engine().connect() as holder:
        if not holder.execute(text(f"SELECT pg_try_advisory_xact_lock({LOCK})")).scalar():
            return None  # another demo on the same database is at it
        with transaction() as session:
            if not wanted(session):
                return None
        made = _write_files(folder)
        options = LoadOptions(keyring=keyring, by=BY)
        runs = 0
        for delivered, kinds in ((folder, KINDS), (folder / "corrected", CORRECTED)):
            for kind in kinds:
                load_file(kind, delivered / f"{kind}.csv", options)
            runs += sum(_match(area, catalogue) for area in AREAS)
        with transaction() as session:
            session.execute(insert(periodic_done).values(DONE).on_conflict_do_nothing())
        return Brought(made.people, made.bills, runs)


def wanted(session: Session) -> bool:
    """Whether the register is empty, or an earlier start was killed while it brought them."""
    others = exists().where(DATA_FILE.c.loaded_by != BY)
    return not are_there(session) and not session.execute(select(others)).scalar_one()


def are_there(session: Session) -> bool:
    """Whether they were brought, all of them."""
    marks = (periodic_done.c[name] == value for name, value in DONE.items())
    return bool(session.execute(select(exists().where(*marks))).scalar_one())


def _write_files(folder: Path) -> plans.Plan:
    """The same files at every start: those of a start that was killed are made anew."""
    plan = plans.plan(PEOPLE, SEED, AREAS, (YEAR,))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    with Files(folder) as files:
        invent(plan, files)
    (folder / "corrected").mkdir()
    for kind, correct in (("bills", _more_in_scope), ("identities", _ended_at_midyear)):
        rows = pl.read_csv(folder / f"{kind}.csv", infer_schema=False)
        correct(rows).write_csv(folder / "corrected" / f"{kind}.csv")
    return plan


def _more_in_scope(bills: pl.DataFrame) -> pl.DataFrame:
    """Of every 5th bill, all of the cost is in scope after all."""
    plain = bills.filter(pl.col("rare_drug") == "0.00")
    return plain.gather_every(5).with_columns(in_scope=pl.col("total"))


def _ended_at_midyear(identities: pl.DataFrame) -> pl.DataFrame:
    """Every 3rd identity that goes on ended in the middle of the year."""
    middle = date(YEAR, 6, 30).isoformat()
    going_on = identities.filter(pl.col("to").is_null() & (pl.col("from") < middle))
    return going_on.gather_every(3).with_columns(to=pl.lit(middle))


def _match(area: str, catalogue: tuple[Path, ...]) -> int:
    """Match and release; how many runs were released (one that waited from a killed start too)."""
    command = StartRun(area, YEAR, date(YEAR, 12, 31), BY, catalogue=catalogue)
    with transaction() as session:
        begun = start_run(session, command)
    for number in begun.parts:
        with transaction() as session:
            compute_part(session, begun.run_id, number)
    with transaction() as session:
        finish_run(session, begun.run_id)
        waiting = session.execute(_WAITING, {"area": int(area), "year": YEAR}).all()
        for run_id, first in waiting:
            for officer in OFFICERS if first is None else OFFICERS[1:]:
                release_run(session, run_id, officer, clock.today())
    return len(waiting)
