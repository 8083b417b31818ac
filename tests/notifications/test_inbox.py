"""The inbox of somebody whose record turned out to be another's."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from backend.accounts.scope import act_as
from backend.kernel.crypto import Keyring
from backend.kernel.database import bound, transaction
from backend.notifications.inbox import InboxAsked, inbox, read_message, unread
from backend.notifications.messages import Owed, owe
from tests.support.accounts import Accounts
from tests.support.merging import two_people
from tests.support.recipients import NOON


def test_messages_from_before_a_merge_stay_in_the_inbox_and_name_the_person_of_now(
    worker_database: Engine,
    app_database: Engine,
    accounts: Accounts,
    keyring: Keyring,
    tmp_path: Path,
) -> None:
    two = two_people(worker_database, tmp_path, keyring)
    token, stranger = accounts.resident_token(two.first), accounts.resident_token()
    with bound(worker_database), transaction() as session:
        owe(session, Owed("grant", two.first, "match_run:1"), NOON)
    two.merge()
    with bound(worker_database), transaction() as session:
        owe(session, Owed("grant", two.second, "match_run:2"), NOON)

    def shown(token: str, read_at: datetime | None = None) -> list[tuple[str, int]]:
        with bound(app_database), transaction() as session:
            actor = act_as(session, token)
            assert actor is not None
            found = inbox(session, actor, InboxAsked(), "normal")
            if read_at is not None:
                for one in found:
                    read_message(session, actor, one.id, read_at)
                assert unread(session, actor) == 0
            return [(one.cause, one.person_id) for one in found]

    both = [("match_run:2", two.second), ("match_run:1", two.second)]
    assert shown(token, NOON) == both
    assert shown(stranger) == []
