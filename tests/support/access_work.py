"""Work items for the access matrix: one in the list of each role, about the person of the relation,
and one in a list of nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.worklist.tables import LEVELS

LISTS: Final[Mapping[str, tuple[str, int]]] = {
    "own village": ("village_coordinator", 320281_101_001),
    "next village": ("township_reviewer", 320281_101_002),
    "next township": ("county_officer", 320281_102_001),
    "next county": ("city_officer", 320282_101_001),
    "next province": ("village_coordinator", 330382_101_001),
}
"""Relation of the person → in whose list, about which place."""
SEEN: Final = {
    "village_coordinator": frozenset({"own village"}),
    "township_reviewer": frozenset({"next village"}),
    "county_officer": frozenset({"next township"}),
    "city_officer": frozenset({"next county"}),
}
"""Role → the items of its own list, not those of the levels below."""
_ITEM: Final = text(
    "INSERT INTO work_item (kind, subject_kind, subject_id, person_id, area, role, list_area,"
    " reason, due_on, due_provisional, opened_by) VALUES ('tell_person', 'message',"
    " CAST(:person AS text), :person, :area, :role, :list_area, '请当面告诉本人。', '2030-01-01', false, '测试')"
    " RETURNING id"
)


def items(engine: Engine, people: Mapping[str, int]) -> dict[str, int]:
    """Relation → id."""
    ids: dict[str, int] = {}
    with Session(engine) as session, session.begin():
        # Numbers that stand nowhere else on a page.
        session.execute(text("ALTER TABLE work_item ALTER id RESTART WITH 7001"))
        for relation, (role, area) in LISTS.items():
            values = {"person": people[relation], "area": area, "role": role}
            values["list_area"] = area - area % LEVELS[role]
            ids[relation] = int(session.execute(_ITEM, values).scalar_one())
    return ids
