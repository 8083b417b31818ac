"""Bills named by applications that are nobody's: granted, as far as matching is concerned."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from sqlalchemy import Engine, text

SPECIAL = "special_assistance"


def claimed(bill_no: str) -> bool:
    """Every other bill, whoever asks."""
    return zlib.crc32(bill_no.encode()) % 2 == 0


def claim_half(owner: Engine, layer: str = SPECIAL) -> int:
    """Claim every other bill of the register that nobody claims; how many."""
    with owner.connect() as connection:
        known = connection.execute(
            text("SELECT id, bill_no FROM bill WHERE id NOT IN (SELECT bill_id FROM bill_claim)")
        ).all()
    wanted = [row.id for row in known if claimed(row.bill_no)]
    claim(owner, wanted, layer)
    return len(wanted)


def claim(owner: Engine, bills: Sequence[int], layer: str = SPECIAL) -> None:
    """Claim the bills, as though applications for them had been granted."""
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                "INSERT INTO bill_claim (application_id, bill_id, layer, person_id)"
                " SELECT 0, b.id, number_of_layer(:layer), b.person_id FROM bill b"
                " WHERE b.id = ANY (:bills)"
            ),
            {"bills": list(bills), "layer": layer},
        )
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE bill_claim SET state = 'granted', granted_version = nextval('data_version')"
                " WHERE bill_id = ANY (:bills) AND state = 'claimed'"
            ),
            {"bills": list(bills)},
        )


def release(owner: Engine, bills: Sequence[int]) -> None:
    """Take the claims back."""
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE bill_claim SET state = 'released', released_version = nextval('data_version')"
                " WHERE bill_id = ANY (:bills) AND state = 'granted'"
            ),
            {"bills": list(bills)},
        )
