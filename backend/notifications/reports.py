"""微信的回报 (reports): what WeChat tells of accepts, of refusals, and of what became of a message.

Of a message of which nobody knows whether it went out, WeChat's own report tells it: to one account
goes one message at a time, so the report is that attempt's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from backend.accounts.residents import account_of_openid
from backend.kernel import clock, keys
from backend.notifications.attempts import Result, Tried
from backend.notifications.outcomes import overturn, record
from backend.notifications.quota import Accept, note_accept, note_refused
from backend.wechat.handlers import on_push
from backend.wechat.push import Push

BEFORE: Final = timedelta(minutes=2)
"""How long before WeChat's moment of a report the attempt may have been claimed, and after: clocks
differ."""
AFTER: Final = timedelta(seconds=30)
_ATTEMPT: Final = text(
    """
    SELECT id, message_id, state FROM message_attempt
    WHERE resident_id = :resident AND channel = 'subscribe' AND template_id = :template
        AND (receipt = :receipt OR receipt IS NULL AND state IN ('claimed', 'unknown', 'sent')
            AND claimed_at BETWEEN :first AND :last)
    ORDER BY (receipt IS NULL), (state = 'sent'), claimed_at DESC LIMIT 1
    """
)


@on_push("subscribe_msg_popup_event")
def take_answers(session: Session, push: Push) -> None:
    """The user answered the popup: each accept is one message."""
    resident = _resident(session, push)
    for entry in _entries(push):
        if resident is not None and entry.get("SubscribeStatusString") == "accept":
            template = str(entry.get("TemplateId", ""))
            note_accept(session, Accept(resident, template, "push", push.created_at))


@on_push("subscribe_msg_change_event")
def take_refusals(session: Session, push: Push) -> None:
    """The user refused in the settings of the phone."""
    resident = _resident(session, push)
    for entry in _entries(push):
        if resident is not None and entry.get("SubscribeStatusString") == "reject":
            note_refused(session, resident, str(entry.get("TemplateId", "")), push.created_at)


@on_push("subscribe_msg_sent_event")
def take_results(session: Session, push: Push) -> None:
    """What became of a message."""
    resident = _resident(session, push)
    for entry in _entries(push):
        if resident is not None:
            _take_result(session, push, resident, entry)


def _take_result(session: Session, push: Push, resident: int, entry: Mapping[str, Any]) -> None:
    template, receipt = str(entry.get("TemplateId", "")), str(entry.get("MsgID", ""))
    asked = {
        "resident": resident,
        "template": template,
        "receipt": receipt,
        "first": push.created_at - BEFORE,
        "last": push.created_at + AFTER,
    }
    found = session.execute(_ATTEMPT, asked).first()
    if found is None:
        return
    tried = _tried(found, resident, template)
    code = str(entry.get("ErrorCode", ""))
    if code == "0":
        record(session, [Result(tried, "sent", receipt=receipt)], clock.now())
    else:
        overturn(session, tried, f"wechat-{code}"[:40], clock.now())


def _tried(found: Row[Any], resident: int, template: str) -> Tried:
    return Tried(found.id, found.message_id, "subscribe", resident, template)


def _resident(session: Session, push: Push) -> int | None:
    return account_of_openid(session, keys.keyring(), push.openid)


def _entries(push: Push) -> Sequence[Mapping[str, Any]]:
    listed: Sequence[Mapping[str, Any]] = push.body.get("List", ())
    return listed
