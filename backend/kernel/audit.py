"""审计 (audit): who did what to what, written in the transaction of the deed and never changed.

Writers insert plainly; a sealer chains what was written some seconds later (`audit_seal`), so that
nobody waits for anybody. Nothing personal stands here: accounts, ids, codes and counts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol, TypedDict, Unpack

from sqlalchemy import (
    BigInteger,
    DateTime,
    Identity,
    Index,
    Text,
    bindparam,
    func,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.kernel.audit_words import FIELDS, PURPOSES
from backend.kernel.database import Base, engine

READ: Final = "person.read"
"""The deed of looking at a person's file."""
DENIED: Final = "denied"
"""What begins the name of a deed that was refused."""
_READ_PEOPLE: Final = text(
    """
    INSERT INTO audit_event (actor, role, action, subject_kind, subject_id, detail, purpose, area)
    SELECT :actor, :role, :action, 'person', one::text, :detail, :purpose, CAST(:area AS bigint)
    FROM unnest(CAST(:people AS bigint[])) WITH ORDINALITY AS given (one, place) ORDER BY place
    """
).bindparams(bindparam("detail", type_=JSONB))


class Subject(NamedTuple):
    """What a deed was done to: a kind (`policy`) and an id of that kind."""

    kind: str
    id: str


class Who(Protocol):
    """Who does something, or looks at a file: an account, its role, the first of its places."""

    @property
    def label(self) -> str: ...

    @property
    def role(self) -> str | None: ...

    @property
    def area_from(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs a command on the server, by name."""

    label: str
    role: str = "operator"
    area_from: int | None = None


class Circumstances(TypedDict, total=False):
    """What else is known of a deed. `area`: the 12-digit place under which it falls."""

    role: str
    purpose: str
    area: int | None


class AuditEvent(Base):
    """One deed. The database refuses changes and deletions, and sets the id and the moment."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(None, "subject_kind", "subject_id"),
        Index(
            "ix_audit_event_detail_person",
            text("(detail ->> 'person')"),
            postgresql_where=text("detail ? 'person'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    role: Mapped[str] = mapped_column(Text, server_default="")
    purpose: Mapped[str] = mapped_column(Text, server_default="")
    area: Mapped[int | None] = mapped_column(BigInteger)


def person(by: str) -> str:
    """A person's name in one spelling, so that one person is not taken for two. `""`: no name."""
    plain = unicodedata.normalize("NFKC", by)
    seen = (" " if one.isspace() else one for one in plain if unicodedata.category(one) != "Cf")
    return " ".join("".join(seen).split())


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: Subject,
    detail: Mapping[str, Any] | None = None,
    **circumstances: Unpack[Circumstances],
) -> None:
    """Write one event with the caller's transaction. `detail` holds plain JSON values; `person` in
    it: the id of the person whom it concerns, where the subject is something else.

    Optional: `role`, `purpose` (a code of `audit_words.PURPOSES`), `area`.
    """
    said = {
        "actor": actor,
        "action": action,
        "subject_kind": subject.kind,
        "subject_id": subject.id,
        "detail": dict(detail or {}),
    }
    # Nothing is asked back: the site's role may not read events.
    event = insert(AuditEvent.__table__).inline()  # type: ignore[arg-type]
    session.execute(event, said | _checked(circumstances))


def deed(session: Session, actor: Who, action: str, subject: Subject, **detail: Any) -> None:
    """Write down what somebody did, in which role and place, with the caller's transaction."""
    record(
        session, actor=actor.label, action=action, subject=subject, detail=detail,
        role=actor.role or "resident", area=actor.area_from,
    )  # fmt: skip


def of_person(person_id: int) -> Subject:
    """A person of the register."""
    return Subject("person", str(person_id))


def of_account(resident_id: int) -> Subject:
    """A resident's account."""
    return Subject("resident", str(resident_id))


def denied(
    *,
    actor: str,
    action: str,
    subject: Subject,
    detail: Mapping[str, Any] | None = None,
    **circumstances: Unpack[Circumstances],
) -> None:
    """Write down that a deed was refused, in a transaction of its own: it stays when the caller's
    is rolled back. `action`: the deed that was asked for.

    Inside the caller's transaction it takes a second connection; call it afterwards where you can.
    """
    with Session(engine()) as own, own.begin():
        action = f"{DENIED}.{action}"
        record(own, actor=actor, action=action, subject=subject, detail=detail, **circumstances)


def read_person(
    session: Session, actor: Who, person_id: int, purpose: str, fields: Sequence[str]
) -> None:
    """Write down that somebody looks at a person's file, and what for; with the reading itself.

    `purpose`: a code of `audit_words.PURPOSES`; `fields`: codes of `audit_words.FIELDS`. Raises
    `ValueError` for others.
    """
    read_people(session, actor, [person_id], purpose, fields)


def read_people(
    session: Session, actor: Who, people: Iterable[int], purpose: str, fields: Sequence[str]
) -> None:
    """The same of many people at once, as in a list or an export: one event each, once, by one
    statement for all of them.
    """
    if unknown := set(fields) - set(FIELDS):
        raise ValueError(f"no such part of a file: {sorted(unknown)}")
    circumstances = _checked(
        {"role": actor.role or "resident", "purpose": purpose, "area": actor.area_from}
    )
    each = list(dict.fromkeys(people))
    if each:
        said = {"actor": actor.label, "action": READ, "detail": {"fields": sorted(set(fields))}}
        session.execute(_READ_PEOPLE, {"people": each, **said, **circumstances})


def _checked(circumstances: Circumstances) -> dict[str, Any]:
    purpose = circumstances.get("purpose", "")
    if purpose and purpose not in PURPOSES:
        raise ValueError(f"no such purpose: {purpose}")
    return dict(circumstances)
