"""落库 (apply rows): rows of a chunk beside what is known: new, changed, or the same again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from backend.citizens.exchange import overlaps, staging
from backend.citizens.exchange.chunk import Reject
from backend.citizens.exchange.drafts import Draft, draft
from backend.citizens.exchange.exits import settle_exits
from backend.citizens.exchange.forms import FORMS, Form
from backend.citizens.exchange.named import stamped
from backend.citizens.exchange.step import Step
from backend.citizens.exchange.villages import note_villages
from backend.kernel.crypto import Place

NOW: Final = "_now"
REPEATED: Final = "同一文件里有重复的行，以后面的一行为准"


def apply_rows(step: Step, kind: str, rows: pl.DataFrame, *, at_end: bool = False) -> None:
    """Take the rows of a chunk of any kind but `people`; `at_end`: rows that waited for the end of
    the file."""
    form, made = FORMS[kind], draft(step, kind, rows)
    owners = made.rows[form.owner].unique().to_list()
    current = staging.fetch(step.connection, form.table, form.owner, owners)
    told = made.rows
    if kind == "identities":
        told = _apart(step, _with_origins(step, told, current), current, at_end=at_end)
    last = told.unique(form.key, keep="last", maintain_order=True)
    count_repeats(step, len(told) - len(last))
    _write(step, form, Draft(last, made.keys), current)
    if kind == "vital":
        settle_exits(step.connection, last["person_id"].unique().to_list(), step.revision)
    if kind == "hospitals":
        note_villages(step, last["area"])


def _with_origins(step: Step, rows: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """A file that does not say which area it comes from leaves what an earlier one said."""
    if step.origin_area:
        return rows
    said = current.select(*FORMS["identities"].key, origin_now="origin_area")
    joined = rows.join(said, on=FORMS["identities"].key, how="left", maintain_order="left")
    return joined.with_columns(origin_area=pl.coalesce("origin_now", "origin_area")).drop(
        "origin_now"
    )


def _apart(step: Step, rows: pl.DataFrame, current: pl.DataFrame, *, at_end: bool) -> pl.DataFrame:
    """Without the rows whose days are taken."""
    lines = overlaps.refused_lines(rows, current, at_end=at_end)
    step.rejects += [Reject(line, "from", overlaps.REASON) for line in sorted(lines)]
    return rows.filter(~pl.col("line").is_in(list(lines)))


def count_repeats(step: Step, repeats: int) -> None:
    """Rows that a later row of the chunk replaced."""
    if repeats:
        step.tally.unchanged += repeats
        step.notes.add(REPEATED)


def _write(step: Step, form: Form, made: Draft, current: pl.DataFrame) -> None:
    compared = compare(form, made.rows, current)
    same = _same(step, form, compared, made)
    step.confirmed += compared.filter(same)["id"].to_list()
    coming = compared.filter(~same)
    changed = coming.filter(pl.col("id").is_not_null())["id"].to_list()
    coming = _with_ids(step, form, coming)
    staging.keep(step.connection, form.table, changed, step.revision)
    staging.replace(step.connection, form.table, changed, _sealed(step, form, coming, made))
    new = len(coming) - len(changed)
    if "registered" in coming.columns:  # named by bills before
        new += coming.filter(~pl.col(f"registered{NOW}")).height
    step.tally.unchanged += int(same.sum())
    step.tally.added += new
    step.tally.changed += len(coming) - new


def compare(form: Form, rows: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """The rows with `id` and, as `…_now`, what stands; `alike`: no plain column differs."""
    beside = current.select(
        *form.key, "id", *(pl.col(one).name.suffix(NOW) for one in (*form.said, *form.sealed))
    )
    alike = pl.all_horizontal(pl.col(one) == pl.col(f"{one}{NOW}") for one in form.said)
    joined = rows.join(beside, on=form.key, how="left", maintain_order="left")
    return joined.with_columns(alike.fill_null(False).alias("alike"))


def _same(step: Step, form: Form, compared: pl.DataFrame, made: Draft) -> pl.Series:
    """Whether a row is just what stands: what is sealed is opened only where all else is alike."""
    same = compared["alike"].to_list()
    for column in form.sealed:
        told = compared.select("id", "person_id", column, f"{column}{NOW}").rows()
        for place, (id_, person, plain, sealed) in enumerate(told):
            if same[place]:
                cipher = step.keyring.person(person, made.keys[person])
                same[place] = cipher.open(Place(form.table.name, column, id_), sealed) == plain
    return pl.Series(same, dtype=pl.Boolean)


def _with_ids(step: Step, form: Form, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with an `id` each. A bill that was undone gets its own again: grants know it."""
    if form.table.name == "bill":
        missing = rows.filter(pl.col("id").is_null())["bill_no"].to_list()
        rows = rows.with_columns(
            pl.coalesce(
                "id",
                pl.col("bill_no").replace_strict(
                    _former(step, missing), default=None, return_dtype=pl.Int64
                ),
            )
        )
    without = rows["id"].is_null()
    ids = rows["id"].to_numpy(writable=True)
    ids[without.to_numpy()] = staging.new_ids(step.connection, int(without.sum()))
    return rows.with_columns(pl.Series("id", ids, dtype=pl.Int64))


def _former(step: Step, bill_nos: Sequence[str]) -> dict[str, int]:
    query = "SELECT DISTINCT bill_no, id FROM bill_history WHERE bill_no = ANY(%b)"
    return dict(step.connection.execute(query, [bill_nos]).fetchall())


def _sealed(step: Step, form: Form, rows: pl.DataFrame, made: Draft) -> pl.DataFrame:
    """The rows as their table holds them."""
    for column in form.sealed:
        sealed = [
            step.keyring.person(person, made.keys[person]).seal(
                Place(form.table.name, column, id_), plain
            )
            if plain
            else b""
            for id_, person, plain in rows.select("id", "person_id", column).iter_rows()
        ]
        rows = rows.with_columns(pl.Series(column, sealed, dtype=pl.Binary))
    return stamped(step, rows).select(one.name for one in form.table.columns)
