"""One key, one application, however often and at once it is sent, while the site and the database
are killed; and one going application of a thing, whoever sends it how often (trust.md A4).

`SHUKUN_KEYS_SENT`, `SHUKUN_KEY_KILLS`: the long version in the release check.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.drafts import KIND, applicants, drafts
from tests.support.front import Client, Front, front
from tests.support.townsfolk import Townsman

pytestmark = pytest.mark.postgres

KEYS = int(os.environ.get("SHUKUN_KEYS_SENT", "100"))
KILLS = int(os.environ.get("SHUKUN_KEY_KILLS", "2"))
AT_ONCE = 50
SENDERS = 20
Answer = tuple[int, Any]


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(tmp_path_factory.mktemp("front")) as made:
        made.serve()
        yield made


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Sabotaged: the database does not know that anything is to be there once."""
    with front(tmp_path_factory.mktemp("careless")) as made:
        made.change("DROP INDEX uq_application_one_going", "DROP INDEX uq_application_client_key")
        made.serve()
        yield made


def at_once(asks: Sequence[Callable[[], Answer]], senders: int) -> list[Answer]:
    """All of them, so many at a time."""
    with ThreadPoolExecutor(senders) as pool:
        return [one.result() for one in [pool.submit(ask) for ask in asks]]


def sending(counter: Front, path: str, token: str, body: Any = None) -> Callable[[], Answer]:
    """A request of a client of its own, repeated until it is answered."""

    def send() -> Answer:
        client = Client(counter.port)
        try:
            return client.surely(path, token, body)
        finally:
            client.close()

    return send


def repeats(
    counter: Front, who: tuple[Townsman, str], keys: int, chance: random.Random
) -> tuple[list[str], list[Callable[[], Answer]]]:
    """Each key two to twenty times, in any order, those of one key near each other."""
    keys_sent = [
        f"key-{number:08d}" for number in range(keys) for _ in range(chance.randint(2, SENDERS))
    ]
    near = sorted(range(len(keys_sent)), key=lambda place: place + chance.uniform(0, SENDERS))
    keys_sent = [keys_sent[place] for place in near]
    person, token = who
    return keys_sent, [
        sending(
            counter, "/applications", token, {"person": person.id, "kind": KIND, "key": key}
        )
        for key in keys_sent
    ]  # fmt: skip


def killing(counter: Front, kills: int, chance: random.Random, over: threading.Event) -> int:
    """Kill one after the other until all is answered; how many kills those were."""
    struck = 0
    while struck < kills and not over.wait(chance.uniform(0.3, 1.2)):
        (counter.kill_database if struck % 2 == 0 else counter.kill_web)()
        struck += 1
    return struck


def begun(counter: Front, who: Townsman) -> dict[str, int]:
    """How many applications each key has."""
    query = "SELECT client_key FROM application WHERE person_id = :who"
    return dict(Counter(row[0] for row in counter.rows(query, who=who.id)))


def test_a_key_sent_many_times_at_once_through_kills_begins_one_application(
    counter: Front,
) -> None:
    chance = random.Random(13)
    (who,) = applicants(counter, 1)
    sent, asks = repeats(counter, who, KEYS, chance)
    over, answers = threading.Event(), []

    def send() -> None:
        try:
            answers.extend(at_once(asks, SENDERS))
        finally:
            over.set()

    clients = threading.Thread(target=send)
    clients.start()
    struck = killing(counter, KILLS, chance, over)
    clients.join()
    assert struck == KILLS, "all was answered before"
    assert {status for status, _ in answers} == {201}
    told = {(key, said["id"]) for key, (_, said) in zip(sent, answers, strict=True)}
    assert len(told) == len(set(sent)) == KEYS
    assert begun(counter, who[0]) == dict.fromkeys(sent, 1)


def test_a_key_used_for_something_else_is_refused(counter: Front) -> None:
    (person, token), (other, _) = applicants(counter, 2)
    for number in range(20):
        body = {"person": person.id, "kind": KIND, "key": f"used-{number:08d}"}
        first = sending(counter, "/applications", token, body)()
        assert first[0] == 201
        status, said = sending(
            counter, "/applications", token, body | {"kind": "objection"}
        )()  # fmt: skip
        assert (status, said["type"]) == (409, "/problems/application-key-used")
        stranger = sending(counter, "/applications", token, body | {"person": other.id})()
        assert stranger[0] == 404
    assert set(begun(counter, person).values()) == {1}


def test_of_fifty_applications_for_the_same_sent_at_once_one_is_taken(counter: Front) -> None:
    answers = fifty_at_once(counter)
    assert Counter(status for status, _ in answers) == {200: 1, 409: AT_ONCE - 1}
    refused = {said["type"] for status, said in answers if status == 409}
    assert refused == {"/problems/application-already-going"}


def test_without_the_index_of_going_applications_more_than_one_is_taken(careless: Front) -> None:
    """The sabotage control of the test above."""
    answers = fifty_at_once(careless)
    assert sum(status == 200 for status, _ in answers) > 1


def test_without_the_index_of_keys_a_key_begins_more_than_one(careless: Front) -> None:
    """The sabotage control of the first test."""
    (who,) = applicants(careless, 1)
    sent, asks = repeats(careless, who, 5, random.Random(14))
    at_once(asks, SENDERS)
    assert begun(careless, who[0]) != dict.fromkeys(sent, 1)


def fifty_at_once(counter: Front) -> list[Answer]:
    """As many complete drafts for one journey of one person, submitted together."""
    people = applicants(counter, 1)
    ready = drafts(counter, people, AT_ONCE, place="测试市")
    asks = [sending(counter, f"/applications/{one.id}/submission", one.token) for one in ready]
    answers = at_once(asks, AT_ONCE)
    submitted = counter.rows(
        "SELECT count(*) FROM application WHERE state = 'submitted' AND person_id = :who",
        who=people[0][0].id,
    )[0][0]
    assert submitted == sum(status == 200 for status, _ in answers)
    return answers
