"""登记核对 (register checks): two names on one number, one telephone for too many households."""

from __future__ import annotations

from typing import Final

import polars as pl

from backend.citizens.exchange.chunk import Reject
from backend.citizens.exchange.step import Step
from backend.kernel.audit import Subject
from backend.worklist.items import NewItem, open_items

TWO_NAMES: Final = "同一个身份证号在本文件里有两个不同的姓名：请核对后只留正确的一行，再重新导入"
_SHARED: Final = """
    SELECT min(id), count(DISTINCT household_id), min(area)
    FROM unnest(%b::bytea[], %b::int[]) AS asked (phone_index, place)
        JOIN person USING (phone_index)
    WHERE known AND household_id <> 0 AND phone_index <> ''
    GROUP BY place HAVING count(DISTINCT household_id) > %s
"""


def one_name_each(step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    """Without rows that give a number of the chunk another name than its first row does."""
    first = pl.col("name").first().over("id_number")
    alike = (pl.col("id_number") == "") | (pl.col("name") == first)
    _refuse(step, rows.filter(~alike))
    return rows.filter(alike)


def without_second_names(step: Step, compared: pl.DataFrame) -> pl.DataFrame:
    """Without rows whose number stood in an earlier chunk of the same file, with another name."""
    others = compared.filter(pl.col("known_now") & (pl.col("name") != pl.col("name_now")))
    brought = list(step.brought(others["id"].to_list()))
    same_file = (pl.col("file_id_now") == step.file_id) | pl.col("id").is_in(brought)
    refused = others.filter(same_file)
    _refuse(step, refused)
    return compared.filter(~pl.col("line").is_in(refused["line"].to_list()))


def _refuse(step: Step, rows: pl.DataFrame) -> None:
    step.rejects += [Reject(line, "name", TWO_NAMES) for line in rows["line"]]


def note_new_names(step: Step, compared: pl.DataFrame) -> None:
    """Another name than earlier files gave is taken; somebody looks at it."""
    changed = compared.filter(pl.col("known_now") & (pl.col("name") != pl.col("name_now")))
    reason = "登记的姓名与以前的不同，已按新的登记：请与本人核对。"
    items = [
        NewItem(
            "name_changed", Subject("person", str(id_)), id_, area, reason, period=str(step.file_id)
        )
        for id_, area in changed.select("id", "area").iter_rows()
    ]
    open_items(step.session, items, step.actor)


def note_phones(step: Step, compared: pl.DataFrame) -> None:
    """A telephone that many households share is taken (a village's may be); somebody looks, and
    again when ten times as many do. The lowest person stands for the telephone: indexes change with
    their key."""
    phones = compared.filter(~pl.col("same"))["phone"].unique().to_list()
    asked = [
        (index, place)
        for place, phone in enumerate(phones)
        for index in step.keyring.indexes("phone", phone)
    ]
    indexes, places = [index for index, _ in asked], [place for _, place in asked]
    shared = step.connection.execute(_SHARED, [indexes, places, step.households_per_phone])
    items = [
        NewItem(
            "phone_shared",
            Subject("phone", str(lowest)),
            None,
            area,
            f"有 {households} 户登记了同一个电话：请核对是不是村里共用的，不是的请改正。",
            period=f"{10 ** (len(str(households)) - 1)}",
        )
        for lowest, households, area in shared
    ]
    open_items(step.session, items, step.actor)
