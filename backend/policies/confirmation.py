"""日期确认 (confirmation): the days of force that a document leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    Text,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.kernel import audit
from backend.kernel.database import Base
from backend.kernel.errors import DomainError, Fault
from backend.policies.book import PolicyBook
from backend.policies.policy import DatesReversed, Policy


class DatesNotConfirmable(DomainError):
    """The document states other days of force, or the catalogue has no figures for these."""

    code: ClassVar[str] = "dates-not-confirmable"


class PolicyConfirmation(Base):
    """One confirmation, both days included; the newest of a policy counts. Never changed."""

    __tablename__ = "policy_confirmation"
    __table_args__ = (
        CheckConstraint("in_force_to >= in_force_from", name="days_in_order"),
        Index(None, "policy_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    policy_id: Mapped[str] = mapped_column(Text)
    in_force_from: Mapped[date]
    in_force_to: Mapped[date | None]
    confirmed_by: Mapped[str] = mapped_column(Text)
    confirmed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
    note: Mapped[str] = mapped_column(Text, server_default="")


@dataclass(frozen=True, slots=True)
class ConfirmDates:
    """确认施行期: both days included; `to` None: no end known."""

    policy_id: str
    from_: date
    to: date | None
    confirmed_by: str
    note: str = ""


def confirm_dates(session: Session, book: PolicyBook, command: ConfirmDates) -> None:
    """Set the days of force of a policy that does not state them, with an audit event.

    `book` as the catalogue says, confirmed or not. Raises `UnknownPolicy`, `DatesNotConfirmable`,
    `DatesReversed`.
    """
    _check(book.policy(command.policy_id), command)
    before = confirmed_dates(session).get(command.policy_id)
    session.add(
        PolicyConfirmation(
            policy_id=command.policy_id,
            in_force_from=command.from_,
            in_force_to=command.to,
            confirmed_by=command.confirmed_by,
            note=command.note,
        )
    )
    audit.record(
        session,
        actor=command.confirmed_by,
        action="policy.confirm_dates",
        subject=audit.Subject("policy", command.policy_id),
        detail={"before": _plain(before), "after": _plain((command.from_, command.to))},
    )


def confirmed_dates(session: Session) -> Mapping[str, tuple[date, date | None]]:
    """Policy id → the days that were confirmed last."""
    newest = (
        select(PolicyConfirmation)
        .ext(distinct_on(PolicyConfirmation.policy_id))
        .order_by(PolicyConfirmation.policy_id, PolicyConfirmation.id.desc())
    )
    return {row.policy_id: (row.in_force_from, row.in_force_to) for row in session.scalars(newest)}


def _check(policy: Policy, command: ConfirmDates) -> None:
    if command.to is not None and command.to < command.from_:
        detail = f"终止日期 {command.to} 早于施行日期 {command.from_}，请核对后重新填写。"
        raise DatesReversed(Fault("/to", detail))
    stated, kind = policy.document.in_force, policy.document.validity.dates
    if kind == "unconfirmed":
        return
    if kind == "stated" and stated.to is not None:
        detail = f"该政策的施行期已写明（{stated.from_} 至 {stated.to}），不需要确认。"
        raise DatesNotConfirmable(Fault("/policy", detail))
    if kind == "stated" and stated.from_ != command.from_:
        detail = f"文件写明自 {stated.from_} 起施行：请用这个日期，只确认终止日期。"
        raise DatesNotConfirmable(Fault("/from", detail))
    _check_figures(policy, command.from_)


def _check_figures(policy: Policy, from_: date) -> None:
    """An estimate needs, on every day of force, the figures that the policy begins with."""
    begins = replace(policy, confirmed=None).first_day
    missing = [
        parameter.shape.name
        for parameter in policy.parameters.values()
        if begins is not None and parameter.on(begins) and not parameter.on(from_)
    ]
    if missing:
        detail = f"{from_} 还没有这些数值：{'、'.join(missing)}。请先在 parameters.yaml 补上，"
        raise DatesNotConfirmable(Fault("/from", f"{detail}或者从 {begins} 起确认。"))


def _plain(days: tuple[date, date | None] | None) -> dict[str, str | None] | None:
    if days is None:
        return None
    return {"from": days[0].isoformat(), "to": days[1].isoformat() if days[1] else None}
