"""What is revoked ends at the next request, on every worker of a real website."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine

from backend.kernel.crypto import Keyring
from tests.support.accounts import Accounts
from tests.support.web import APPLICATION, Web, ask, website

TRIALS: Final = int(os.environ.get("SHUKUN_REVOCATIONS", "50"))
"""The release check sets 1,000."""
WORKERS: Final = 4
RUNS: Final = "/api/v1/runs"
REVOKING: Final = (
    "UPDATE duty SET revoked_at = now() WHERE id = :duty",
    "UPDATE staff SET state = 'disabled' WHERE id = (SELECT staff_id FROM duty WHERE id = :duty)",
    "UPDATE account_session SET ended_at = now() WHERE duty_id = :duty",
    "UPDATE duty SET role = 'family_doctor' WHERE id = :duty",
    "UPDATE account_session SET last_seen_at = now() - interval '16 min' WHERE duty_id = :duty",
)
"""In turn: the duty, the account, the session; another role; time goes by."""


def still_let_in(web: Web, accounts: Accounts, trials: int) -> list[str]:
    """Where somebody was let in after the revocation, or not before it."""
    wrong = []
    with web.one_of_each() as connections:
        assert len(connections) == WORKERS
        for trial in range(trials):
            revoke = REVOKING[trial % len(REVOKING)]
            duty = accounts.duty(accounts.staff(), "county_officer", "320281")
            token = accounts.sign_in(duty)
            before = [ask(one, RUNS, token) for one in connections.values()]
            accounts.change(revoke, duty=duty)
            after = [ask(one, RUNS, token) for one in connections.values()]
            if set(before) != {200} or not set(after) <= {401, 403}:
                wrong.append(f"{revoke}: {before} {after}")
    return wrong


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    Keyring.open_or_create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


@pytest.mark.usefixtures("database")
def test_nobody_is_let_in_after_the_revocation_by_any_worker(
    database_url: str, keys: Path, accounts: Accounts
) -> None:
    with website(database_url, keys, WORKERS, APPLICATION) as web:
        assert still_let_in(web, accounts, TRIALS) == []


@pytest.mark.usefixtures("database")
def test_a_worker_that_remembers_whom_it_let_in_is_found(
    database_url: str, keys: Path, accounts: Accounts, database: Engine
) -> None:
    """The control: nothing of a session may be kept in a process."""
    forgetful = "tests.support.forgetful_site:application()"
    with website(database_url, keys, WORKERS, forgetful) as web:
        wrong = still_let_in(web, accounts, len(REVOKING))
    assert wrong
