"""Invented people with accounts, and a ledger of grants put straight into the tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.citizens.id_number import CHECKS, WEIGHTS
from backend.citizens.tables import LAYERS
from backend.kernel.audit import Subject
from backend.kernel.crypto import Keyring, Place
from backend.matching.ledger import EntryKind
from backend.worklist.items import NewItem, open_items
from tests.support.register import JIANGYIN, Register

LAYER: Final = "medical_assistance"


def id_number(serial: int) -> str:
    """A valid number of nobody."""
    stem = f"32028119600101{serial:03d}"
    return stem + CHECKS[sum(int(d) * w for d, w in zip(stem, WEIGHTS, strict=True)) % 11]


def card(serial: int) -> str:
    """A card number whose check digit holds."""
    stem = f"6228480{serial:011d}"
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in stem[::-2])
    return f"{stem}{-(sum(map(int, stem[-2::-2])) + sum(doubled)) % 10}"


@dataclass
class Ledger:
    """Runs, entries, people: named by the test."""

    engine: Engine
    keyring: Keyring
    numbers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.register = Register(self.engine)
        with Session(self.engine) as session, session.begin():
            self.layers = Codes.numbers(session, "layer", LAYERS)

    def person(self, name: str, area: int = JIANGYIN, *, account: str | None = "") -> int:
        """Somebody in the register; with an own account unless `account` is None."""
        own = self.register.person(name, area)
        key = self.keyring.new_person_key(own)
        cipher = self.keyring.person(own, key)
        number = id_number(len(self.numbers) + 100)
        self.numbers[name] = number
        values = {
            "id": own,
            "key": key,
            "name": cipher.seal(Place("person", "name", own), name),
            "index": self.keyring.index("id_number", number),
            "number": cipher.seal(Place("person_number", "number", own), number),
        }
        self.execute("UPDATE person SET data_key = :key, name = :name WHERE id = :id", **values)
        self.execute(
            "INSERT INTO person_number (number_index, person_id, current, number, file_id, revision)"
            " VALUES (:index, :id, true, :number, 1, 1)",
            **values,
        )
        if account is not None:
            self.payee(name, account or card(own))
        return own

    def payee(self, name: str, account: str) -> None:
        """A new version of the person's own account."""
        own = self.register.ids[name]
        self.execute(
            "UPDATE payee SET superseded_at = now()"
            " WHERE person_id = :id AND superseded_at IS NULL",
            id=own,
        )
        with Session(self.engine) as session, session.begin():
            payee = session.execute(text("SELECT nextval('row_id')")).scalar_one()
            key = session.execute(
                text("SELECT data_key FROM person WHERE id = :id"), {"id": own}
            ).scalar_one()
            seal = self.keyring.person(own, bytes(key)).seal
            session.execute(
                text(
                    "INSERT INTO payee (id, person_id, kind, relationship, bank, holder, account,"
                    " account_index, loaded_by) VALUES (:id, :person, 'own', 'own', :bank, :holder,"
                    " :account, :index, '测试')"
                ),
                {
                    "id": payee,
                    "person": own,
                    "bank": seal(Place("payee", "bank", payee), "农业银行"),
                    "holder": seal(Place("payee", "holder", payee), name),
                    "account": seal(Place("payee", "account", payee), account),
                    "index": self.keyring.index("account", account),
                },
            )

    def bill(self, name: str, bill_no: str, **more: Any) -> int:
        """A bill of the person."""
        return self.register.bill(name, bill_no, "2024-03-09", "100000.00", **more)

    def in_doubt(self, name: str, year: int) -> None:
        """A slip of the year brought another amount than was granted."""
        subject = Subject("grant", f"{name}/medical_assistance")
        own = self.register.ids[name]
        item = NewItem("amount_differs", subject, own, JIANGYIN, "不符。", period=f"{year}/1-2")
        with Session(self.engine) as session, session.begin():
            open_items(session, [item], "测试")

    def died(self, name: str) -> None:
        """Recognised dead."""
        self.register.change_person(name, died_on=date(2024, 5, 1))

    def merge(self, name: str, into: str) -> None:
        """Two people found to be one: the bills move too."""
        self.register.merge(name, into)

    def run(self, *, released: bool = True) -> int:
        """A run of matching."""
        with Session(self.engine) as session, session.begin():
            found = session.execute(
                text(
                    "INSERT INTO match_run"
                    " (area, year, as_of, rules_id, cluster, seen, state, started_by)"
                    " VALUES (320281, 2024, '2024-06-01', 1, 1, '', 'computed', '测试')"
                    " RETURNING id"
                )
            )
            run = int(found.scalar_one())
        if released:
            self.release(run)
        return run

    def release(self, run: int) -> None:
        """Release it."""
        self.execute(
            "UPDATE match_run SET state = 'released', first_release_by = '测试',"
            " released_by = '测试二' WHERE id = :run",
            run=run,
        )

    def entry(self, bill: int, fen: int, run: int, *, layer: str = LAYER, kind: str = "") -> None:
        """An entry that changes the grant by `fen`; 0: settled, unless `kind` says."""
        with Session(self.engine) as session, session.begin():
            values = {"bill": bill, "layer": self.layers[layer], "fen": fen, "run": run}
            last = session.execute(
                text(
                    "SELECT coalesce(max(seq), 0) AS seq, coalesce(sum(amount), 0) AS stands"
                    " FROM grant_entry WHERE (bill_id, layer) = (:bill, :layer)"
                ),
                values,
            ).one()
            first = EntryKind.TOP_UP if last.seq else EntryKind.GRANT
            found = first if fen > 0 else EntryKind.REFUND_DUE if fen < 0 else EntryKind.SETTLED
            session.execute(
                text(
                    "INSERT INTO grant_entry (bill_id, layer, seq, person_id, area, year, run_id,"
                    " kind, amount, amount_after, policy, identity, rules_id, data_version, reason)"
                    " SELECT id, :layer, :seq, person_id, area, 2024, :run, :kind, :fen, :after,"
                    " 1, -1, 1, 1, 1 FROM bill WHERE id = :bill"
                ),
                {
                    **values,
                    "seq": last.seq + 1,
                    "after": last.stands + fen,
                    "kind": int(EntryKind[kind] if kind else found),
                },
            )

    def execute(self, statement: str, **values: Any) -> None:
        """One statement, committed."""
        with Session(self.engine) as session, session.begin():
            session.execute(text(statement), values)

    def as_owner(self, *statements: str) -> None:
        """Statements of the tables' owner, committed."""
        with Session(self.engine) as session, session.begin():
            session.execute(text("SET LOCAL ROLE NONE"))
            for statement in statements:
                session.execute(text(statement))

    def rows(self, query: str, **values: Any) -> list[Any]:
        """The rows of a query."""
        with Session(self.engine) as session, session.begin():
            return [tuple(row) for row in session.execute(text(query), values)]

    def states(self) -> list[tuple[str, int]]:
        """State and amount of every item, in the order of their making."""
        return self.rows("SELECT state, amount FROM payment_item ORDER BY id")

    def work(self) -> list[tuple[str, str]]:
        """Kind and subject of every open work item."""
        return self.rows(
            "SELECT kind, subject_kind FROM work_item WHERE state <> 'done' ORDER BY id"
        )
