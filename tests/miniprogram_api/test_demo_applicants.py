"""The demo's applicants: one in each place, brought once, with what they apply for."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.citizens.id_number import why_not
from backend.kernel.clock import today
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.payments import accounts
from miniprogram_api.demo_applicants import APPLICANTS, applicants, bring
from miniprogram_api.demo_staff import PLACES, TOWNSHIP


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open_or_create(tmp_path / "keys.json")


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_they_are_in_the_register_once_with_their_bills_and_accounts(
    worker_database: Engine, keyring: Keyring, tmp_path: Path
) -> None:
    assert bring(tmp_path / "applicants", keyring)
    assert not bring(tmp_path / "applicants", keyring)
    assert count(worker_database, "person WHERE known") == 4
    assert count(worker_database, "identity") == 2
    assert count(worker_database, "bill") == 2
    assert count(worker_database, "payee") == 4
    assert count(worker_database, "data_reject") == 0
    with transaction() as session:
        known = applicants(session, keyring)
    assert list(known) == ["jiangyin1", "zhangjiagang1", "yueqing1", "tinghu1"]
    assert {user for user, one in known.items() if one.bill} == {"yueqing1", "tinghu1"}


def test_a_start_that_was_killed_goes_on_at_the_next(
    worker_database: Engine, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("miniprogram_api.demo_applicants.take_payees", killed)
        with pytest.raises(KeyboardInterrupt):
            bring(tmp_path / "applicants", keyring)
    assert bring(tmp_path / "applicants", keyring)
    assert count(worker_database, "person WHERE known") == 4
    assert count(worker_database, "bill") == 2


@pytest.mark.parametrize("one", APPLICANTS, ids=lambda one: one.user)
def test_an_applicant_has_numbers_in_order_and_lives_where_the_staff_of_the_place_decide(
    one: object,
) -> None:
    (who,) = [each for each in APPLICANTS if each is one]
    assert why_not(who.number, today()) is None
    assert accounts.why_not(who.account) is None
    assert accounts.luhn(who.account)
    county, _ = PLACES[who.user.removesuffix("1")]
    assert who.village.startswith(county + TOWNSHIP)
    assert who.name.startswith("测试")
