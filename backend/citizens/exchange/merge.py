"""合并 (merge): two people found to be one, by a number and the former one."""

from __future__ import annotations

from typing import Final

import polars as pl

from backend.citizens.exchange import staging
from backend.citizens.exchange.exits import settle_exits
from backend.citizens.exchange.forms import FORMS, Form
from backend.citizens.exchange.step import Step
from backend.citizens.lookup import Found
from backend.citizens.tables import PERSON
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.crypto import Place
from backend.worklist.items import NewItem, open_items

_MOVED: Final = ("identities", "bills", "assignments", "vital")
_NUMBERS: Final = "SELECT number_index, number FROM person_number WHERE person_id = %s"
_KEEP_NUMBERS: Final = (
    "INSERT INTO person_number_history (number_index, person_id, current, number, file_id,"
    " revision, superseded_by) SELECT number_index, person_id, current, number, file_id, revision,"
    " %s FROM person_number WHERE person_id = %s"
)
_MOVE_NUMBER: Final = (
    "UPDATE person_number SET person_id = %s, current = %s, number = %s, file_id = %s,"
    " revision = %s WHERE number_index = %s"
)
_EMPTY: Final = (
    "UPDATE person SET known = false, area = 0, lives_in = 0, household_id = 0, name = '',"
    " phone = '', phone_index = '', file_id = %s, revision = %s WHERE id = %s"
)
_RECORD: Final = (
    "INSERT INTO person_merge (merged_id, revision, person_id, file_id) VALUES (%s, %s, %s, %s)"
)
_WARDS: Final = "SELECT id FROM person WHERE guardian_id = %s"
_MOVE_WARDS: Final = "UPDATE person SET guardian_id = %s, revision = %s WHERE id = ANY(%b)"


def merge_people(step: Step, merged: Found, into: Found, number: str) -> None:
    """Move all rows of one person to another; recorded, audited, and shown to somebody.

    `number`: the one of `merged` that is current from now on; `into` has none that is.
    """
    connection = step.connection
    lost = sum(_move_rows(step, FORMS[kind], merged, into) for kind in _MOVED)
    _move_numbers(step, merged, into, number)
    wards = [row[0] for row in connection.execute(_WARDS, [merged.id])]
    staging.keep(connection, PERSON, [merged.id, *wards], step.revision)
    connection.execute(_MOVE_WARDS, [into.id, step.revision, wards])
    connection.execute(_EMPTY, [step.file_id, step.revision, merged.id])
    connection.execute(_RECORD, [merged.id, step.revision, into.id, step.file_id])
    settle_exits(connection, [into.id], step.revision)
    _tell(step, merged, into, lost)


def _move_rows(step: Step, form: Form, merged: Found, into: Found) -> int:
    """Move rows of one table; of two that exclude each other the later delivered stands. Returns
    how many gave way."""
    moving = staging.fetch(step.connection, form.table, "person_id", [merged.id])
    beside = staging.fetch(step.connection, form.table, "person_id", [into.id])
    stays = _without_clashes(form, pl.concat([moving, beside]).with_columns(person_id=into.id))
    taken = moving.filter(pl.col("id").is_in(stays["id"].to_list()))
    given_up = beside.filter(~pl.col("id").is_in(stays["id"].to_list()))
    gone = [*moving["id"], *given_up["id"]]
    staging.keep(step.connection, form.table, gone, step.revision)
    staging.replace(step.connection, form.table, gone, _resealed(step, form, taken, merged, into))
    return len(gone) - len(taken)


def _without_clashes(form: Form, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, later ones first, each that none before it excludes."""
    latest = rows.sort("revision", "id", descending=True).unique(
        form.key, keep="first", maintain_order=True
    )
    if form.table.name != "identity":
        return latest
    stays: list[dict[str, object]] = []
    for row in latest.iter_rows(named=True):
        if not any(_overlap(row, other) for other in stays):
            stays.append(row)
    return pl.DataFrame(stays, latest.schema)


def _overlap(one: dict[str, object], other: dict[str, object]) -> bool:
    alike = all(one[name] == other[name] for name in ("category", "department", "application_id"))
    return (
        alike
        and str(one["from_on"]) <= str(other["to_on"])
        and str(other["from_on"]) <= str(one["to_on"])
    )


def _resealed(
    step: Step, form: Form, rows: pl.DataFrame, merged: Found, into: Found
) -> pl.DataFrame:
    old = step.keyring.person(merged.id, merged.data_key)
    new = step.keyring.person(into.id, into.data_key)
    for column in form.sealed:
        values = []
        for id_, sealed in rows.select("id", column).iter_rows():
            place = Place(form.table.name, column, id_)
            values.append(new.seal(place, old.open(place, sealed)))
        rows = rows.with_columns(pl.Series(column, values, dtype=pl.Binary))
    return rows.with_columns(person_id=into.id, area=into.area, revision=step.revision)


def _move_numbers(step: Step, merged: Found, into: Found, current: str) -> None:
    connection, indexes = step.connection, step.keyring.indexes("id_number", current)
    old = step.keyring.person(merged.id, merged.data_key)
    new = step.keyring.person(into.id, into.data_key)
    rows = connection.execute(_NUMBERS, [merged.id]).fetchall()
    connection.execute(_KEEP_NUMBERS, [step.revision, merged.id])
    for index, sealed in rows:
        number = old.open(Place("person_number", "number", merged.id), sealed)
        again = new.seal(Place("person_number", "number", into.id), number)
        connection.execute(
            _MOVE_NUMBER,
            [into.id, index in indexes, again, step.file_id, step.revision, index],
        )


def _tell(step: Step, merged: Found, into: Found, lost: int) -> None:
    subject = Subject("person", str(into.id))
    detail = {"merged": merged.id, "file": step.file_id, "rows_given_up": lost}
    audit.record(
        step.session, actor=step.actor, action="person.merge", subject=subject, detail=detail
    )
    reason = "新旧两个身份证号原来各有登记，已按文件合为一人：请核对是不是同一个人。"
    item = NewItem(
        "people_merged", subject, into.id, into.area or merged.area, reason, period=str(merged.id)
    )
    open_items(step.session, [item], step.actor)
