"""/api/v1/audit: what happened, for auditors."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, jsonify
from sqlalchemy.orm import Session

from backend.accounts.scope import Actor
from backend.kernel import audit
from backend.kernel.audit import Subject
from backend.kernel.audit_list import events
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.accounts.audit_schemas import (
    AUDIT_EVENTS,
    AUDIT_QUERY,
    Page,
    present_events,
)
from miniprogram_api.openapi import Blueprint

audits = Blueprint("audits", __name__, title="审计（审计员）")


@audits.route(
    "/audit",
    summary="谁对什么做了什么，新的在前",
    description="任职的地方的，和不属于任何地方的。没有姓名、证件号码。查看本身也记下来。",
)
@access("staff", roles=("auditor",))
@audits.arguments(AUDIT_QUERY, location="query")
@audits.response(200, AUDIT_EVENTS, description="审计记录")
def show_audit(page: Page) -> Response:
    """A page of it."""
    with acting_transaction() as session:
        found = events(session, page.asked, page.most)
        _note(session, actor(), page)
    return jsonify(AUDIT_EVENTS.dump(present_events(found, page.most)))


def _note(session: Session, who: Actor, page: Page) -> None:
    asked = {name: str(value) for name, value in asdict(page.asked).items() if value is not None}
    audit.record(
        session, actor=who.label, action="audit.shown", subject=Subject("audit", "events"),
        detail={"asked": asked}, role=who.role or "", area=who.area_from,
    )  # fmt: skip
