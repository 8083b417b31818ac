"""权益转让的支付 (assigned): what a hospital advanced against an assigned claim is paid to it.

Tinghu 三(二)3. Of what is due on the grant (bill and layer) that a granted case claims, so much as
the county recorded as advanced is an item of the hospital's (`claim_assignment`, a table of the
applications, whose package stands above); the rest stays the person's. What the ledger brings later
meets the person's item alone, so what waits for the hospital goes back to it before.
"""

from __future__ import annotations

from typing import Final

_WAITING: Final = """
    h.hospital_id IS NOT NULL AND h.state IN ('due', 'held', 'returned')
        AND EXISTS (SELECT FROM fresh_entry f WHERE (f.bill_id, f.layer) = (h.bill_id, h.layer)
            AND person_now(f.person_id) = person_now(h.person_id))
"""
BACK: Final = (
    f"""
    WITH back AS (
        SELECT h.id, p.id AS own_id, h.amount FROM payment_item h
            JOIN payment_item p ON (p.bill_id, p.layer) = (h.bill_id, h.layer)
                AND person_now(p.person_id) = person_now(h.person_id)
                AND p.hospital_id IS NULL AND p.state IN ('due', 'held', 'returned')
        WHERE {_WAITING}
    ), given AS (
        UPDATE payment_item h SET amount = 0, assigned = h.assigned - back.amount,
            state = 'netted', hold = '', changed_at = now()
        FROM back WHERE h.id = back.id
    )
    UPDATE payment_item p SET amount = p.amount + back.amount,
        assigned = p.assigned + back.amount, changed_at = now()
    FROM back WHERE p.id = back.own_id
    """,
    f"UPDATE payment_item h SET hospital_id = NULL, changed_at = now() WHERE {_WAITING}",
)
"""SQL: what waits for a hospital is the person's again, where the ledger says something new of it
for that person; after `fresh_entry` was made."""
APART: Final = (
    """
    CREATE TEMP TABLE to_hospital ON COMMIT DROP AS
    SELECT i.id, i.amount, a.hospital_id, least(i.amount, a.advanced - (
        SELECT coalesce(sum(h.amount), 0)::bigint FROM payment_item h
        WHERE (h.bill_id, h.layer) = (i.bill_id, i.layer) AND h.hospital_id IS NOT NULL
            AND h.state IN ('due', 'held', 'returned', 'ordered', 'paid')
    )) AS share
    FROM payment_item i
        JOIN claim_assignment a ON a.bill_id = i.bill_id AND a.advanced IS NOT NULL
        JOIN bill_claim c ON c.application_id = a.application_id AND c.state = 'granted'
            AND (c.bill_id, c.layer) = (i.bill_id, i.layer)
            AND person_now(c.person_id) = person_now(i.person_id)
    WHERE i.area BETWEEN {low} AND {high} AND i.state = 'due' AND i.hospital_id IS NULL
        AND NOT EXISTS (
            SELECT FROM payment_item h WHERE (h.bill_id, h.layer) = (i.bill_id, i.layer)
                AND h.hospital_id IS NOT NULL AND h.state IN ('due', 'held', 'returned', 'ordered')
        )
    """,
    """
    UPDATE payment_item i SET hospital_id = t.hospital_id, changed_at = now()
    FROM to_hospital t WHERE i.id = t.id AND t.share = t.amount
    """,
    """
    UPDATE payment_item i SET amount = i.amount - t.share, assigned = i.assigned - t.share,
        changed_at = now()
    FROM to_hospital t WHERE i.id = t.id AND t.share > 0 AND t.share < t.amount
    """,
    """
    INSERT INTO payment_item
        (bill_id, layer, person_id, area, year, amount, assigned, state, hospital_id, cleared)
    SELECT i.bill_id, i.layer, i.person_id, i.area, i.year, t.share, t.share, 'due', t.hospital_id,
        i.cleared
    FROM to_hospital t JOIN payment_item i ON i.id = t.id
    WHERE t.share > 0 AND t.share < t.amount ORDER BY i.id
    """,
)
"""SQL: of what is due in the range, what is the hospital's becomes an item of the hospital's."""
