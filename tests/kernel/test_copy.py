"""Rows as columns: what comes back is what was sent, whatever the values."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from sqlalchemy import Engine, text

from backend.kernel.copy import (
    FAR_FUTURE,
    FAR_PAST,
    Kind,
    raw,
    read_columns,
    write_columns,
)
from backend.kernel.database import transaction

KINDS: dict[str, Kind] = {
    "a": "int8", "b": "int4", "c": "int2", "d": "bool", "e": "date",
}  # fmt: skip


def test_columns_come_back_as_they_were_written(database: Engine) -> None:
    today = date(2024, 2, 29).toordinal()
    columns = {
        "a": np.array([-(2**63), 0, 2**63 - 1]),
        "b": np.array([-(2**31), 0, 2**31 - 1], np.int32),
        "c": np.array([-(2**15), 0, 2**15 - 1], np.int16),
        "d": np.array([True, False, True]),
        "e": np.array([FAR_PAST, today, FAR_FUTURE], np.int32),
    }
    with transaction() as session:
        session.execute(
            text(
                "CREATE TEMP TABLE sent (a bigint, b integer, c smallint, d boolean, e date)"
                " ON COMMIT DROP"
            )
        )
        assert write_columns(raw(session), "sent", KINDS, columns) == 3
        found = read_columns(raw(session), "SELECT * FROM sent ORDER BY a", KINDS)
        day = session.execute(text("SELECT e FROM sent WHERE a = 0")).scalar_one()
    assert day == date(2024, 2, 29)
    for name, column in columns.items():
        np.testing.assert_array_equal(found[name], column)


def test_a_null_is_refused_and_not_read_as_a_number(database: Engine) -> None:
    query = "SELECT * FROM (VALUES (1::bigint), (NULL)) AS one (a)"
    with transaction() as session, pytest.raises(ValueError, match="fixed width"):
        read_columns(raw(session), query, {"a": "int8"})
