"""Letters over HTTP: read, signed, sealed, fetched; and checked by anybody, who learns no name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from backend.kernel import clock, keys
from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.letters import seals
from backend.letters.sealing import OwnSeal
from backend.letters.tasks import seal_letter
from backend.letters.verification import verify
from tests.support import signing
from tests.support.access_letters import signature
from tests.support.accounts import Accounts
from tests.support.letters import seal_keys, trusted
from tests.support.register import Register
from tests.support.signing import Desk
from tests.support.townsfolk import Townsfolk


@pytest.fixture
def own_seal(tmp_path: Path) -> OwnSeal:
    return OwnSeal(seal_keys(tmp_path), clock.now)


@pytest.fixture
def desk(
    client: FlaskClient, database: Engine, app_database: Engine, accounts: Accounts,
    own_seal: OwnSeal, tmp_path: Path,
) -> Iterator[Desk]:  # fmt: skip
    keyring = Keyring.open_or_create(tmp_path / "keys.json")
    town = Townsfolk(database, keyring, accounts, Register(database))
    with keys.bound(keyring), seals.bound(own_seal), kernel_database.bound(app_database):
        yield signing.desk(database, app_database, town, accounts)


def call(client: FlaskClient, desk: Desk, method: str, path: str, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {desk.token}"}
    return client.open(f"/api/v1/letters{path}", method=method, headers=headers, json=body or None)


def test_a_letter_is_read_signed_sealed_fetched_and_checked(
    client: FlaskClient, desk: Desk, own_seal: OwnSeal
) -> None:
    letter = desk.present()
    shown = call(client, desk, "GET", f"/{letter.id}").json
    assert shown["state"] == "presented"
    assert "多领的钱要退回来" in shown["text"]
    assert shown["sha256"] == letter.document_sha256.hex()
    assert client.get(f"/letters/{letter.code}").status_code == 404, "not signed yet"
    for step in ("opened", "end"):
        answer = call(client, desk, "POST", f"/{letter.id}/opened", step=step, read_aloud=True)
        assert answer.status_code == 200, answer.json
    body = signature() | {"shown_sha256": shown["sha256"], "nonce": shown["nonce"]}
    early = call(client, desk, "POST", f"/{letter.id}/signature", **body)
    assert early.status_code == 409
    assert "太快" in early.json["errors"][0]["detail"]
    desk.wait(letter)
    signed = call(client, desk, "POST", f"/{letter.id}/signature", **body)
    assert (signed.status_code, signed.json["state"]) == (200, "signed")
    with kernel_database.bound(desk.owner):
        seal_letter(letter_id=letter.id)
    pdf = call(client, desk, "GET", f"/{letter.id}/pdf")
    assert verify(pdf.data, trusted(own_seal._keys)).genuine
    assert call(client, desk, "GET", f"/{letter.id}").json["state"] == "delivered"
    large = call(client, desk, "GET", f"/{letter.id}/pdf?size=large")
    assert large.data.startswith(b"%PDF")
    assert not verify(large.data, trusted(own_seal._keys)).genuine


def test_whoever_has_the_code_learns_that_it_exists_and_no_name(
    client: FlaskClient, desk: Desk
) -> None:
    letter = desk.signed()
    told = client.get(f"/api/v1/letter-checks/{letter.code}")
    assert told.json == {
        "code": letter.code, "name": "家庭经济状况承诺书", "version": 1, "state": "signed",
        "day": "2026-11-23", "document": letter.document_sha256.hex()[:16], "sealed": "",
        "superseded": False,
    }  # fmt: skip
    page = client.get(f"/letters/{letter.code}").text
    assert "有这份文书" in page
    for text in (told.text, page):
        assert "𠮷" not in text
        assert "320281" not in text
    unknown = client.get("/api/v1/letter-checks/AAAAAAAAAAAAAAAA")
    assert unknown.status_code == 404
    assert "请对着纸上的 16 位编号" in unknown.text
    assert "申请" not in unknown.text  # who has the paper in hand has no application
    assert client.get("/letters/AAAAAAAAAAAAAAAA").status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"png": "no base64!"}, {"strokes": "1,2"}, {"strokes": "1,,2"}, {"strokes": ""}]
)
def test_what_is_no_drawing_is_refused_with_words(
    client: FlaskClient, desk: Desk, wrong: dict[str, str]
) -> None:
    letter = desk.read(desk.present())
    desk.wait(letter)
    body = signature() | {"shown_sha256": letter.document_sha256.hex(), "nonce": letter.nonce.hex()}
    answer = call(client, desk, "POST", f"/{letter.id}/signature", **body | wrong)
    assert answer.status_code == 422, answer.json


def test_who_does_not_want_to_sign_says_so(client: FlaskClient, desk: Desk) -> None:
    letter = desk.present()
    assert call(client, desk, "POST", f"/{letter.id}/refusal").status_code == 204
    assert call(client, desk, "POST", f"/{letter.id}/refusal").status_code == 409
