"""Keys that are taken before their row is written come from one place, and fit everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.kernel.database import transaction
from backend.kernel.row_ids import LARGEST_ID, next_id, next_ids
from backend.kernel.settings import PROJECT

CODE = {
    str(path.relative_to(PROJECT)): path.read_text(encoding="utf-8")
    for name in ("backend", "miniprogram_api")
    for path in Path(PROJECT / name).rglob("*.py")
}
HERE = "backend/kernel/row_ids.py"


@pytest.mark.postgres
def test_no_key_is_given_twice(database: Engine) -> None:
    with transaction() as session:
        given = [next_id(session), *next_ids(session, 3), next_id(session)]
        assert next_ids(session, 0) == []
    assert sorted(set(given)) == given
    assert given[-1] < LARGEST_ID


@pytest.mark.parametrize("what", [r"nextval\('row_id'\)", r"(?m)^LARGEST_ID\b"])
def test_the_sequence_and_the_largest_key_are_named_once(what: str) -> None:
    assert [name for name, source in CODE.items() if re.search(what, source)] == [HERE]
