"""读入 (reading): the people of a slice with their identities and bills, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psycopg

from backend.citizens.tables import LAYERS
from backend.kernel.copy import Columns, Kind, read_columns
from backend.matching.marks import UNSEEN, unseen

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
    " WHERE e.person_id = p.id AND e.area BETWEEN %s AND %s AND e.ended_by_run = 0"
    " AND e.application_id = 0))"
    " AND NOT EXISTS (SELECT FROM person_merge m WHERE m.merged_id = p.id AND m.undone_at IS NULL)"
)


def rows_of(owner: str, table: str, alias: str) -> str:
    """SQL: joins the rows of a table whose person is `owner`, found one person after another.

    For tables that grow under a run: their statistics say they are small, and the planner would go
    through all their rows for every slice, or for every person (`OFFSET 0` leaves it no choice).
    """
    rows = f"SELECT * FROM {table} WHERE {table}.person_id = {owner} OFFSET 0"
    return f"JOIN LATERAL ({rows}) {alias}"


_VERSIONED: Final = "{people} JOIN person_version v ON v.person_id = p.id"
_OF_PEOPLE: Final = ", ".join(f"p.{name}" for name in PEOPLE)
_CHANGED: Final = (
    f"SELECT {_OF_PEOPLE}, v.data_version FROM {_VERSIONED} AND {UNSEEN}"
    " WHERE {who} ORDER BY p.id"
)
_CHANGED_IN_RANGE: Final = (
    f"SELECT {_OF_PEOPLE}, v.data_version FROM (SELECT * FROM person_version"
    f" WHERE person_id BETWEEN %s AND %s AND {UNSEEN} OFFSET 0) v"
    " JOIN LATERAL (SELECT * FROM person WHERE person.id = v.person_id OFFSET 0) p ON true"
    " WHERE {who} ORDER BY p.id"
)
_DENSE: Final = 4
"""Of fewer numbers than so many for each person, the whole range is read: it lies together."""
_CURRENT: Final[Mapping[str, Kind]] = {**PEOPLE, "data_version": "int8"}
_MERGES: Final[Mapping[str, Kind]] = {"merged_id": "int8", "person_id": "int8"}
_CLASSES: Final[Mapping[str, Kind]] = {"person_id": "int8", "classes": "int4"}


@dataclass(frozen=True, slots=True)
class Slice:
    """Known people of the registered areas `area_from` to `area_to`, by id; both ends included.

    `people`: how many they were when the area was cut.
    """

    year: int
    area_from: int
    area_to: int
    person_from: int
    person_to: int
    people: int

    @property
    def forgotten(self) -> bool:
        """The slice of those whom the register no longer knows, but who were granted something in
        these areas: the file that brought them was taken back."""
        return self.person_from == FORGOTTEN


class Reader:
    """Reads what a slice holds, in the caller's transaction; each answer is ordered by person."""

    def __init__(self, connection: psycopg.Connection[Any], of: Slice) -> None:
        self.connection = connection
        self.slice = of

    def changed(self, seen: str) -> Columns:
        """Those changed by what a run of that moment did not see (`marks.py`), as `people`."""
        of, query, before = self.slice, _CHANGED, unseen(seen)
        if not of.forgotten and of.person_to - of.person_from < _DENSE * of.people:
            query, before = _CHANGED_IN_RANGE, [of.person_from, of.person_to, *before]
        return self._read(query, _CURRENT, None, before)

    def people(self, among: Ids | None) -> Columns:
        """The people, or those among the ids, with the data version that last touched them."""
        own = "p" if among is None else "own"
        table = _VERSIONED if among is None else f"{_VERSIONED} JOIN person own ON own.id = p.id"
        columns = ", ".join(f"{own}.{name}" for name in PEOPLE)
        return self._read(
            f"SELECT {columns}, v.data_version FROM {table} WHERE {{who}} ORDER BY p.id",
            _CURRENT,
            among,
        )

    def identities(self, among: Ids | None) -> Columns:
        """Their identities, by first day."""
        table = "{people} JOIN identity i ON i.person_id = p.id"
        return self._select(table, IDENTITIES, among, "i.person_id, i.from_on, i.id")

    def bills(self, among: Ids | None) -> Columns:
        """Their bills of the year, in the order in which bills are taken."""
        table = "{people} JOIN bill b ON b.person_id = p.id AND b.discharged_on BETWEEN %s AND %s"
        order = "b.person_id, b.discharged_on, b.bill_no"
        return self._select(table, BILLS, among, order, self._year())

    def changes_of_insurance(self, among: Ids | None) -> Columns:
        """Changes of insurance, by day."""
        table = "{people} JOIN vital_event e ON e.person_id = p.id AND e.event = 'insurance_change'"
        return self._select(table, CHANGES, among, "e.person_id, e.on_day")

    def earlier_disease_classes(self, among: Ids | None) -> Columns:
        """The named groups of diagnoses on their bills of the years before, as bits."""
        return self._read(
            "SELECT b.person_id, bit_or(b.disease_classes) FROM {people}"
            " JOIN bill b ON b.person_id = p.id AND b.discharged_on < %s"
            " AND b.disease_classes <> 0 WHERE {who} GROUP BY b.person_id ORDER BY b.person_id",
            _CLASSES,
            among,
            self._year()[:1],
        )

    def also_merged(self, own: str, merged: str) -> tuple[str, ...]:
        """The query of people, and that of those merged into them where anybody ever was."""
        return (own, merged) if len(self.merges["merged_id"]) else (own,)

    @cached_property
    def merges(self) -> Columns:
        """People found to be others, by id."""
        query = "SELECT DISTINCT ON (merged_id) merged_id, person_id FROM person_merge"
        order = " WHERE undone_at IS NULL ORDER BY merged_id, revision DESC"
        return read_columns(self.connection, query + order, _MERGES)

    @cached_property
    def any_moved(self) -> bool:
        """Whether a bill of anybody turned out to be another person's."""
        row = self.connection.execute("SELECT EXISTS (SELECT FROM bill_moved)").fetchone()
        return row is not None and bool(row[0])

    def fetch(self, query: str, among: Ids | None, *after: Any) -> list[Any]:
        """Rows of any kind; see `read`."""
        filled, values = self._filled(query, among)
        return self.connection.execute(filled, [*values, *after]).fetchall()

    def read(self, query: str, kinds: Mapping[str, Kind], among: Ids | None = None) -> Columns:
        """Any query, with `{people}` for the people (`p.id`) and `{who}` for the condition."""
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
        filled, values = self._filled(query, among)
        return read_columns(self.connection, filled, kinds, [*before, *values])

    def _filled(self, query: str, among: Ids | None) -> tuple[str, list[Any]]:
        """The query over the whole slice, or over those among the ids, who are known to be of it;
        and the values of its condition."""
        of = self.slice
        if among is not None:
            ids = ",".join(map(str, among.tolist()))
            return query.format(people=f"unnest('{{{ids}}}'::bigint[]) AS p (id)", who="true"), []
        who, values = _KNOWN, [of.area_from, of.area_to, of.person_from, of.person_to]
        if of.forgotten:
            who, values = WHO_IS_FORGOTTEN, [of.area_from, of.area_to] * 2
        return query.format(people="person p", who=who), values
