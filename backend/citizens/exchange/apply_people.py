"""参保人落库 (apply people): the register's rows; people are known by number, new or former."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from backend.citizens.exchange import named, staging
from backend.citizens.exchange.apply_rows import NOW, count_repeats
from backend.citizens.exchange.drafts import day
from backend.citizens.exchange.exits import settle_exits
from backend.citizens.exchange.named import stamped
from backend.citizens.exchange.numbers import Keyed, find_everybody, keep_formers, keyed_rows
from backend.citizens.exchange.register_checks import (
    note_new_names,
    note_phones,
    one_name_each,
    without_second_names,
)
from backend.citizens.exchange.step import Step
from backend.citizens.exchange.villages import note_villages
from backend.citizens.tables import INSURANCE, PERSON
from backend.kernel.crypto import Place

_SAID: Final = (
    "area", "lives_in", "household_id", "insurance", "rural", "declined_health_service",
    "born_on", "sex", "guardian_id",
)  # fmt: skip
_SEALED: Final = ("name", "phone")
_UPDATED: Final = ("known", *_SAID, *_SEALED, "phone_index", "file_id", "revision")
_OF_PERSON: Final = ("identity", "bill", "assignment", "vital_event")
"""Tables whose `area` is the person's."""


def apply_people(step: Step, rows: pl.DataFrame) -> None:
    """Take the rows of a chunk of `people`."""
    keyed = keyed_rows(one_name_each(step, rows))
    last = keyed.rows.unique("key", keep="last", maintain_order=True)
    count_repeats(step, len(keyed.rows) - len(last))
    drafts = _drafted(step, Keyed(last, keyed.formers))
    current = staging.fetch(step.connection, PERSON, "id", drafts["id"].to_list())
    compared = without_second_names(step, _compared(step, drafts, current))
    note_new_names(step, compared)
    _write(step, compared)
    keep_formers(step, keyed.formers, drafts)
    note_phones(step, compared)
    note_villages(step, last["area_code"])


def _drafted(step: Step, keyed: Keyed) -> pl.DataFrame:
    """Rows of `person`, name and phone in plain, with `line`, `key`, and `data_key` (new: null)."""
    everybody = find_everybody(step, keyed)
    households = named.households(step, keyed.rows["household_no"])
    people = everybody.found
    ids = {key: people[key].id for key in keyed.rows["key"]}
    guardians = {"": 0} | {one: people[one].id for one in keyed.rows["guardian_id_number"] if one}
    return keyed.rows.select(
        "line", "key", "name", "phone", "rural", "declined_health_service",
        _mapped("key", ids).alias("id"),
        pl.col("key").is_in(list(everybody.new)).alias("new"),
        pl.Series("data_key", [people[key].data_key for key in ids], dtype=pl.Binary),
        pl.lit(True).alias("known"),
        pl.col("registered_area_code").alias("area"),
        pl.col("area_code").alias("lives_in"),
        _mapped("household_no", households).alias("household_id"),
        _mapped("insurance", {code: place for place, code in enumerate(INSURANCE)}),
        day("born_on"),
        pl.col("sex").cast(pl.Int64),
        _mapped("guardian_id_number", guardians).alias("guardian_id"),
    )  # fmt: skip


def _mapped(column: str, values: dict[str, int]) -> pl.Expr:
    return pl.col(column).replace_strict(list(values), list(values.values()), return_dtype=pl.Int64)


def _compared(step: Step, drafts: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """With what stands as `…_now`, name and phone opened; `same`: nothing differs."""
    beside = current.select(
        "id", *(pl.col(one).name.suffix(NOW) for one in ("known", "file_id", *_SAID, *_SEALED))
    )
    joined = drafts.join(beside, on="id", how="left", maintain_order="left")
    for column in _SEALED:
        told = joined.select("id", "data_key", f"{column}{NOW}").iter_rows()
        opened = [
            step.keyring.person(id_, key).open(Place("person", column, id_), sealed)
            if sealed
            else ""
            for id_, key, sealed in told
        ]
        joined = joined.with_columns(pl.Series(f"{column}{NOW}", opened, dtype=pl.String))
    alike = pl.all_horizontal(pl.col(one) == pl.col(f"{one}{NOW}") for one in (*_SAID, *_SEALED))
    return joined.with_columns(
        pl.col(f"known{NOW}").fill_null(False),
        (alike.fill_null(False) & pl.col(f"known{NOW}").fill_null(False)).alias("same"),
    )


def _write(step: Step, compared: pl.DataFrame) -> None:
    step.confirmed += compared.filter("same")["id"].to_list()
    coming = _sealed(step, compared.filter(~pl.col("same")))
    new, changed = coming.filter("new"), coming.filter(~pl.col("new"))
    named.add_people(step, new.select("id", "known", *_SAID, *_SEALED, "phone_index", "data_key"))
    named.add_numbers(step, {key: (id_, wrapped) for key, id_, wrapped in _owners(new)})
    _update(step, stamped(step, changed))
    added = coming.filter(~pl.col(f"known{NOW}")).height
    step.tally.unchanged += len(compared) - len(coming)
    step.tally.added += added
    step.tally.changed += len(coming) - added


def _owners(rows: pl.DataFrame) -> Sequence[tuple[str, int, bytes]]:
    return list(rows.select("key", "id", "data_key").iter_rows())


def _sealed(step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    names, phones = [], []
    for id_, key, name, phone in rows.select("id", "data_key", "name", "phone").iter_rows():
        cipher = step.keyring.person(id_, key)
        names.append(cipher.seal(Place("person", "name", id_), name))
        phones.append(cipher.seal(Place("person", "phone", id_), phone))
    indexes = [step.keyring.index("phone", phone) for phone in rows["phone"]]
    return rows.with_columns(
        pl.Series("name", names, dtype=pl.Binary),
        pl.Series("phone", phones, dtype=pl.Binary),
        pl.Series("phone_index", indexes, dtype=pl.Binary),
    )


def _update(step: Step, rows: pl.DataFrame) -> None:
    """Put the rows in the place of what was known of these people."""
    if rows.is_empty():
        return
    connection, ids = step.connection, rows["id"].to_list()
    staging.keep(connection, PERSON, ids, step.revision)
    connection.execute(
        "CREATE TEMP TABLE staged_person ON COMMIT DROP AS"
        f" SELECT id, {', '.join(_UPDATED)} FROM person WITH NO DATA"
    )
    staging.copy_in(connection, "staged_person", rows.select("id", *_UPDATED))
    connection.execute("ANALYZE staged_person")
    sets = ", ".join(f"{one} = s.{one}" for one in _UPDATED)
    connection.execute(f"UPDATE person p SET {sets} FROM staged_person s WHERE p.id = s.id")
    moved = rows.filter(pl.col("area") != pl.col(f"area{NOW}"))["id"].to_list()
    take_areas(step, moved)
    settle_exits(connection, moved, step.revision)


def take_areas(step: Step, people: Sequence[int]) -> None:
    """Give the rows of these people the area in which the people are registered."""
    for table in _OF_PERSON if people else ():
        step.connection.execute(
            f"UPDATE {table} t SET area = p.area FROM person p"
            " WHERE p.id = t.person_id AND p.id = ANY(%b) AND t.area <> p.area",
            [list(people)],
        )
