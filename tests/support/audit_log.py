"""An audit log of a test's own: events written and sealed as everywhere, then touched by a superuser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from backend.kernel import clock
from backend.kernel.audit import Subject, record
from backend.kernel.audit_anchors import Anchors
from backend.kernel.audit_seal import seal
from backend.kernel.audit_verify import Report, verify
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction

TABLES = ("audit_event", "audit_chain", "audit_written")


@dataclass
class AuditLog:
    """`owner`: the engine of a superuser; the bound engine is the worker's."""

    owner: Engine
    anchors: Anchors

    @classmethod
    def of(cls, owner: Engine, folder: Path) -> AuditLog:
        """With keys and anchors in a folder."""
        keyring = Keyring.open_or_create(folder / "keys.json")
        return cls(owner, Anchors(folder / "audit-anchors.jsonl", keyring))

    def write(self, count: int, action: str = "test") -> None:
        """So many events of one transaction."""
        with transaction() as session:
            for number in range(count):
                record(
                    session,
                    actor=f"staff:S{number % 7:03d}",
                    action=action,
                    subject=Subject("person", str(1000 + number)),
                    detail={"数": number, "fields": ["basic", "bills"]},
                    area=320281101001 + number % 3,
                )

    def seal(self, *, anchored: bool = True) -> int:
        """One pass of the sealer."""
        return seal(self.anchors if anchored else None, clock.now())

    def verify(self, *, anchored: bool = True) -> Report:
        """What the verifier finds."""
        return verify([self.anchors] if anchored else [])

    def found(self) -> set[str]:
        """The kinds of what the verifier finds."""
        return {one.kind for one in self.verify().findings}

    def ask(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows as the superuser sees them."""
        with self.owner.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    @contextmanager
    def superuser(self) -> Iterator[Connection]:
        """A transaction in which no trigger guards anything."""
        with self.owner.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection

    def touch(self, statements: Iterable[str], **values: Any) -> None:
        """What a superuser does to the tables."""
        with self.superuser() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    def keep(self) -> None:
        """Remember the tables as they are."""
        self.touch(f"CREATE TABLE kept_{one} AS TABLE {one}" for one in TABLES)
        self._drawn = self.ask("SELECT last_value FROM audit_event_id_seq")[0][0]
        self._lines = self.anchors.path.read_bytes()

    def restore(self) -> None:
        """The tables, the sequence and the anchors as they were."""
        self.anchors.path.write_bytes(self._lines)
        self.touch(
            statement
            for one in TABLES
            for statement in (
                f"TRUNCATE {one}",
                f"INSERT INTO {one} OVERRIDING SYSTEM VALUE TABLE kept_{one}",
            )
        )
        self.touch([f"SELECT setval('audit_event_id_seq', {self._drawn})"])
