"""归集 (collecting): what the ledger says beyond what was paid, in items.

There is one open item of a bill and layer to a person. A bill that was corrected to be another
person's is owed back by the one and due to the other; people who were merged are one (`person_now`
of migration 0007).

Only entries of released runs are taken, in their order: none after one that is not released, and
none of a grant of which a refund or a settlement waits for release. While an item is with the bank,
later entries of its grant to that person wait for the bank's answer.

A person owes back at most what was given to them by our own payments: what a hospital or another
paid is cleared with whoever paid it (`refund_elsewhere`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.citizens.tables import LAYERS, NOT_SETTLED
from backend.matching.ledger import EntryKind
from backend.payments import assigned
from backend.payments.states import UNPAID

ONE_AT_A_TIME: Final = 7_205_209
"""Advisory lock: payments are put together by one process at a time. That nothing is taken twice
does not hang on it: the keys of the tables forbid that."""
_MINUTES: Final = 10
KINDS: Final = {"refund": int(EntryKind.REFUND_DUE), "settled": int(EntryKind.SETTLED)}
"""The kinds of entries that lessen what is paid, by their names in the statements."""

WITH_PERSON: Final = """
    (SELECT coalesce(sum(own.amount), 0)::bigint FROM (
        SELECT s.amount, s.state,
            bool_or(s.state = 'cleared_elsewhere') OVER (ORDER BY s.id DESC) AS cleared
        FROM payment_item s WHERE (s.bill_id, s.layer) = ({of}.bill_id, {of}.layer)
            AND s.hospital_id IS NULL
            AND person_now(s.person_id) = person_now({of}.person_id)
    ) own WHERE NOT own.cleared AND (own.state IN ('paid', 'ordered', 'refunded')
        OR own.state = 'closed' AND own.amount < 0))
"""
"""SQL: what our payments of the grant of `of` gave to the person, less what came back or was given
up. What was cleared with who else paid was more than all of it, so it counts from then on."""

_FRESH_ENTRY: Final = """
    CREATE TEMP TABLE fresh_entry ON COMMIT DROP AS
    WITH wanted AS (
        SELECT DISTINCT e.bill_id, e.layer FROM grant_entry e
        WHERE e.area BETWEEN {low} AND {high} AND NOT EXISTS (
            SELECT FROM payment_entry p
            WHERE p.bill_id = e.bill_id AND p.layer = e.layer AND p.seq = e.seq
        )
    ), line AS (
        SELECT e.bill_id, e.layer, e.seq, e.amount, e.kind, e.area, e.year,
            person_now(e.person_id) AS person_id,
            r.state = 'released' AS released, p.item_id IS NOT NULL AS taken,
            min(e.seq) FILTER (WHERE r.state <> 'released') OVER one AS unreleased,
            bool_or(r.state <> 'released' AND e.kind IN ({refund}, {settled})) OVER one AS awaited
        FROM wanted JOIN grant_entry e USING (bill_id, layer) JOIN match_run r ON r.id = e.run_id
            LEFT JOIN payment_entry p USING (bill_id, layer, seq)
        WINDOW one AS (PARTITION BY e.bill_id, e.layer)
    )
    SELECT bill_id, layer, seq, amount, kind, person_id, area, year FROM line
    WHERE released AND NOT taken AND NOT awaited AND (unreleased IS NULL OR seq < unreleased)
        AND NOT EXISTS (
            SELECT FROM payment_item i
            WHERE (i.bill_id, i.layer, i.state) = (line.bill_id, line.layer, 'ordered')
                AND person_now(i.person_id) = line.person_id
        )
"""
_FRESH_GRANT: Final = """
    CREATE TEMP TABLE fresh_grant ON COMMIT DROP AS
    WITH fresh AS (
        SELECT bill_id, layer, person_id, sum(amount)::bigint AS net,
            bool_or(kind = {settled}) AS settled,
            (array_agg(kind ORDER BY seq DESC))[1] = {settled} AS ends_settled,
            (array_agg(area ORDER BY seq DESC))[1] AS area,
            (array_agg(year ORDER BY seq DESC))[1] AS year
        FROM fresh_entry GROUP BY bill_id, layer, person_id
    ), weighed AS (
        SELECT f.bill_id, f.layer, f.person_id, f.area, f.year, o.id AS open_id,
            coalesce(o.amount, 0) + f.net AS amount,
            coalesce(o.state, 'due') AS before, coalesce(o.hold, '') AS hold,
            f.ends_settled, f.settled OR EXISTS (
                SELECT FROM payment_item s
                WHERE (s.bill_id, s.layer, s.state) = (f.bill_id, f.layer, 'settled')
                    AND person_now(s.person_id) = f.person_id
            ) AS was_settled
        FROM fresh f LEFT JOIN LATERAL (
            SELECT i.id, i.amount, i.state, i.hold FROM payment_item i
            WHERE (i.bill_id, i.layer) = (f.bill_id, f.layer)
                AND person_now(i.person_id) = f.person_id
                AND i.state IN {unpaid} AND i.hospital_id IS NULL
            ORDER BY i.person_id <> f.person_id, i.id LIMIT 1
        ) o ON true
        WHERE f.area BETWEEN {low} AND {high}
    ), moved AS (
        SELECT *, CASE WHEN ends_settled THEN 'settled' WHEN amount = 0 THEN 'netted'
            WHEN amount < -{with_person} THEN 'refund_elsewhere'
            WHEN amount < 0 THEN 'refund_due' WHEN was_settled THEN 'held'
            WHEN before IN ('held', 'returned') THEN before ELSE 'due' END AS state
        FROM weighed
    )
    SELECT bill_id, layer, area, year, open_id IS NULL AS new, person_id, amount, state,
        CASE WHEN state <> 'held' THEN '' WHEN hold <> '' THEN hold ELSE 'settled_before' END
            AS hold,
        coalesce(open_id, nextval(pg_get_serial_sequence('payment_item', 'id'))) AS id
    FROM moved
"""
_NEW_ITEMS: Final = """
    INSERT INTO payment_item (id, bill_id, layer, person_id, area, year, amount, state, hold)
        OVERRIDING SYSTEM VALUE
    SELECT id, bill_id, layer, person_id, area, year, amount, state, hold
    FROM fresh_grant WHERE new ORDER BY bill_id, layer, id
"""
_GROWN_ITEMS: Final = """
    UPDATE payment_item i SET amount = f.amount, state = f.state, hold = f.hold, area = f.area,
        person_id = f.person_id, changed_at = now()
    FROM fresh_grant f WHERE i.id = f.id AND NOT f.new
"""
_ENTRIES: Final = """
    INSERT INTO payment_entry (bill_id, layer, seq, item_id)
    SELECT e.bill_id, e.layer, e.seq, f.id FROM fresh_entry e
        JOIN fresh_grant f USING (bill_id, layer, person_id) ORDER BY e.bill_id, e.layer, e.seq
"""
_UNSETTLED: Final = """
    UPDATE payment_item SET state = 'held', hold = 'unsettled', changed_at = now() WHERE id IN (
        SELECT DISTINCT ON (i.bill_id, i.layer) i.id
        FROM payment_item i JOIN bill b ON b.id = i.bill_id
            AND b.person_id = person_now(i.person_id)
        WHERE i.area BETWEEN {low} AND {high} AND i.state = 'settled' AND i.amount > 0
            AND {given} = {none} AND NOT EXISTS (
                SELECT FROM payment_item o WHERE (o.bill_id, o.layer) = (i.bill_id, i.layer)
                    AND person_now(o.person_id) = b.person_id
                    AND (o.state IN {unpaid} OR o.state = 'ordered')
            ) AND 0 < (
                SELECT sum(o.amount) FROM payment_item o
                WHERE (o.bill_id, o.layer) = (i.bill_id, i.layer)
                    AND person_now(o.person_id) = b.person_id
                    AND o.state IN ('settled', 'cleared_elsewhere')
            )
        ORDER BY i.bill_id, i.layer, i.id
    )
"""
_WEIGH: Final = """
    UPDATE payment_item i SET hold = w.hold, changed_at = now(),
        state = CASE WHEN w.hold <> '' THEN 'held' WHEN i.state = 'held' THEN 'due'
            ELSE i.state END
    FROM ({weighed}) w
    WHERE i.id = w.id AND i.hold <> w.hold
"""
_WEIGHED: Final = """
    SELECT found.id,
        CASE WHEN why = ANY (string_to_array(cleared, ',')) THEN '' ELSE why END AS hold
    FROM (
        SELECT i.id, i.cleared,
            CASE WHEN b.person_id <> p.id THEN 'person_changed'
                WHEN {given} <> {none} THEN 'given'
                WHEN p.died_on < 'infinity' THEN 'died'
                WHEN i.hold IN ('settled_before', 'unsettled') THEN i.hold
                WHEN (p.id, i.year::text) IN (
                    SELECT person_now(w.person_id), split_part(w.period, '/', 1)
                    FROM work_item w WHERE w.kind = 'amount_differs' AND w.state <> 'done'
                ) THEN 'amount_in_doubt'
                ELSE '' END AS why
        FROM payment_item i LEFT JOIN bill b ON b.id = i.bill_id
            JOIN person p ON p.id = person_now(i.person_id)
        WHERE {among}
    ) found
"""
_REOPENED: Final = """
    UPDATE payment_item i SET state = 'due', changed_at = now()
    WHERE i.area BETWEEN {low} AND {high} AND i.state = 'returned' AND (
        i.hospital_id IS NULL AND EXISTS (
            SELECT FROM payee p
            WHERE p.person_id = person_now(i.person_id) AND p.superseded_at IS NULL
                AND NOT EXISTS (
                    SELECT FROM payment_order o WHERE (o.item_id, o.payee_id) = (i.id, p.id)
                )
        ) OR EXISTS (
            SELECT FROM hospital_account a
            WHERE a.hospital_id = i.hospital_id AND a.superseded_at IS NULL AND NOT EXISTS (
                SELECT FROM payment_order o WHERE (o.item_id, o.hospital_account_id) = (i.id, a.id)
            )
        )
    )
"""


class Range(NamedTuple):
    """Twelve-digit codes, both included."""

    low: int
    high: int


def take_turn(session: Session) -> None:
    """Wait until no other process puts payments together; until the transaction ends."""
    be_patient(session)
    session.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))


def be_patient(session: Session) -> None:
    """Let the statements of this transaction take their time: a batch may hold a county's year."""
    for limit in ("statement_timeout", "lock_timeout"):
        session.execute(text(f"SET LOCAL {limit} = '{_MINUTES}min'"))


def collect(session: Session, area: Range) -> int:
    """Bring the items of the area up to what the ledger and the register say now; returns how many
    entries were taken. The temporary table `fresh_grant` tells the items touched.

    Raises `IntegrityError` where another process took the same entries meanwhile.
    """
    named = {
        **area._asdict(), **KINDS, "none": NOT_SETTLED, "given": given_on_bill(session),
        "unpaid": UNPAID, "with_person": WITH_PERSON.format(of="weighed"),
    }  # fmt: skip
    # A settlement that was taken back first: what lowers the grant then lowers what is due of it.
    for statement in (
        _FRESH_ENTRY, _UNSETTLED, *assigned.BACK, _FRESH_GRANT, _NEW_ITEMS, _GROWN_ITEMS
    ):  # fmt: skip
        session.execute(text(statement.format(**named)))
    taken: int = session.execute(text(_ENTRIES)).rowcount  # type: ignore[attr-defined]
    session.execute(text(_UNSETTLED.format(**named)))
    among = "i.area BETWEEN {low} AND {high} AND i.state IN ('due', 'held', 'returned')"
    weighed = _WEIGHED.format(among=among.format(**named), **named)
    session.execute(text(_WEIGH.format(weighed=weighed)))
    session.execute(text(_REOPENED.format(**named)))
    for statement in assigned.APART:
        session.execute(text(statement.format(**named)))
    return taken


def weighed_items(session: Session, among: str) -> str:
    """SQL: `id` and `hold` of the items that `among` (of `i`) chooses, as the
    register and the bills say now."""
    return _WEIGHED.format(among=among, given=given_on_bill(session), none=NOT_SETTLED)


def given_on_bill(session: Session) -> str:
    """SQL: what the bill `b` says that the layer of the item `i` has paid."""
    numbers = Codes.all(session, "layer")
    cases = [f"WHEN {numbers[one]} THEN b.paid_{one}" for one in LAYERS if one in numbers]
    return f"CASE i.layer {' '.join(cases)} ELSE {NOT_SETTLED} END" if cases else str(NOT_SETTLED)
