"""What is shown before signing is, to the fen, what the run grants: thirty people and more."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.applications.cases import Case
from backend.applications.drafts import Answered
from backend.applications.expected import Asking, Expected, expected
from backend.citizens.codes import Codes
from backend.citizens.tables import LAYERS
from backend.estimation.terms import Rules
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.matching.runs import StartRun, compute_part, finish_run, start_run
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from tests.support.claims import claim
from tests.support.office import Office
from tests.support.register import Register

TODAY = date(2024, 12, 20)
PEOPLE = 10
LOCALITIES = """
adoptions: [{area: "320300", policy: plan-2026, from: 2026-01-01, to: 2026-12-31}]
serious_illness_bases: []
"""
TINGHU = {"tinghu-trial": (date(2023, 1, 1), date(2024, 12, 31))}
PLACES = {
    "tinghu-trial": 320902_101_001,
    "yueqing-2022-41": 330382_101_001,
    "wuxi-2022-98": 320281_101_001,
    "plan-2026": 320312_101_001,
}


@dataclass
class Town:
    """Invented people of one place with bills of a year."""

    office: Office
    owner: Engine
    register: Register
    today: date
    book: PolicyBook
    area: int
    people: list[str]
    folder: Path

    def match(self) -> None:
        """A run of the place, by the catalogue with what the place has adopted."""
        area = str(self.area)[:6]
        command = StartRun(area, self.today.year, self.today, "测试", catalogue=(self.folder,))
        with transaction() as session:
            begun = start_run(session, command)
        for number in begun.parts:
            with transaction() as session:
                compute_part(session, begun.run_id, number)
        with transaction() as session:
            assert finish_run(session, begun.run_id)

    def bills(self, name: str) -> list[int]:
        with self.owner.connect() as connection:
            query = text(
                "SELECT id FROM bill WHERE person_id = :own ORDER BY discharged_on, bill_no"
            )
            return list(connection.execute(query, {"own": self.register.ids[name]}).scalars())

    def asked(self, name: str, policy: str, kind: str, field: str, value: str) -> Expected:
        procedure = self.book.procedure(policy, kind)
        case = Case(
            id=1, person_id=self.register.ids[name], area=self.area, kind=kind, policy=policy,
            category="", subject="", state="draft", seq=0, desk="applicant", raised=0, proposal="",
            resident_id=1, staff_id=None, capacity="self", fast_lane=False, filing=False,
            notice=False, expected=None, begun_at=None, submitted_at=None, ended_at=None,  # type: ignore[arg-type]
        )  # fmt: skip
        answers = {field: Answered(value, 1, "applicant")}
        with Session(self.office.engine) as session:
            asking = Asking(procedure, Rules(self.book), self.today)
            found = expected(session, case, answers, asking)
        assert found is not None
        return found

    def granted(self, name: str, bills: list[int]) -> int:
        """What stands granted to the person on the bills, after a run."""
        with self.owner.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT DISTINCT ON (bill_id, layer) amount_after FROM grant_entry"
                    " WHERE bill_id = ANY (:bills) ORDER BY bill_id, layer, seq DESC"
                ),
                {"bills": bills},
            ).scalars()
            return sum(map(int, rows))


def town(policy: str, owner: Engine, worker: Engine, folder: Path) -> Town:
    """`PEOPLE` with up to five bills each, of every kind that matters there."""
    rng = random.Random(policy)
    today = date(2026, 11, 20) if policy == "plan-2026" else TODAY
    register = Register(owner)
    (folder / "localities.yaml").write_text(LOCALITIES, encoding="utf-8")
    book = load_catalogue((folder,))
    book = book.with_confirmed(TINGHU) if policy in TINGHU else book
    office = Office(worker, Keyring.open_or_create(folder / f"{policy}.json"))
    with Session(worker) as session, session.begin():
        Codes.numbers(session, "layer", LAYERS)
        Codes.numbers(session, "disease_group", list(book.vocabulary.disease_groups))
    if policy in TINGHU:
        office.confirm(policy, *TINGHU[policy])
    made = Town(office, owner, register, today, book, PLACES[policy], [], folder)
    for serial in range(PEOPLE):
        name = f"{policy}{serial}"
        made.people.append(name)
        register.person(name, PLACES[policy], declined_health_service=serial % 4 == 3)
        for number in range(rng.randint(1, 5)):
            put_bill(made, name, f"{name}-{number}", rng)
    return made


def put_bill(made: Town, name: str, bill_no: str, rng: random.Random) -> None:
    first = made.today.replace(month=1, day=2)
    day = first + timedelta(days=rng.randint(0, (made.today - first).days - 1))
    total = rng.randint(100_000, 20_000_000)
    flags = ("designated", "referred", "followed_guidance", "in_province")
    made.register.bill(
        name, bill_no, day.isoformat(), f"{total // 100}.{total % 100:02d}",
        setting=rng.choice(["inpatient", "chronic_outpatient", "outpatient"]),
        flags=flags if rng.random() < 0.8 else ("designated",),
        paid={"basic": f"{total // 300}.00"} if rng.random() < 0.5 else {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "kind", "layer", "category"),
    [
        ("tinghu-trial", "special_assistance", "special_assistance", "extreme_poverty"),
        ("yueqing-2022-41", "high_cost_relief", "high_cost_relief", "subsistence_allowance"),
    ],
)
def test_what_is_expected_on_bills_is_what_the_run_grants_on_them(
    policy: str, kind: str, layer: str, category: str, database: Engine, worker_database: Engine,
    tmp_path: Path,
) -> None:  # fmt: skip
    made = town(policy, database, worker_database, tmp_path)
    told: dict[str, tuple[int, list[int]]] = {}
    for serial, name in enumerate(made.people):
        made.register.identity(name, category, "2022-01-01")
        bills = made.bills(name)
        named = bills[:: 1 + serial % 2]  # every one, or every other one
        found = made.asked(name, policy, kind, "bills", ",".join(map(str, named)))
        told[name] = found.amount, named
        assert not found.amount or found.steps
    for _, named in told.values():
        claim(database, named, layer)
    made.match()
    number = "SELECT number FROM code_number WHERE kind = 'layer' AND code = :layer"
    with database.connect() as connection:
        own = connection.execute(text(number), {"layer": layer}).scalar_one()
        rows = connection.execute(
            text("SELECT bill_id, sum(amount) FROM grant_entry WHERE layer = :own GROUP BY 1"),
            {"own": own},
        ).all()
    stands = {bill: int(fen) for bill, fen in rows}
    assert {
        name: sum(stands.get(bill, 0) for bill in named) for name, (_, named) in told.items()
    } == {name: amount for name, (amount, _) in told.items()}
    assert sum(amount > 0 for amount, _ in told.values()) >= 3


@pytest.mark.parametrize(
    ("policy", "category"),
    [("wuxi-2022-98", "subsistence_marginal"), ("plan-2026", "illness_impoverished")],
)
def test_what_a_recognition_would_bring_is_what_the_run_grants_where_it_counts(
    policy: str, category: str, database: Engine, worker_database: Engine, tmp_path: Path,
) -> None:  # fmt: skip
    made = town(policy, database, worker_database, tmp_path)
    told = {}
    for serial, name in enumerate(made.people):
        if serial % 3 == 2:
            made.register.identity(name, "extreme_poverty", "2022-01-01")  # brings more already
        told[name] = made.asked(name, policy, "recognition", "category", category).amount
    before = {}
    made.match()
    for name in made.people:
        before[name] = made.granted(name, made.bills(name))
        made.register.identity(name, category, made.today.replace(year=made.today.year - 1))
    made.match()
    after = {name: made.granted(name, made.bills(name)) - before[name] for name in made.people}
    assert after == told
    assert sum(amount > 0 for amount in told.values()) >= 3
