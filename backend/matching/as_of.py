"""当时所知 (as of): a person's data as they stood at a data version, from the current tables and
the history beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import psycopg

from backend.kernel.copy import Columns, Kind, read_columns
from backend.matching.on_application import claimed_as_of
from backend.matching.reading import BILLS, CHANGES, IDENTITIES, PEOPLE
from backend.matching.slice_data import SliceData

_TABLES: Final[Mapping[str, str]] = {"person": "id"}


def person_as_of(
    connection: psycopg.Connection[Any], person_id: int, year: int, version: int
) -> SliceData:
    """What was known of the person and their bills of the year at the data version."""
    reading = _Reading(connection, person_id, version)
    people = reading.rows("person", PEOPLE, "id")
    days = [date(year, 1, 1), date(year, 12, 31)]
    return SliceData(
        county=f"{int(people['area'][0]) // 1_000_000:06d}",
        people=people,
        identities=reading.rows("identity", IDENTITIES, "from_on, id"),
        bills=reading.rows(
            "bill", BILLS, "discharged_on, bill_no", "discharged_on BETWEEN %s AND %s", days
        ),
        changes=reading.rows("vital_event", CHANGES, "on_day", "event = 'insurance_change'"),
        claimed=claimed_as_of(connection, person_id, version),
    )


class _Reading:
    def __init__(self, connection: psycopg.Connection[Any], person_id: int, version: int) -> None:
        self.connection, self.person_id, self.version = connection, person_id, version

    def rows(
        self,
        table: str,
        kinds: Mapping[str, Kind],
        order: str,
        condition: str = "true",
        values: list[Any] | None = None,
    ) -> Columns:
        """The rows of the person that held at the version."""
        owner = _TABLES.get(table, "person_id")
        all_names = ", ".join(dict.fromkeys([*kinds, *order.split(", ")]))
        known = f"{owner} = %s AND revision <= %s AND {condition}"
        query = (
            f"SELECT {', '.join(kinds)} FROM ("
            f"SELECT {all_names} FROM {table} WHERE {known} UNION ALL"
            f" SELECT {all_names} FROM {table}_history WHERE {known} AND superseded_by > %s"
            f") AS held ORDER BY {order}"
        )
        one = [self.person_id, self.version, *(values or [])]
        return read_columns(self.connection, query, kinds, [*one, *one, self.version])
