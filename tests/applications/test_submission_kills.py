"""Applications submitted over HTTP while gunicorn and the database are killed whole: what was
acknowledged is there, once, with its step, its audit, its clock and the message owed (trust.md A1).

`SHUKUN_SUBMISSIONS`, `SHUKUN_SUBMISSION_KILLS`: the long version in the release check.
"""

from __future__ import annotations

import os
import random
import time
from collections import deque
from collections.abc import Iterator

import pytest

from tests.support.drafts import applicants, drafts
from tests.support.front import Front, Submitting, front
from tests.support.kill_site import until

pytestmark = pytest.mark.postgres

SUBMISSIONS = int(os.environ.get("SHUKUN_SUBMISSIONS", "200"))
KILLS = int(os.environ.get("SHUKUN_SUBMISSION_KILLS", "4"))
PEOPLE = 20
CARELESS = (
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET wal_writer_delay = '10s'",
    "ALTER SYSTEM SET wal_writer_flush_after = '1GB'",
    "SELECT pg_reload_conf()",
)
CAREFUL = ("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")


@pytest.fixture
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(tmp_path_factory.mktemp("front")) as made:
        yield made


def submitting(counter: Front, number: int) -> Submitting:
    """Clients, begun, with so many drafts before them."""
    people = applicants(counter, PEOPLE)
    ready = drafts(counter, people, number // PEOPLE)
    random.Random(11).shuffle(ready)
    return Submitting(counter, deque(ready))


def test_what_was_acknowledged_is_there_once_through_kills_of_the_site_and_the_database(
    counter: Front,
) -> None:
    chance = random.Random(12)
    clients = submitting(counter, SUBMISSIONS)
    counter.serve()
    with clients:
        for number in range(KILLS):
            wanted = SUBMISSIONS * (number + 1) // (KILLS + 2)
            until(lambda: len(clients.acked) >= wanted)  # noqa: B023  (called here and now)
            time.sleep(chance.uniform(0, 0.3))
            assert clients.drafts, "nothing was under way"
            (counter.kill_database if number % 2 else counter.kill_web)()
    assert clients.otherwise == []
    assert len(clients.acked) == SUBMISSIONS
    fate = counter.fate(clients.acked)
    assert (fate.submitted, fate.lost, fate.torn) == (SUBMISSIONS, [], [])


def test_where_a_commit_does_not_wait_for_the_disk_acknowledged_applications_are_lost(
    counter: Front,
) -> None:
    """The sabotage control of the test above."""
    clients = submitting(counter, 40)
    counter.change("CHECKPOINT", *CARELESS)
    counter.serve()
    with clients:
        pass
    assert len(clients.acked) == 40
    assert counter.fate(clients.acked).lost == []
    counter.kill_database()
    assert counter.fate(clients.acked).lost != []


def test_a_submission_whose_message_is_not_owed_is_seen(counter: Front) -> None:
    """The sabotage control of the comparison."""
    clients = submitting(counter, PEOPLE)
    counter.serve()
    with clients:
        pass
    counter.change("DELETE FROM notice_due WHERE id = (SELECT min(id) FROM notice_due)")
    assert counter.fate(clients.acked).torn == ["message owed"]
