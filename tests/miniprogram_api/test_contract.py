"""Schemathesis against the whole OpenAPI document, in process, with every check.

A body that keeps to the document may still be refused with 422: that the payments of a bill do not
exceed its total, or that a discharge follows the admission, cannot be said in JSON Schema.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Final

import hypothesis
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis import Case
from sqlalchemy import Engine

from backend.accounts.login import log_in
from backend.accounts.scope import act_as
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.settings import PROJECT, Settings
from backend.kernel.settings_wechat import SIMULATOR_SECRET, WeChatSettings
from miniprogram_api.access import declared
from miniprogram_api.accounts import resident_routes, signing_in
from miniprogram_api.app import create_app
from miniprogram_api.progress import routes as progress_routes
from miniprogram_api.public_notices import routes as notice_routes
from tests.miniprogram_api import trial
from tests.miniprogram_api.conftest import Log
from tests.support.accounts import Accounts
from tests.support.phones import bind_phone
from tests.support.register import Register
from tests.support.townsfolk import Townsfolk
from tests.support.wechat import APPID, Simulator

EXAMPLES: Final = int(os.environ.get("SHUKUN_CONTRACT_EXAMPLES", "6"))
"""Drawn for each operation, beside the cases that its description gives by itself (some 15). The
release check sets more."""

REFUSED: Final = ["400", "401", "403", "404", "409", "413", "415", "422", "429"]


def checks(*, accepted: list[str]) -> schemathesis.Config:
    """Every check; the statuses that a request may get which keeps to the document."""
    statuses = {
        "positive_data_acceptance": {"expected-statuses": accepted},
        "negative_data_rejection": {"expected-statuses": REFUSED},
    }
    return schemathesis.Config.from_dict({"checks": statuses})


bounded = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

# The document's days lie between 1900 and 2100 (its pattern says so); drawn from all years, nearly
# every one would be thrown away.
schemathesis.openapi.format("date", st.dates(date(1900, 1, 1), date(2100, 12, 31)).map(str))


committed = schemathesis.openapi.from_path(
    PROJECT / "docs" / "openapi.json", config=checks(accepted=["2xx", "404", "409", "422"])
)
with pytest.MonkeyPatch.context() as patch:
    tried = schemathesis.openapi.from_dict(
        trial.application(patch).extensions["openapi"](),
        # No rule of the trial routes stands between fields: what is described must be taken.
        config=checks(accepted=["2xx", "409"]),
    )


@committed.parametrize()
@bounded
def test_every_operation_does_what_the_document_says(
    case: Case, live: Flask, town: Townsfolk
) -> None:
    headers = _signed_in(case, live, town)
    case.operation.schema.app = live  # checks that ask again without the token find it here
    case.call_and_validate(app=live, headers=headers)


def _signed_in(case: Case, live: Flask, town: Townsfolk) -> dict[str, str]:
    """As somebody who may call the operation, in a session of its own."""
    name = case.operation.definition.raw["operationId"]
    views = live.view_functions.values()
    wanted = next(declared(view) for view in views if view.__name__ == name)
    token = ""
    if wanted is not None and wanted.who == "staff":
        token = town.accounts.staff_token((*wanted.roles, "county_officer")[0], "320281")
    elif wanted is not None and wanted.who in ("resident", "either"):
        token = _resident(town, wanted.level)
    return {"Authorization": f"Bearer {token}"} if token else {}


def _resident(town: Townsfolk, level: int) -> str:
    """Logged in as by WeChat, with a phone, and known by name where that is needed."""
    with transaction() as session:
        token = log_in(session, town.keyring, f"o-{next(_NUMBERS)}", "").token
        actor = act_as(session, token)
    bind_phone(token, town.keyring)
    if level == 2 and actor is not None:
        person = town.person(f"测试{next(_NUMBERS)}")
        named = "UPDATE resident SET person_id = :person WHERE id = :own"
        town.accounts.change(named, person=person.id, own=actor.resident_id)
    return token


_NUMBERS: Final = count()
FAILURES: Final = (
    (signing_in, "ONE"), (signing_in, "ANY"), (resident_routes, "LOG_IN_FAILED"),
    (progress_routes, "WRONG_CODES"), (notice_routes, "WRONG_CODES"), (notice_routes, "OBJECTIONS"),
)  # fmt: skip
"""Limits on what fails from one address, as nearly everything does that is made up here."""


@tried.include(path_regex="/trial/").parametrize()
@bounded
def test_every_kind_of_field_does_what_the_document_says(case: Case, app: Flask) -> None:
    case.call_and_validate(app=app)


@pytest.fixture
def town(database: Engine, accounts: Accounts, tmp_path: Path) -> Townsfolk:
    """People to be known as."""
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    return Townsfolk(database, keyring, accounts, Register(database))


@pytest.fixture
def live(
    town: Townsfolk, log: Log, wechat_process: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Flask:
    """The application on a migrated database, with the simulator of WeChat."""
    for module, name in FAILURES:
        monkeypatch.setattr(module, name, replace(getattr(module, name), most=1_000_000))
    wechat = WeChatSettings(APPID, SIMULATOR_SECRET, wechat_process.api)
    return create_app(Settings(keys=town.keyring.path, wechat=wechat), log_stream=log.stream)


@pytest.fixture(autouse=True)
def asked(log: Log) -> Iterator[None]:
    """A document from which no request can be made would pass in silence."""
    yield
    answered = [line["status"] for line in log.lines if line["event"] == "request"]
    assert [status for status in answered if status != 405]
