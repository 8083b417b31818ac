"""What workers do with granted cases, deed by deed: effects, the runs they ask for, money, the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.applications.effects import settle_effects
from backend.applications.finishing import finish
from backend.applications.ground import Ground
from backend.applications.rematching import begin_run, waiting
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, engine_for, transaction
from backend.matching.release import release_run
from backend.matching.runs import StartRun, compute_part, finish_run, open_parts
from backend.payments.bank_file import bank_file
from backend.payments.batches import approve, make_batch
from backend.payments.returns import take_return
from backend.policies.book import PolicyBook
from backend.policies.catalogue import load_catalogue
from tests.support.ledger import Ledger, card

BOOK: Final = load_catalogue()


@dataclass
class Effects:
    """Workers of a place. `keyring`: that of the people."""

    owner: Engine
    keyring: Keyring
    folder: Path
    today: date
    book: PolicyBook = BOOK
    returned: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        url = self.owner.url.render_as_string(hide_password=False)
        self.worker = engine_for(url, role="worker")

    @contextmanager
    def working(self) -> Iterator[Session]:
        """A transaction of a worker."""
        with bound(self.worker), transaction() as session:
            yield session

    @property
    def ground(self) -> Ground:
        """Keys, rules, the day."""
        return Ground(self.keyring, self.book, self.today)

    def settle(self, case: int) -> bool:
        """The job that is left with a granting step."""
        with self.working() as session:
            return settle_effects(session, self.ground, case)

    def match(self, *, release: bool = True) -> list[int]:
        """Every run that is waited for, computed; released by two people. Their numbers."""
        with self.working() as session:
            asked = waiting(session)
        runs = [self._match(county, year) for county, year in asked]
        for run in runs if release else ():
            self.release(run)
        return runs

    def _match(self, county: int, year: int) -> int:
        with self.working() as session:
            command = StartRun(f"{county:06d}", year, self.today, "测试")
            assert begin_run(session, command)
            run = session.execute(text("SELECT max(id) FROM match_run")).scalar_one()
            parts = open_parts(session, run)
        for number in parts:
            with self.working() as session:
                compute_part(session, run, number)
        with self.working() as session:
            assert finish_run(session, run)
        return int(run)

    def release(self, run: int) -> None:
        """放行 by two people."""
        for by in ("放行甲", "放行乙"):
            with self.working() as session:
                release_run(session, run, by, self.today)

    def account(self, person: int) -> None:
        """The person has an account of their own."""
        ledger = Ledger(self.owner, self.keyring)
        ledger.register.ids["收款"] = person
        ledger.payee("收款", card(person))

    def pay(self, area: str) -> int:
        """Everything that is due there is paid by the bank; how much was ever paid (fen)."""
        with self.working() as session:
            made = make_batch(session, area, "经办", self.today)
        assert made.serial is not None
        for by in ("复核", "审批"):
            with self.working() as session:
                approve(session, made.serial, by)
        with self.working() as session:
            lines = bank_file(session, self.keyring, made.serial, "出纳").content.decode()
        rows = [f"{made.serial},{line.split(',')[1]},成功," for line in lines.splitlines()[1:]]
        self.returned.append(made.serial)
        path = self.folder / f"return-{len(self.returned)}.csv"
        path.write_text("serial,item,result,reason\n" + "".join(f"{row}\n" for row in rows))
        with self.working() as session:
            take_return(session, path, "回盘")
        return int(self.ask("SELECT sum(total) FROM payment_batch")[0][0])

    def finish(self, case: int) -> str:
        """The step that the case is due."""
        with self.working() as session:
            return finish(session, self.ground, case)

    def ask(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of any query."""
        with self.owner.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def granted(self, layer: str | None = None) -> list[tuple[str, int]]:
        """(bill number, fen) as the ledger stands, above zero."""
        rows = self.ask(
            "SELECT b.bill_no, g.amount_after FROM grant_entry g JOIN bill b ON b.id = g.bill_id"
            " JOIN code_number l ON l.kind = 'layer' AND l.number = g.layer"
            " WHERE (CAST(:layer AS text) IS NULL OR l.code = :layer) AND g.amount_after > 0"
            " AND NOT EXISTS (SELECT FROM grant_entry n WHERE (n.bill_id, n.layer) ="
            " (g.bill_id, g.layer) AND n.seq > g.seq) ORDER BY 1",
            layer=layer,
        )
        return [(number, int(fen)) for number, fen in rows]
