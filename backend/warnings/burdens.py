"""负担 (burdens): what households and people have paid themselves this year, set by set in SQL.

The personal burden of a bill is its total less every payment given on it, less what our ledger
grants on a layer that nobody has settled yet; never below zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.citizens.tables import LAYERS, NOT_SETTLED

INSURANCE_LAYERS: Final = ("basic", "serious_illness")

_GRANTED: Final = """
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(amount_after), 0) AS amount FROM (
            SELECT DISTINCT ON (layer) layer, amount_after FROM grant_entry
            WHERE grant_entry.bill_id = b.id ORDER BY layer, seq DESC
        ) AS entry WHERE {open}
    ) AS granted ON true
"""
_BURDEN: Final = "greatest(b.total - b.paid_out_of_scope - {paid} - granted.amount, 0)"
_OF_YEAR: Final = (
    "b.discharged_on BETWEEN :first AND :until AND b.discharged_on < m.left_on AND b.total > 0"
)
_HOUSEHOLDS: Final = """
    CREATE TEMP TABLE burden_now ON COMMIT DROP AS
    WITH head AS (
        SELECT DISTINCT ON (household_id) household_id, id, area, lives_in FROM person
        WHERE known AND household_id > 0 AND died_on > :as_of AND left_on > :as_of
            AND household_id IN (
                SELECT household_id FROM person WHERE known AND area BETWEEN :low AND :high)
        ORDER BY household_id, id
    )
    SELECT h.household_id AS subject_id, h.household_id, h.id AS person_id, h.area, h.lives_in,
        sum({burden})::bigint AS burden
    FROM head h JOIN person m ON m.household_id = h.household_id AND m.known
        JOIN bill b ON b.person_id = m.id {granted}
    WHERE h.area BETWEEN :low AND :high AND {of_year}
    GROUP BY h.household_id, h.id, h.area, h.lives_in
"""
_WATCHED: Final = """
    CREATE TEMP TABLE burden_now ON COMMIT DROP AS
    WITH m AS (
        SELECT p.id, p.household_id, p.area, p.lives_in, p.left_on, min(w.line) AS line
        FROM person p JOIN identity i ON i.person_id = p.id
            JOIN jsonb_to_recordset(:watched) AS w (category smallint, line bigint)
                ON w.category = i.category
        WHERE p.known AND p.area BETWEEN :low AND :high AND p.died_on > :as_of
            AND p.left_on > :as_of AND :as_of BETWEEN i.from_on AND i.to_on
        GROUP BY p.id
    )
    SELECT m.id AS subject_id, m.household_id, m.id AS person_id, m.area, m.lives_in,
        sum({burden})::bigint AS burden, m.line, -1::bigint AS income, 0 AS income_year
    FROM m JOIN bill b ON b.person_id = m.id {granted}
    WHERE {of_year} AND b.paid_basic <> -1
    GROUP BY m.id, m.household_id, m.area, m.lives_in, m.line
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose burdens: the registered places from `low` to `high`; bills of `year` up to `as_of`."""

    low: int
    high: int
    year: int
    as_of: date

    @property
    def values(self) -> dict[str, object]:
        """As the queries take it."""
        until = min(self.as_of, date(self.year, 12, 31))
        return {
            "low": self.low, "high": self.high, "as_of": self.as_of,
            "first": date(self.year, 1, 1), "until": until,
        }  # fmt: skip


def gather_households(session: Session, scope: Scope) -> None:
    """The temporary table `burden_now`: households with bills, by their first living member.

    A household belongs to the place of that member; every member's bills count, wherever
    registered, up to the day before they moved away. Gone with the transaction.
    """
    _make(session, _HOUSEHOLDS, LAYERS, scope.values)


def gather_watched(session: Session, scope: Scope, lines: dict[str, int]) -> None:
    """The same for people who hold a watched category on the day: what basic and serious-illness
    insurance left. Bills that basic insurance has not settled are left out.

    `lines`: category → fen; of several lines the lowest holds for a person.
    """
    numbers = Codes.all(session, "category")
    watched = [
        {"category": numbers[code], "line": line} for code, line in lines.items() if code in numbers
    ]
    _make(session, _WATCHED, INSURANCE_LAYERS, scope.values | {"watched": watched})


def _make(session: Session, query: str, layers: tuple[str, ...], values: dict[str, object]) -> None:
    paid = " - ".join(f"greatest(b.paid_{layer}, 0)" for layer in layers)
    statement = query.format(
        burden=_BURDEN.format(paid=paid),
        granted=_GRANTED.format(open=_still_open(session, layers)),
        of_year=_OF_YEAR,
    )
    session.execute(text("DROP TABLE IF EXISTS pg_temp.burden_now"))
    made = text(statement)
    if "watched" in values:
        made = made.bindparams(bindparam("watched", type_=JSONB))
    session.execute(made, values)
    session.execute(text("ANALYZE burden_now"))


def _still_open(session: Session, layers: tuple[str, ...]) -> str:
    """The entries of layers that nobody has settled on the bill."""
    numbers = Codes.all(session, "layer")
    cases = [
        f"(layer = {numbers[layer]} AND b.paid_{layer} = {NOT_SETTLED})"
        for layer in layers
        if layer in numbers
    ]
    return " OR ".join(cases) or "false"
