"""读入 (reading): the people of a slice with their identities and bills, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg

from backend.citizens.tables import LAYERS
from backend.kernel.copy import Columns, Kind, read_columns

Ids = npt.NDArray[np.int64]

PEOPLE: Final[Mapping[str, Kind]] = {
    "id": "int8", "area": "int8", "insurance": "int2", "rural": "bool",
    "declined_health_service": "bool", "born_on": "date", "sex": "int2", "died_on": "date",
    "left_on": "date", "revision": "int8",
}  # fmt: skip
IDENTITIES: Final[Mapping[str, Kind]] = {
    "person_id": "int8", "id": "int8", "category": "int2", "from_on": "date", "to_on": "date",
    "applied_on": "date", "taper_until": "date", "origin_area": "int4", "revision": "int8",
}  # fmt: skip
BILLS: Final[Mapping[str, Kind]] = {
    "person_id": "int8", "id": "int8", "setting": "int2", "admitted_on": "date",
    "discharged_on": "date", "total": "int8", "in_scope": "int8", "rare_drug": "int8",
    "paid_out_of_scope": "int8", **{f"paid_{layer}": "int8" for layer in LAYERS},
    "flags": "int2", "disease_group": "int2", "disease_classes": "int4", "revision": "int8",
}  # fmt: skip
CHANGES: Final[Mapping[str, Kind]] = {"person_id": "int8", "on_day": "date", "insurance": "int2"}
FORGOTTEN: Final = -1
_KNOWN: Final = "p.known AND p.area BETWEEN %s AND %s AND p.id BETWEEN %s AND %s"
WHO_IS_FORGOTTEN: Final = (
    "NOT p.known AND (EXISTS (SELECT FROM grant_entry g WHERE g.person_id = p.id"
    " AND g.area BETWEEN %s AND %s) OR EXISTS (SELECT FROM entitlement e"
    " WHERE e.person_id = p.id AND e.area BETWEEN %s AND %s AND e.ended_by_run = 0))"
    " AND NOT EXISTS (SELECT FROM person_merge m WHERE m.merged_id = p.id AND m.undone_at IS NULL)"
)
_VERSIONED: Final = "person p JOIN person_version v ON v.person_id = p.id"
_LOOK: Final = f"""
    SELECT count(*), sha256(coalesce(string_agg(
            int8send(p.id) || int8send(v.data_version), ''::bytea ORDER BY p.id), ''::bytea)),
        coalesce(array_agg(p.id ORDER BY p.id) FILTER (
            WHERE s.data_version IS DISTINCT FROM v.data_version OR s.rules_id <> %s), '{{{{}}}}')
    FROM {_VERSIONED} LEFT JOIN match_state s ON s.person_id = p.id AND s.year = %s WHERE {{who}}
"""
_MERGES: Final[Mapping[str, Kind]] = {"merged_id": "int8", "person_id": "int8"}
_CLASSES: Final[Mapping[str, Kind]] = {"person_id": "int8", "classes": "int4"}


@dataclass(frozen=True, slots=True)
class Slice:
    """Known people of the registered areas `area_from` to `area_to`, by id; both ends included."""

    year: int
    area_from: int
    area_to: int
    person_from: int
    person_to: int

    @property
    def forgotten(self) -> bool:
        """The slice of those whom the register no longer knows, but who were granted something in
        these areas: the file that brought them was taken back."""
        return self.person_from == FORGOTTEN


@dataclass(frozen=True)
class Look:
    """A slice at a glance: how many people, a digest over who they are and the data version that
    last touched each, and who is otherwise than when they were last computed by these rules."""

    people: int
    digest: bytes
    changed: Ids


class Reader:
    """Reads what a slice holds, in the caller's transaction; each answer is ordered by person."""

    def __init__(self, connection: psycopg.Connection[Any], of: Slice) -> None:
        self.connection = connection
        self.slice = of

    def look(self, rules_id: int) -> Look:
        """Who is there and who changed, in one pass of the database."""
        who, values = self._who(None)
        row = self.connection.execute(
            _LOOK.format(who=who), [rules_id, self.slice.year, *values]
        ).fetchone()
        people, digest, changed = row if row is not None else (0, b"", [])
        return Look(int(people), bytes(digest), np.asarray(changed, np.int64))

    def remember(self, among: Ids | None, rules_id: int) -> None:
        """Write down from which data versions and by which rules the people were computed."""
        who, values = self._who(among)
        self.connection.execute(
            "INSERT INTO match_state (person_id, year, data_version, rules_id)"
            f" SELECT p.id, %s, v.data_version, %s FROM {_VERSIONED} WHERE {who}"
            " ON CONFLICT (person_id, year) DO UPDATE"
            " SET data_version = excluded.data_version, rules_id = excluded.rules_id",
            [self.slice.year, rules_id, *values],
        )

    def people(self, among: Ids | None) -> Columns:
        """The people, or those among the ids, with the data version that last touched them."""
        columns = ", ".join(f"p.{name}" for name in PEOPLE)
        return self._read(
            f"SELECT {columns}, v.data_version FROM {_VERSIONED} WHERE {{who}} ORDER BY p.id",
            {**PEOPLE, "data_version": "int8"},
            among,
        )

    def identities(self, among: Ids | None) -> Columns:
        """Their identities, by first day."""
        table = "person p JOIN identity i ON i.person_id = p.id"
        return self._select(table, IDENTITIES, among, "i.person_id, i.from_on, i.id")

    def bills(self, among: Ids | None) -> Columns:
        """Their bills of the year, in the order in which bills are taken."""
        table = "person p JOIN bill b ON b.person_id = p.id AND b.discharged_on BETWEEN %s AND %s"
        order = "b.person_id, b.discharged_on, b.bill_no"
        return self._select(table, BILLS, among, order, self._year())

    def changes_of_insurance(self, among: Ids | None) -> Columns:
        """Changes of insurance, by day."""
        table = "person p JOIN vital_event e ON e.person_id = p.id AND e.event = 'insurance_change'"
        return self._select(table, CHANGES, among, "e.person_id, e.on_day")

    def earlier_disease_classes(self, among: Ids | None) -> Columns:
        """The named groups of diagnoses on their bills of the years before, as bits."""
        return self._read(
            "SELECT b.person_id, bit_or(b.disease_classes) FROM person p"
            " JOIN bill b ON b.person_id = p.id AND b.discharged_on < %s"
            " AND b.disease_classes <> 0 WHERE {who} GROUP BY b.person_id ORDER BY b.person_id",
            _CLASSES,
            among,
            self._year()[:1],
        )

    def merges(self) -> Columns:
        """People found to be others, by id."""
        query = "SELECT DISTINCT ON (merged_id) merged_id, person_id FROM person_merge"
        order = " WHERE undone_at IS NULL ORDER BY merged_id, revision DESC"
        return read_columns(self.connection, query + order, _MERGES)

    def fetch(self, query: str, among: Ids | None, *after: Any) -> list[Any]:
        """Rows of any kind over `person p`, with `{who}` in the place of the condition."""
        who, values = self._who(among)
        return self.connection.execute(query.format(who=who), [*values, *after]).fetchall()

    def read(self, query: str, kinds: Mapping[str, Kind], among: Ids | None = None) -> Columns:
        """Any query over `person p`, with `{who}` in the place of the condition."""
        return self._read(query, kinds, among)

    def _year(self) -> tuple[date, date]:
        return date(self.slice.year, 1, 1), date(self.slice.year, 12, 31)

    def _select(
        self,
        tables: str,
        kinds: Mapping[str, Kind],
        among: Ids | None,
        order: str,
        before: Sequence[Any] = (),
    ) -> Columns:
        """`order` begins with the alias of the table that is read."""
        alias = order.partition(".")[0]
        columns = ", ".join(f"{alias}.{name}" for name in kinds)
        query = f"SELECT {columns} FROM {tables} WHERE {{who}} ORDER BY {order}"
        return self._read(query, kinds, among, before)

    def _read(
        self,
        query: str,
        kinds: Mapping[str, Kind],
        among: Ids | None = None,
        before: Sequence[Any] = (),
    ) -> Columns:
        who, values = self._who(among)
        return read_columns(self.connection, query.format(who=who), kinds, [*before, *values])

    def _who(self, among: Ids | None) -> tuple[str, list[Any]]:
        """The condition on `person p`, and its values."""
        of = self.slice
        who, values = _KNOWN, [of.area_from, of.area_to, of.person_from, of.person_to]
        if of.forgotten:
            who, values = WHO_IS_FORGOTTEN, [of.area_from, of.area_to] * 2
        if among is not None:
            who += " AND p.id = ANY(%s)"
            values = [*values, among.tolist()]
        return who, values
