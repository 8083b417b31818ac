"""People, identities and bills put straight into the tables, as an import would leave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.citizens.codes import Codes
from backend.citizens.tables import (
    BILL,
    FLAGS,
    INSURANCE,
    LAYERS,
    NOT_SETTLED,
    PERSON,
    VITAL_EVENT,
)
from backend.kernel.database import Base
from backend.kernel.money import parse_yuan

NEVER: Final = "infinity"
JIANGYIN: Final = 320281_101_001
YUEQING: Final = 330382_101_001
ZHANGJIAGANG: Final = 320582_101_001


@dataclass
class Register:
    """Each call is a file of its own: a new data version. Days as ISO text, money as yuan text."""

    engine: Engine
    ids: dict[str, int] = field(default_factory=dict)

    def person(self, name: str, area: int = JIANGYIN, **more: Any) -> int:
        """A person known by `name` in the test."""
        with Session(self.engine) as session, session.begin():
            revision = self._revision(session)
            self.ids[name] = own = self._id(session)
            values: dict[str, Any] = {
                "id": own, "known": True, "area": area, "lives_in": area, "household_id": 0,
                "insurance": INSURANCE.index(more.pop("insurance", "resident")),
                "rural": False, "declined_health_service": False, "born_on": date(1960, 5, 1),
                "sex": 1, "name": b"", "phone": b"", "phone_index": b"", "data_key": b"",
                "file_id": revision, "revision": revision,
            }  # fmt: skip
            session.execute(PERSON.insert().values(values | more))
        return own

    def identity(
        self, name: str, category: str, from_: str | date, to: str | date = NEVER, **more: Any
    ) -> int:
        """An identity of the person."""
        with Session(self.engine) as session, session.begin():
            revision, own = self._revision(session), self._id(session)
            session.execute(
                text(
                    "INSERT INTO identity (id, person_id, area, category, department, from_on,"
                    " to_on, applied_on, taper_until, origin_area, certificate, file_id, revision)"
                    " SELECT :id, id, area, :category, :department, CAST(:from AS date),"
                    " CAST(:to AS date), CAST(:applied AS date), CAST(:taper AS date), :origin, '',"
                    " :revision, :revision"
                    " FROM person WHERE id = :person"
                ),
                {
                    "id": own, "person": self.ids[name], "from": from_, "to": to,
                    "category": Codes.numbers(session, "category", [category])[category],
                    "department": self._department(session, more.get("department")),
                    "applied": more.get("applied_on", "-infinity"),
                    "taper": more.get("taper_until", "-infinity"),
                    "origin": more.get("origin_area", 0), "revision": revision,
                },
            )  # fmt: skip
        return own

    def bill(self, name: str, bill_no: str, discharged: str, total: str, **more: Any) -> int:
        """A bill of the person; a bill of that number is replaced, the old version kept."""
        with Session(self.engine) as session, session.begin():
            revision = self._revision(session)
            own = self._superseded("bill", "bill_no", bill_no, revision, session)
            values = {
                "id": own or self._id(session), "bill_no": bill_no, "person_id": self.ids[name],
                "area": self._area(session, name), "hospital_id": 1,
                "admitted_on": date.fromisoformat(more.get("admitted", discharged)),
                "discharged_on": date.fromisoformat(discharged), "total": parse_yuan(total),
                "in_scope": parse_yuan(more.get("in_scope", total)),
                "rare_drug": parse_yuan(more.get("rare_drug", "0.00")), "paid_out_of_scope": 0,
                "disease_classes": more.get("disease_classes", 0), "diagnosis": b"",
                "file_id": revision, "revision": revision,
                **_paid(more.get("paid", {})),
                "flags": _flags(more.get("flags", ("designated",))),
                **_coded(session, more),
            }  # fmt: skip
            session.execute(BILL.insert().values(values))
        return int(values["id"])

    def forget_bill(self, bill_no: str) -> None:
        """As when the file that brought it is undone."""
        with Session(self.engine) as session, session.begin():
            self._superseded("bill", "bill_no", bill_no, self._revision(session), session)

    def end_identity(self, identity: int, to: str) -> None:
        """A correction: the identity ended on a day."""
        self.change_identity(identity, to_on=to)

    def change_identity(self, identity: int, **days: str | date) -> None:
        """A correction of the identity's days, by column."""
        with Session(self.engine) as session, session.begin():
            revision = self._revision(session)
            self._keep("identity", identity, revision, session)
            said = ", ".join(f"{column} = CAST(:{column} AS date)" for column in days)
            session.execute(
                text(f"UPDATE identity SET {said}, revision = :revision WHERE id = :id"),
                {**days, "revision": revision, "id": identity},
            )

    def change_person(self, name: str, **values: Any) -> None:
        """A correction of the person's own row."""
        with Session(self.engine) as session, session.begin():
            revision = self._revision(session)
            self._keep("person", self.ids[name], revision, session)
            done = PERSON.update().where(PERSON.c.id == self.ids[name])
            session.execute(done.values(revision=revision, **values))

    def merge(self, name: str, into: str) -> None:
        """Two people found to be one: what is the one's moves to the other."""
        ids = {"merged": self.ids[name], "stays": self.ids[into]}
        with Session(self.engine) as session, session.begin():
            for table in ("bill", "identity"):
                moved = f"UPDATE {table} SET person_id = :stays WHERE person_id = :merged"
                session.execute(text(moved), ids)
            session.execute(text("UPDATE person SET known = false WHERE id = :merged"), ids)
            session.execute(
                text(
                    "INSERT INTO person_merge (merged_id, revision, person_id, file_id)"
                    " VALUES (:merged, nextval('data_version'), :stays, 1)"
                ),
                ids,
            )

    def insurance_change(self, name: str, on: str, status: str) -> None:
        """A change of insurance."""
        with Session(self.engine) as session, session.begin():
            revision = self._revision(session)
            values = {
                "id": self._id(session), "person_id": self.ids[name],
                "area": self._area(session, name), "event": "insurance_change",
                "on_day": date.fromisoformat(on), "insurance": INSURANCE.index(status),
                "detail": b"", "file_id": revision, "revision": revision,
            }  # fmt: skip
            session.execute(VITAL_EVENT.insert().values(values))

    @staticmethod
    def _department(session: Session, code: str | None) -> int:
        return Codes.numbers(session, "department", [code])[code] if code else 1

    def _superseded(
        self, table: str, key: str, value: str, revision: int, session: Session
    ) -> int | None:
        found = session.execute(
            text(f"SELECT id FROM {table} WHERE {key} = :value"), {"value": value}
        ).scalar()
        if found is not None:
            self._keep(table, found, revision, session)
            session.execute(text(f"DELETE FROM {table} WHERE id = :id"), {"id": found})
        return found

    @staticmethod
    def _keep(table: str, row: int, revision: int, session: Session) -> None:
        names = ", ".join(one.name for one in Base.metadata.tables[table].columns)
        session.execute(
            text(
                f"INSERT INTO {table}_history ({names}, superseded_by)"
                f" SELECT {names}, :revision FROM {table} WHERE id = :id"
            ),
            {"revision": revision, "id": row},
        )

    def _area(self, session: Session, name: str) -> int:
        query = text("SELECT area FROM person WHERE id = :id")
        return int(session.execute(query, {"id": self.ids[name]}).scalar_one())

    @staticmethod
    def _id(session: Session) -> int:
        return int(session.execute(text("SELECT nextval('row_id')")).scalar_one())

    @staticmethod
    def _revision(session: Session) -> int:
        return int(session.execute(text("SELECT nextval('data_version')")).scalar_one())


def _paid(paid: Mapping[str, str]) -> dict[str, int]:
    return {
        f"paid_{layer}": parse_yuan(paid[layer]) if layer in paid else NOT_SETTLED
        for layer in LAYERS
    }


def _flags(flags: tuple[str, ...]) -> int:
    return sum(1 << FLAGS.index(flag) for flag in flags)


def _coded(session: Session, more: Mapping[str, Any]) -> dict[str, int]:
    words = {"setting": more.get("setting", "inpatient"), "disease_group": "general"}
    return {kind: Codes.numbers(session, kind, [code])[code] for kind, code in words.items()}
