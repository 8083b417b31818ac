"""拟写的行 (drafts): rows of a file as rows of their table, people and places as their ids.

A draft has the columns of its table but `id`, `file_id`, `revision`, and `line`; what will be
sealed is still plain text in it, so a draft is never written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from backend.citizens.codes import Codes
from backend.citizens.diagnoses import classes_of
from backend.citizens.exchange import named
from backend.citizens.exchange.staging import FOREVER, NEVER
from backend.citizens.exchange.step import Step
from backend.citizens.lookup import Found
from backend.citizens.tables import FLAGS, INSURANCE, LAYERS


@dataclass(frozen=True)
class Draft:
    """`keys`: the wrapped key of every person in the rows."""

    rows: pl.DataFrame
    keys: Mapping[int, bytes]


def draft(step: Step, kind: str, rows: pl.DataFrame) -> Draft:
    """The rows of a chunk as rows of their table, in the order of the file."""
    if "id_number" not in rows.columns:
        return Draft(_DRAFTS[kind](step, rows), {})
    people = named.people(step, rows["id_number"])
    rows = _DRAFTS[kind](step, rows.with_columns(_person(people, "id"), _person(people, "area")))
    keys = {one.id: one.data_key for one in people.values()}
    unknown = [number for number, one in people.items() if not one.known]
    step.tally.waiting += rows.filter(pl.col("id_number").is_in(unknown)).height
    return Draft(rows.drop("id_number"), keys)


def _person(people: Mapping[str, Found], what: str) -> pl.Expr:
    name = "person_id" if what == "id" else what
    values = {number: getattr(found, what) for number, found in people.items()}
    return _mapped("id_number", values).alias(name)


def _mapped(column: str, values: Mapping[str, int]) -> pl.Expr:
    return pl.col(column).replace_strict(list(values), list(values.values()), return_dtype=pl.Int64)


def _numbered(step: Step, rows: pl.DataFrame, column: str) -> pl.Expr:
    """A column of codes as their numbers."""
    return _mapped(column, Codes.numbers(step.session, column, rows[column].unique()))


def day(column: str, empty: str = FOREVER) -> pl.Expr:
    """A column of days as text."""
    return pl.col(column).cast(pl.String).fill_null(empty)


def _identities(step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "line", "id_number", "person_id", "area",
        _numbered(step, rows, "category"),
        _numbered(step, rows, "department"),
        day("from").alias("from_on"),
        day("to").alias("to_on"),
        day("applied_on", NEVER),
        day("taper_until", NEVER),
        pl.lit(step.origin_area, pl.Int64).alias("origin_area"),
        pl.lit(0, pl.Int64).alias("application_id"),
        pl.col("certificate_no").alias("certificate"),
    )  # fmt: skip


def _assignments(_step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "line", "id_number", "person_id", "area", "role", "staff_no",
        day("from").alias("from_on"),
        day("to").alias("to_on"),
    )  # fmt: skip


def _vital(_step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    places = {code: place for place, code in enumerate(INSURANCE)} | {"": 0}
    return rows.select(
        "line", "id_number", "person_id", "area", "event", "detail",
        day("on").alias("on_day"),
        _mapped("insurance", places),
    )  # fmt: skip


def _households(step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    households = named.households(step, rows["household_no"])
    step.tally.money += int(rows["disposable_income"].sum())
    return rows.select(
        "line",
        _mapped("household_no", households).alias("household_id"),
        pl.col("year").cast(pl.Int64),
        "disposable_income",
    )


def _hospitals(_step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "line",
        pl.col("hospital_code").alias("code"),
        "name",
        pl.col("tier").cast(pl.Int64),
        pl.col("area_code").alias("area"),
        "designated",
        pl.lit(True).alias("registered"),
    )


def _bills(step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    hospitals = named.hospitals(step, rows["hospital_code"])
    classes = {one: classes_of(one) for one in rows["diagnosis"].unique()}
    step.tally.money += int(rows["total"].sum())
    return rows.select(
        "line", "id_number", "bill_no", "person_id", "area",
        _mapped("hospital_code", hospitals).alias("hospital_id"),
        _numbered(step, rows, "setting"),
        day("admitted_on"),
        day("discharged_on"),
        "total", "in_scope", "rare_drug", "paid_out_of_scope",
        *(f"paid_{layer}" for layer in LAYERS),
        pl.sum_horizontal(pl.col(flag).cast(pl.Int64) * 2**bit for bit, flag in enumerate(FLAGS))
        .alias("flags"),
        _numbered(step, rows, "disease_group"),
        _mapped("diagnosis", classes).alias("disease_classes"),
        "diagnosis",
    )  # fmt: skip


_DRAFTS: Final[Mapping[str, Callable[[Step, pl.DataFrame], pl.DataFrame]]] = {
    "identities": _identities,
    "households": _households,
    "assignments": _assignments,
    "hospitals": _hospitals,
    "vital": _vital,
    "bills": _bills,
}
