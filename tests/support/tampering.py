"""What a superuser of the database may do to the audit, each way with places taken at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, text

from backend.kernel import audit_seal
from backend.kernel.audit_chain import Link, digest, links
from tests.support.audit_log import AuditLog

EDITS: Final = {
    "at": "at - interval '7 minutes'",
    "actor": "actor || 'x'",
    "action": "'test.other'",
    "subject_kind": "'payee'",
    "subject_id": "subject_id || '0'",
    "detail": "detail || '{\"数\": -1}'",
    "role": "'auditor'",
    "purpose": "'visit'",
    "area": "area + 1",
}
WORDS: Final = "actor, action, subject_kind, subject_id, detail, at, role, purpose, area"
COPY: Final = f"INSERT INTO audit_event (id, {WORDS}) OVERRIDING SYSTEM VALUE SELECT"
HOUR: Final = "interval '1 hour'"


@dataclass
class Place:
    """A log to be touched, and the dice that say where."""

    log: AuditLog
    dice: random.Random
    events: list[int]
    """Ids of the chain's events, in its order."""
    gaps: list[int]
    """Ids that were drawn and never used."""

    @classmethod
    def of(cls, log: AuditLog, dice: random.Random) -> Place:
        rows = log.ask(
            "SELECT event_id FROM audit_chain WHERE event_id IS NOT NULL ORDER BY position"
        )
        events = [row[0] for row in rows]
        return cls(log, dice, events, sorted(set(range(1, max(events))) - set(events)))

    @property
    def last(self) -> int:
        return int(self.log.ask("SELECT max(position) FROM audit_chain")[0][0])

    def one(self) -> int:
        return self.dice.choice(self.events)

    def two(self) -> tuple[int, int]:
        one, other = self.dice.sample(self.events, 2)
        return one, other

    def gap(self) -> int:
        return self.dice.choice(self.gaps)

    def touch(self, *statements: str, **values: Any) -> None:
        self.log.touch(statements, **values)


Tampering: TypeAlias = Callable[[Place], None]
TAMPERINGS: Final[dict[str, Tampering]] = {}


def tampering(deed: Tampering) -> Tampering:
    TAMPERINGS[deed.__name__] = deed
    return deed


# -- events ----------------------------------------------------------------------------------


@tampering
def edit(at: Place) -> None:
    column = at.dice.choice(list(EDITS))
    at.touch(f"UPDATE audit_event SET {column} = {EDITS[column]} WHERE id = :id", id=at.one())


@tampering
def edit_to_no_time(at: Place) -> None:
    moment = at.dice.choice(["infinity", "-infinity", "4713-01-01 BC", "294276-12-31"])
    at.touch(f"UPDATE audit_event SET at = '{moment}' WHERE id = :id", id=at.one())


@tampering
def delete(at: Place) -> None:
    at.touch("DELETE FROM audit_event WHERE id = :id", id=at.one())


@tampering
def delete_many(at: Place) -> None:
    one, other = sorted(at.two())
    at.touch("DELETE FROM audit_event WHERE id BETWEEN :one AND :other", one=one, other=other)


@tampering
def swap_contents(at: Place) -> None:
    one, other = at.two()
    at.touch(
        f"UPDATE audit_event SET ({WORDS}) = (SELECT {WORDS} FROM audit_event AS o"
        " WHERE o.id = :one + :other - audit_event.id) WHERE id IN (:one, :other)",
        one=one,
        other=other,
    )


@tampering
def swap_ids(at: Place) -> None:
    one, other = at.two()
    at.touch(
        "CREATE TEMP TABLE pair AS SELECT * FROM audit_event WHERE id IN (:one, :other)",
        "DELETE FROM audit_event WHERE id IN (:one, :other)",
        f"{COPY} :one + :other - id, {WORDS} FROM pair",
        "DROP TABLE pair",
        one=one,
        other=other,
    )


@tampering
def replace_by_a_copy(at: Place) -> None:
    one, other = at.two()
    at.touch(
        "DELETE FROM audit_event WHERE id = :one",
        f"{COPY} :one, {WORDS} FROM audit_event WHERE id = :other",
        one=one,
        other=other,
    )


# -- the chain -------------------------------------------------------------------------------


@tampering
def edit_hash(at: Place) -> None:
    at.touch(
        "UPDATE audit_chain SET hash = sha256(hash) WHERE position = :p",
        p=at.dice.randint(1, at.last),
    )


@tampering
def edit_closing(at: Place) -> None:
    change = at.dice.choice(["closed = closed + 1", f"sealed_at = sealed_at + {HOUR}"])
    at.touch(f"UPDATE audit_chain SET {change} WHERE position = :p", p=at.dice.randint(1, at.last))


@tampering
def delete_link(at: Place) -> None:
    at.touch("DELETE FROM audit_chain WHERE event_id = :id", id=at.one())


@tampering
def delete_both(at: Place) -> None:
    at.touch(
        "DELETE FROM audit_chain WHERE event_id = :id",
        "DELETE FROM audit_event WHERE id = :id",
        id=at.one(),
    )


@tampering
def delete_both_and_close_the_gap(at: Place) -> None:
    delete_both(at)
    renumber(at)


@tampering
def swap_events_of_links(at: Place) -> None:
    one, other = at.two()
    at.touch(
        "UPDATE audit_chain SET event_id = -event_id WHERE event_id IN (:one, :other)",
        "UPDATE audit_chain SET event_id = :one + :other + event_id WHERE event_id < 0",
        one=one,
        other=other,
    )


@tampering
def reorder(at: Place) -> None:
    one, other = at.two()
    at.touch(
        "UPDATE audit_chain SET position = -position WHERE event_id IN (:one, :other)",
        "WITH pair AS (SELECT sum(-position) AS total FROM audit_chain WHERE position < 0)"
        " UPDATE audit_chain SET position = pair.total + position FROM pair WHERE position < 0",
        one=one,
        other=other,
    )


# -- inserting -------------------------------------------------------------------------------


@tampering
def insert(at: Place) -> None:
    at.touch(f"{COPY} :gap, {WORDS} FROM audit_event WHERE id = :id", gap=at.gap(), id=at.one())


@tampering
def insert_far_ahead(at: Place) -> None:
    """With an id that was never drawn."""
    ahead = at.events[-1] + at.dice.choice([10**6, 10**18])
    at.touch(f"{COPY} :ahead, {WORDS} FROM audit_event WHERE id = :id", ahead=ahead, id=at.one())
    if at.dice.random() < 0.5:
        at.log.seal()


@tampering
def insert_and_let_it_be_sealed(at: Place) -> None:
    insert(at)
    at.log.write(2)
    at.log.seal()


@tampering
def insert_with_a_link_at_the_end(at: Place) -> None:
    """Its hash is right, and the sealer goes on from there and anchors it."""
    gap = at.gap()
    at.touch(
        f"{COPY} :gap, {WORDS} FROM audit_event WHERE id = :id",
        "INSERT INTO audit_chain SELECT position + 1, :gap, sealed_at, closed, hash"
        " FROM audit_chain ORDER BY position DESC LIMIT 1",
        gap=gap,
        id=at.one(),
    )
    recompute(at, at.last)
    at.log.write(1)
    at.log.seal()


@tampering
def insert_in_the_middle_and_compute_anew(at: Place) -> None:
    gap = at.gap()
    at.touch(
        f"{COPY} :gap, {WORDS} FROM audit_event WHERE id = :id",
        "UPDATE audit_chain SET position = -position - 1 WHERE event_id > :gap",
        "UPDATE audit_chain SET position = -position WHERE position < 0",
        "INSERT INTO audit_chain SELECT position + 1, :gap, sealed_at, closed, hash"
        " FROM audit_chain WHERE event_id < :gap ORDER BY position DESC LIMIT 1",
        gap=gap,
        id=at.one(),
    )
    renumber(at)
    recompute(at, 1)


@tampering
def use_old_ids_again(at: Place) -> None:
    at.touch(f"ALTER SEQUENCE audit_event_id_seq RESTART WITH {at.gap()}")
    at.log.write(1)
    at.log.seal()


# -- both tables, computed anew --------------------------------------------------------------


@tampering
def edit_and_compute_anew(at: Place) -> None:
    column, one = at.dice.choice(list(EDITS)), at.one()
    at.touch(f"UPDATE audit_event SET {column} = {EDITS[column]} WHERE id = :id", id=one)
    recompute(at, 1)
    if at.dice.random() < 0.5:
        at.log.write(3)
        at.log.seal()


@tampering
def delete_and_compute_anew(at: Place) -> None:
    delete_both(at)
    renumber(at)
    recompute(at, 1)


@tampering
def edit_closing_and_compute_anew(at: Place) -> None:
    edit_closing(at)
    recompute(at, 1)


# -- the tail --------------------------------------------------------------------------------


@tampering
def cut_the_tail(at: Place) -> None:
    end = at.dice.randint(0, at.last - 1)
    at.touch(
        "DELETE FROM audit_event WHERE id IN"
        " (SELECT event_id FROM audit_chain WHERE position > :end)",
        "DELETE FROM audit_chain WHERE position > :end",
        end=end,
    )


@tampering
def cut_the_chain_alone(at: Place) -> None:
    at.touch("DELETE FROM audit_chain WHERE position > :p", p=at.dice.randint(0, at.last - 1))


@tampering
def cut_the_tail_and_go_on(at: Place) -> None:
    """What is written afterwards makes the chain as long as before, or longer."""
    last = at.last
    cut_the_tail(at)
    at.log.write(at.dice.randint(1, last))
    at.log.seal()


@tampering
def empty_both(at: Place) -> None:
    at.touch("TRUNCATE audit_chain, audit_event")


# -- the anchors themselves ------------------------------------------------------------------


@tampering
def take_the_anchors_away(at: Place) -> None:
    """The sealer may begin a new file, which looks like that of a new installation."""
    at.log.anchors.path.unlink()
    if at.dice.random() < 0.7:
        at.log.write(1)
        at.log.seal()


@tampering
def take_some_anchors_away(at: Place) -> None:
    """The first, the last, one of the middle; the sealer may go on afterwards."""
    lines = at.log.anchors.path.read_bytes().splitlines(keepends=True)
    del lines[at.dice.choice([0, -1, at.dice.randrange(len(lines))])]
    at.log.anchors.path.write_bytes(b"".join(lines))
    if at.dice.random() < 0.5:
        at.log.write(1)
        at.log.seal()


# -- time ------------------------------------------------------------------------------------


@tampering
def back_date_before_the_seal(at: Place) -> None:
    at.log.write(2)
    hours = at.dice.choice([-1, -24, 1, 24])
    at.touch(
        f"UPDATE audit_event SET at = at + {hours} * {HOUR}"
        " WHERE id NOT IN (SELECT event_id FROM audit_chain WHERE event_id IS NOT NULL)"
    )
    at.log.seal()


@tampering
def write_with_no_time(at: Place) -> None:
    at.log.write(1)
    at.touch("UPDATE audit_event SET at = '-infinity' WHERE id = (SELECT max(id) FROM audit_event)")
    if at.dice.random() < 0.5:
        at.log.seal()


@tampering
def clock_back(at: Place) -> None:
    """As though the server's clock had been put back by an hour while something was written."""
    with clock_of_the_server(at, f"clock_timestamp() - {HOUR}"):
        at.log.write(2)
        at.log.seal()
    if at.dice.random() < 0.5:
        at.log.write(2)
        at.log.seal()


# -- means -----------------------------------------------------------------------------------


def renumber(at: Place) -> None:
    """Positions without gaps, in the order that they have."""
    at.touch(
        "UPDATE audit_chain AS c SET position = -n.number FROM"
        " (SELECT position, row_number() OVER (ORDER BY position) AS number FROM audit_chain) AS n"
        " WHERE n.position = c.position",
        "UPDATE audit_chain SET position = -position",
    )


def recompute(at: Place, first: int) -> None:
    """Every hash from a position on, as the formula has it: it is no secret."""
    with at.log.superuser() as connection:
        for link in _computed(connection, first):
            connection.execute(
                text("UPDATE audit_chain SET hash = :hash WHERE position = :position"),
                {"hash": link.hash, "position": link.position},
            )


def _computed(connection: Connection, first: int) -> Iterator[Link]:
    previous = bytes(32)
    for link in list(links(connection.connection.driver_connection)):  # type: ignore[arg-type]
        if link.position >= first:
            link.hash = digest(previous, link)
            yield link
        previous = link.hash


@contextmanager
def clock_of_the_server(at: Place, shows: str) -> Iterator[None]:
    """The moments that the database writes and the sealer reads."""
    real = audit_seal._LOOK
    at.touch(f"ALTER TABLE audit_event ALTER at SET DEFAULT {shows}")
    audit_seal._LOOK = text(real.text.replace("clock_timestamp()", shows))  # type: ignore[misc]
    try:
        yield
    finally:
        audit_seal._LOOK = real  # type: ignore[misc]
        at.touch("ALTER TABLE audit_event ALTER at SET DEFAULT clock_timestamp()")
