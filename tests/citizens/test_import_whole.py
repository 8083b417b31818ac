"""Whole deliveries of invented people: order, halves, kills and versions change nothing."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.citizens.invent.delivery import invent
from backend.citizens.invent.files import Files
from backend.citizens.invent.plan import plan
from tests.support.delivery import Content, Office, clear

PEOPLE = 300
KILLS = int(os.environ.get("SHUKUN_TEST_KILLS", "5"))
IN_A_FILE = 3
KINDS = ("people", "identities", "households", "hospitals", "bills", "assignments", "vital")
CHUNK = 40


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivery")
    with Files(folder) as files:
        invent(plan(PEOPLE, 11, ("320281", "330382"), (2024,)), files)
    return folder


def load_all(office: Office, delivery: Path, kinds: tuple[str, ...] = KINDS) -> Content:
    for kind in kinds:
        office.load_path(kind, delivery / f"{kind}.csv")
    return office.content()


def test_the_order_of_the_kinds_of_files_does_not_matter(office: Office, delivery: Path) -> None:
    first = load_all(office, delivery)
    assert len(first["people"]) == PEOPLE
    chance = random.Random(1)
    for _ in range(3):
        clear(office)
        order = tuple(chance.sample(KINDS, len(KINDS)))
        assert load_all(office, delivery, order) == first, order


def test_two_half_files_are_one(office: Office, delivery: Path) -> None:
    whole = load_all(office, delivery)
    clear(office)
    for kind in KINDS:
        lines = (delivery / f"{kind}.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        middle = len(lines) // 2
        for number, half in enumerate((lines[1:middle], lines[middle:])):
            path = office.folder / f"{kind}-{number}.csv"
            path.write_text("".join((lines[0], *half)), encoding="utf-8")
            office.load_path(kind, path)
    assert office.content() == whole


def test_what_was_known_at_a_data_version_can_be_read_again(office: Office, delivery: Path) -> None:
    load_all(office, delivery)
    known: dict[int, Content] = {}
    for turn in range(3):
        at = office.ask("SELECT last_value FROM data_version")[0][0]
        known[at] = office.content()
        path = office.folder / f"corrected-{turn}.csv"
        path.write_text(corrected(delivery / "bills.csv", turn), encoding="utf-8")
        serial = office.load_path("bills", path, chunk_rows=CHUNK).serial
    office.undo(serial)
    for at, content in known.items():
        assert office.content(as_of=at)["bills"] == content["bills"]
        assert office.content(as_of=at)["people"] == content["people"]


def corrected(path: Path, turn: int) -> str:
    """The file with every third bill a yuan dearer, and some bills left out."""
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    total = rows[0].index("total")
    kept = [row for place, row in enumerate(rows[1:]) if place % 7 != turn]
    for row in kept[turn::3]:
        row[total] = f"{float(row[total]) + 1:.2f}"
    return "\n".join(",".join(row) for row in [rows[0], *kept])


# -- killed at any moment --------------------------------------------------------------------------


@dataclass
class Killed:
    """The real command in a process of its own, on the office's database."""

    office: Office

    def start(self, kind: str, path: Path, *before: str) -> subprocess.Popen[bytes]:
        url = self.office.engine.url.render_as_string(hide_password=False)
        environ = os.environ | {
            "DATABASE_URL": url,
            "SHUKUN_KEYS": str(self.office.keyring.path),
            "SHUKUN_DATA": str(self.office.folder),
        }
        program = "\n".join(
            (
                "import sys; from miniprogram_api.cli import run",
                *before,
                "sys.exit(run(sys.argv[1:]))",
            )
        )
        command = ["import", kind, str(path), "--chunk-rows", str(CHUNK), "--by", "测试"]
        arguments = [sys.executable, "-c", program, *command]
        return subprocess.Popen(arguments, env=environ, stdout=subprocess.DEVNULL)

    def rows_taken(self, path: Path) -> int:
        query = f"SELECT coalesce(max(next_row), 0) FROM data_file WHERE name = '{path.name}'"
        return int(self.office.ask(query)[0][0])

    def kill_after(self, process: subprocess.Popen[bytes], path: Path, rows: int) -> bool:
        """SIGKILL some way into the chunk after so many rows; False: it had ended by itself."""
        while process.poll() is None and self.rows_taken(path) < rows:
            time.sleep(0.002)
        time.sleep(random.random() * 0.03)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


def history(office: Office) -> list[tuple[object, ...]]:
    """What was replaced, without the ids and versions that every run gives anew."""
    query = "SELECT bill_no, total, superseded_by > revision FROM bill_history ORDER BY 1, 2"
    return office.ask(query)


def books(office: Office) -> list[tuple[object, ...]]:
    return office.ask(
        "SELECT kind, state, rows, added, changed, unchanged, rejected, waiting, money, next_row"
        " FROM data_file ORDER BY id"
    )


def test_killed_at_any_moment_and_run_again_it_comes_to_the_same(
    office: Office, delivery: Path
) -> None:
    wrong = office.folder / "wrong.csv"
    wrong.write_text(
        corrected(delivery / "bills.csv", 1).replace(",inpatient,", ",inpatientx,", 5), "utf-8"
    )
    files = [("people", delivery / "people.csv"), ("bills", delivery / "bills.csv")]
    files += [("identities", delivery / "identities.csv"), ("bills", wrong)]
    for kind, path in files:
        office.load_path(kind, path, chunk_rows=CHUNK)
    clean = office.content(), history(office), books(office), rejects(office)
    chance, killed, struck = random.Random(5), Killed(office), 0
    while struck < KILLS:
        clear(office)
        for kind, path in files:
            taken = 0
            for _ in range(IN_A_FILE):
                process = killed.start(kind, path)
                taken += chance.randrange(CHUNK, 3 * CHUNK)
                struck += killed.kill_after(process, path, taken)
            assert killed.start(kind, path).wait() in (0, 1)
        assert (office.content(), history(office), books(office), rejects(office)) == clean


def rejects(office: Office) -> list[tuple[object, ...]]:
    return office.ask("SELECT line, column_name, reason FROM data_reject ORDER BY 1, 2, 3")


DIE_IN_THE_THIRD_CHUNK = (
    "from backend.citizens.exchange import load; import os, signal; took = []; apply = load._apply",
    "load._apply = lambda *given: (took.append(1), len(took) == 3"
    " and os.kill(os.getpid(), signal.SIGKILL), apply(*given))",
)
ADVANCE_APART = (
    "from backend.citizens.exchange import registry; from sqlalchemy.orm import Session",
    "from backend.kernel.database import engine; move = registry.advance",
    "exec('''def apart(_session, record, rows):\n"
    "    with Session(engine()) as own, own.begin():\n"
    "        move(own, record, rows)''')",
    "registry.advance = apart",
)


@pytest.mark.parametrize("sabotage", [False, True])
def test_progress_written_apart_from_the_rows_would_lose_some(
    office: Office, delivery: Path, sabotage: bool
) -> None:
    path, killed = delivery / "bills.csv", Killed(office)
    office.load_path("bills", path, chunk_rows=CHUNK)
    clean = office.content()["bills"]
    clear(office)
    before = (*ADVANCE_APART, *DIE_IN_THE_THIRD_CHUNK) if sabotage else DIE_IN_THE_THIRD_CHUNK
    assert killed.start("bills", path, *before).wait() == -signal.SIGKILL
    assert killed.start("bills", path).wait() == 0
    assert (office.content()["bills"] == clean) is not sabotage


def test_two_processes_loading_one_file_do_not_double_it(office: Office, delivery: Path) -> None:
    path, killed = delivery / "bills.csv", Killed(office)
    office.load_path("bills", path, chunk_rows=CHUNK)
    clean = office.content()["bills"], books(office)
    clear(office)
    both = [killed.start("bills", path) for _ in range(2)]
    assert {process.wait() for process in both} <= {0, 2}
    assert killed.start("bills", path).wait() == 0
    assert (office.content()["bills"], books(office)) == clean
