"""Checks of cases at a desk, for one case and for two hundred, beside plain reads of the same rows.

`python -m tests.benchmarks checks [CASES]` (default 1,000 in the database). The checks run in the
role of the site, in the session of a reviewer: row-level security, what is sealed and the audit are
in them. The plain reads bypass row-level security, open nothing and write nothing.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from backend.accounts.scope import act_as
from backend.applications.cases import COLUMNS, Case
from backend.applications.checks import checks_of_many
from backend.applications.deciding import Office
from backend.applications.tables import APPLICATION
from backend.kernel import database, migrations
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from backend.kernel.postgres import embedded
from backend.kernel.settings import Settings
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from tests.benchmarks.report import Pair, in_turn, machine
from tests.support.accounts import Accounts
from tests.support.checked_cases import TOWNSHIP, many_cases

CASES: Final = 1_000
AT_ONCE: Final = 200
RUNS: Final = 15
TODAY: Final = date(2026, 11, 23)
_CASES: Final = select(*COLUMNS)
_OF_CASE: Final = "IN (SELECT {} FROM application WHERE id = ANY (:cases))"
_PERSON: Final = _OF_CASE.format("person_id")
_HOME: Final = f"IN (SELECT household_id FROM person WHERE id {_PERSON})"
_PLAIN: Final = tuple(
    text(f"SELECT {rows}").bindparams(bindparam("cases", type_=ARRAY(BigInteger)))
    for rows in (
        "* FROM application WHERE id = ANY (:cases)",
        "* FROM application_answer WHERE application_id = ANY (:cases)",
        f"id, area, household_id, insurance, known, data_key FROM person WHERE id {_PERSON}",
        f"id, area, household_id, insurance, known FROM person WHERE household_id {_HOME}",
        f"* FROM household_income WHERE household_id {_HOME}",
        f"id, person_id, category, from_on FROM identity WHERE person_id {_PERSON}",
        f"* FROM bill WHERE person_id {_PERSON}",
        f"* FROM bill_claim WHERE person_id {_PERSON}",
        f"* FROM grant_entry WHERE person_id {_PERSON}",
        f"* FROM application WHERE person_id {_PERSON}",
    )
)


@dataclass(frozen=True)
class Desk:
    """A reviewer's session of the site, and the worker, who sees every row."""

    site: Engine
    worker: Engine
    keyring: Keyring
    book: PolicyBook
    token: str
    cases: Sequence[int]

    def check(self, count: int) -> None:
        """The checks of so many cases, each with its bills found."""
        with bound(self.site), transaction() as session:
            actor = act_as(session, self.token)
            if actor is None:
                raise SystemExit("the session is over")
            rows = session.execute(_CASES.where(APPLICATION.c.id.in_(self.cases[:count])))
            office = Office(actor, self.keyring, self.book, TODAY)
            found = checks_of_many(session, office, [Case(*row) for row in rows])
        bills = [one.found for told in found.values() for one in told if one.code == "bills_known"]
        if bills != ["3 张"] * count:
            raise SystemExit("the checks did not find what is there")

    def read(self, count: int) -> None:
        """The same rows, into tuples and no more."""
        with bound(self.worker), transaction() as session:
            for statement in _PLAIN:
                session.execute(statement, {"cases": self.cases[:count]}).all()


def main(arguments: list[str]) -> None:
    """Prints ms a case and the ratios; exit status 1 where many take longer each than one alone."""
    count = int(arguments[0]) if arguments else CASES
    print(machine())
    with desk(max(count, AT_ONCE)) as made:
        alone = measure(made, 1)
        together = measure(made, AT_ONCE)
    print(f"a case among {AT_ONCE}: {together / alone:.2f} of the time of one alone")
    if together > alone:
        raise SystemExit(f"missed: a case among {AT_ONCE} takes no longer than alone")


def measure(made: Desk, count: int) -> float:
    """Milliseconds a case, so many at once."""
    pair: Pair = in_turn(lambda: made.check(count), lambda: made.read(count), RUNS)
    ours, peer = (statistics.median(one) * 1_000 / count for one in (pair.ours, pair.peer))
    print(
        f"{count} at once: {ours:.2f} ms a case, plain reads {peer:.2f} ms,"
        f" ratio {pair.ratio:.2f} ({pair.spread})"
    )
    return ours


@contextmanager
def desk(count: int) -> Iterator[Desk]:
    """A database of its own with so many cases at the desk of one township."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        keyring = Keyring.open_or_create(folder / "keys.json")
        with embedded(folder / "data", Settings().pg_bin) as url:
            owner = database.engine_for(url)
            migrations.upgrade(owner)
            cases = many_cases(owner, keyring, count)
            token = Accounts(owner).staff_token("township_reviewer", TOWNSHIP)
            with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
            site, worker = (database.engine_for(url, role=role) for role in ("app", "worker"))
            try:
                yield Desk(site, worker, keyring, load_catalogue(), token, cases)
            finally:
                for engine in (owner, site, worker):
                    engine.dispose()
