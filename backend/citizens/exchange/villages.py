"""村（社区）代码 (villages): places that files name and nobody registered yet."""

from __future__ import annotations

import polars as pl

from backend.citizens.exchange.staging import copy_in
from backend.citizens.exchange.step import Step


def note_villages(step: Step, areas: pl.Series) -> None:
    """Take the places that are new, and note how many a file brought."""
    query = "SELECT code FROM area_unit WHERE code = ANY(%b)"
    wanted = [one for one in areas.unique(maintain_order=True) if one]
    known = {row[0] for row in step.connection.execute(query, [wanted])}
    new = [one for one in wanted if one not in known]
    rows = pl.DataFrame({"code": pl.Series(new, dtype=pl.Int64)}).with_columns(
        name=pl.lit(""), file_id=pl.lit(step.file_id, pl.Int64)
    )
    copy_in(step.connection, "area_unit", rows)
