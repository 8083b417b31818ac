"""What other parts of the program owe people becomes messages, each once."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine

from backend.kernel.database import transaction
from backend.notifications.messages import Owed, owe
from backend.notifications.quiet import earliest, is_quiet, morning
from backend.notifications.taking import take_notices, unknown_kinds
from backend.worklist.notices import Notice, notices_due
from tests.support.recipients import NOON, Recipients

pytestmark = pytest.mark.postgres

DAY = date(2026, 11, 17)


def owe_notices(*notices: Notice) -> None:
    with transaction() as session:
        notices_due(session, notices)


def take(most: int = 1_000) -> int:
    with transaction() as session:
        return take_notices(session, NOON, most)


def test_a_notice_becomes_a_message_once(recipients: Recipients) -> None:
    owe_notices(Notice(7, "grant", "match_run:1", DAY), Notice(8, "exit", "identity:2:x", DAY))
    assert [take(), take()] == [2, 0]
    query = "SELECT person_id, event, cause, day, channel FROM message ORDER BY id"
    assert recipients.rows(query) == [
        (7, "grant", "match_run:1", DAY, "subscribe"),
        (8, "exit", "identity:2:x", DAY, "subscribe"),
    ]


def test_people_who_turned_out_to_be_one_are_told_once(recipients: Recipients) -> None:
    first, second = recipients.person("first"), recipients.person("second")
    recipients.execute(
        "INSERT INTO person_merge (merged_id, revision, person_id, file_id)"
        " VALUES (:first, 1, :second, 1)",
        first=first,
        second=second,
    )
    owe_notices(*(Notice(one, "grant", "match_run:1", DAY) for one in (first, second)))
    assert take() == 2
    assert recipients.rows("SELECT person_id FROM message") == [(second,)]


def test_two_who_take_at_once_take_each_notice_once(
    recipients: Recipients, worker_database: Engine
) -> None:
    owe_notices(*(Notice(one, "grant", "match_run:1", DAY) for one in range(300)))
    taken: list[int] = []

    def some() -> None:
        while count := take(20):
            taken.append(count)

    threads = [threading.Thread(target=some) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(taken) == 300
    assert recipients.rows("SELECT count(*) FROM message") == [(300,)]


def test_a_notice_of_an_unknown_kind_waits_and_is_named(recipients: Recipients) -> None:
    owe_notices(Notice(7, "novelty", "x:1", DAY), Notice(7, "grant", "match_run:1", DAY))
    assert take() == 1
    with transaction() as session:
        assert unknown_kinds(session) == ["novelty"]


def test_a_message_is_owed_exactly_when_its_cause_happened(recipients: Recipients) -> None:
    class Undone(Exception):
        pass

    owed = Owed("grant", 7, "match_run:1")

    def undo() -> None:
        with transaction() as session:
            assert owe(session, owed, NOON)
            raise Undone

    with pytest.raises(Undone):
        undo()
    assert recipients.states() == []
    with transaction() as session:
        assert owe(session, owed, NOON)
        assert not owe(session, owed, NOON)


def test_nights_are_from_nine_to_eight_in_china() -> None:
    at = {hour: datetime(2026, 11, 18, hour, 0, tzinfo=UTC) for hour in (0, 12, 13, 23)}
    assert [is_quiet(at[hour]) for hour in (0, 12, 13, 23)] == [False, False, True, True]
    assert earliest(at[13], urgent=False) == datetime(2026, 11, 19, 0, tzinfo=UTC)
    assert earliest(at[23], urgent=False) == datetime(2026, 11, 19, 0, tzinfo=UTC)
    assert earliest(at[13], urgent=True) == at[13]
    assert earliest(at[12], urgent=False) == at[12]
    assert morning(at[23]) == morning(at[0]) == datetime(2026, 11, 18, 0, tzinfo=UTC)
