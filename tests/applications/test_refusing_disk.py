"""The disk refuses to keep the commit of a submission: nobody is told that it was taken
(trust.md A2).

Wants `strace` (`apt-get install strace`). `SHUKUN_DISK_REFUSALS`: the long version in the release
check, which fails where `strace` is missing.
"""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.support.drafts import applicants, drafts
from tests.support.front import Client, Draft, Front, front
from tests.support.refusing_disk import can_refuse, refusing

REFUSALS = int(os.environ.get("SHUKUN_DISK_REFUSALS", "3"))
MOST_BEFORE = 4
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(
        "SHUKUN_DISK_REFUSALS" not in os.environ and not can_refuse(),
        reason="strace is missing, or may not trace here",
    ),
]


@pytest.fixture
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(tmp_path_factory.mktemp("front")) as made:
        made.change("ALTER SYSTEM SET autovacuum = off")
        yield made


@dataclass
class Told:
    """`acked`: told that they were taken; `falsely`: told so although the disk refused."""

    acked: list[int] = field(default_factory=list)
    falsely: list[int] = field(default_factory=list)
    refusals: int = 0


def submit_until_refused(counter: Front, waiting: deque[Draft], which: int, told: Told) -> None:
    """One after the other on fresh connections, until a flush of the log has failed."""
    site = counter.site
    counter.recover()
    client = Client(counter.port)
    with refusing(site.server.host.cluster, site.folder / "strace", which) as disk:
        while not disk.refused():
            draft = waiting[0]
            status, _ = client.post(f"/applications/{draft.id}/submission", draft.token)
            if status == 200:
                told.acked.append(waiting.popleft().id)
                if disk.refused():
                    told.falsely.append(draft.id)
    told.refusals += 1
    client.close()


def refused(counter: Front, times: int) -> Told:
    """What was told while the disk refused so often."""
    chance, told = random.Random(15), Told()
    people = applicants(counter, 4)
    waiting = deque(drafts(counter, people, times * MOST_BEFORE))
    for _ in range(times):
        submit_until_refused(counter, waiting, chance.randint(1, MOST_BEFORE), told)
    counter.recover()
    return told


def test_what_the_disk_refused_is_not_acknowledged(counter: Front) -> None:
    counter.serve()
    told = refused(counter, REFUSALS)
    assert told.refusals == REFUSALS
    assert told.falsely == []
    fate = counter.fate(told.acked)
    assert (fate.lost, fate.torn) == ([], [])


def test_a_site_that_acknowledges_whatever_happens_is_seen(counter: Front) -> None:
    """The sabotage control."""
    counter.serve("tests.support.heedless_site:application()")
    assert refused(counter, 1).falsely != []
