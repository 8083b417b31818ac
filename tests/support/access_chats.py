"""Conversations for the access matrix: one in each list, one that lies in none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

VILLAGE: Final = 320281_101_001
LISTS: Final[Mapping[str, tuple[str, int]]] = {
    "village's list": ("village_coordinator", VILLAGE),
    "township's list": ("township_reviewer", 320281_101_000),
    "next township's list": ("township_reviewer", 320281_102_000),
    "county's list": ("county_officer", 320281_000_000),
    "next county's list": ("county_officer", 320282_000_000),
    "city's list": ("city_officer", 320200_000_000),
}
SEEN: Final = {
    "village_coordinator": frozenset({"village's list"}),
    "township_reviewer": frozenset({"township's list"}),
    "county_officer": frozenset({"county's list"}),
    "city_officer": frozenset({"city's list"}),
}
"""Role → whose conversations it reads: those of its own list, not those of the levels below."""
_NEW: Final = text(
    "INSERT INTO conversation (id, openid, openid_index)"
    " VALUES (nextval('row_id'), '', CAST(:index AS bytea)) RETURNING id"
)
_ITEM: Final = text(
    "INSERT INTO work_item (kind, subject_kind, subject_id, area, role, list_area, reason, due_on,"
    " due_provisional, opened_by) VALUES ('chat_handover', 'chat', :id, :area, :role, :list_area,"
    " '客服对话转来', '2030-01-01', false, '测试')"
)


def conversations(engine: Engine) -> dict[str, int]:
    """Relation → id."""
    ids: dict[str, int] = {}
    with Session(engine) as session, session.begin():
        for place, (role, list_area) in LISTS.items():
            ids[place] = _conversation(session, place)
            area = list_area + (role != "village_coordinator")
            values = {"id": str(ids[place]), "area": area, "role": role, "list_area": list_area}
            session.execute(_ITEM, values)
        ids["no list"] = _conversation(session, "no list")
    return ids


def _conversation(session: Session, name: str) -> int:
    return int(session.execute(_NEW, {"index": name.encode()}).scalar_one())
