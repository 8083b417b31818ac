"""Tokens that were never given, or are worth nothing any more: all refused, whatever they pretend.

There is nothing to decode in a token of ours: a corpus of forged ones must still find nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel.settings import Settings
from miniprogram_api.app import create_app
from miniprogram_api.credentials import COOKIE
from tests.support.accounts import Accounts

RUNS = "/api/v1/runs"
CLAIMS = {"sub": "1", "role": "county_officer", "staff_no": "S1", "exp": 4_102_444_800}


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def jwt(header: dict[str, Any], claims: dict[str, Any] | None = None, key: bytes = b"") -> str:
    head = f"{part(header)}.{part(CLAIMS if claims is None else claims)}"
    digest = hmac.digest(key, head.encode(), "sha256")
    return f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def unsigned(header: dict[str, Any]) -> str:
    return jwt(header).rpartition(".")[0] + "."


PRETENDED: dict[str, str] = {
    **{f"alg {alg!r}": unsigned({"alg": alg}) for alg in ("none", "None", "NONE", "nOnE", "", None)},
    **{
        f"HS256 under {key!r}": jwt({"alg": "HS256"}, key=key)
        for key in (b"", b"secret", b"shukun", b"password", b"\0", b"changeme", b"-----BEGIN PUBLIC KEY-----")
    },
    **{
        f"header {name}": jwt({"alg": "HS256", name: value})
        for name, value in {
            "kid": "../../../../dev/null", "kid ": "' UNION SELECT 'x' --", "jku": "https://example.org/k",
            "jwk": {"kty": "oct", "k": ""}, "x5u": "https://example.org/c", "x5c": ["MII"],
            "crit": ["exp"], "zip": "DEF", "typ": "at+jwt", "cty": "JWT", "b64": False, "iss": "shukun",
        }.items()
    },
    **{
        f"claim {name}={value!r}": jwt({"alg": "HS256"}, {**CLAIMS, name: value})
        for name, value in {
            "exp": None, "nbf": 0, "aud": "shukun", "iss": "https://localhost", "type": "refresh",
            "scope": "*", "admin": True, "role": "system_admin",
        }.items()
    },
    **{f"alg {alg}": jwt({"alg": alg}) for alg in ("RS256", "ES256", "PS256", "EdDSA", "HS512")},
    "two parts": "a.b", "five parts": "a.b.c.d.e", "dots": "..", "a digit": "1", "null": "null",
    "undefined": "undefined", "true": "true", "a list": "[]", "JSON": '{"staff_id":1}',
    "SQL": "' OR '1'='1", "SQL sleep": "x'; SELECT pg_sleep(5) --", "percent": "%00" * 14,
    "a path": "../../etc/passwd", "too short": "x" * 42, "too long": "x" * 44, "very long": "x" * 4000,
    "zeros": "0" * 43, "underscores": "_" * 43, "a UUID": "00000000-0000-0000-0000-000000000000",
    "a digest": hashlib.sha256(b"").hexdigest(), "padded": "A" * 42 + "=", "plus": "A" * 42 + "+",
    "full width": "Ａ" * 43, "right to left": "\u202e" + "A" * 42, "an emoji": "😀" * 11,
}  # fmt: skip


@pytest.fixture
def client(app_database: Engine) -> Iterator[FlaskClient]:
    with kernel_database.bound(app_database):
        yield create_app(Settings()).test_client()


def bearer(client: FlaskClient, token: str) -> int:
    sent = f"Bearer {token}".encode().decode("latin-1")
    status: int = client.get(RUNS, headers={"Authorization": sent}).status_code
    return status


def test_the_corpus_is_large_enough() -> None:
    assert len(PRETENDED) >= 60


@pytest.mark.parametrize("pretended", PRETENDED.values(), ids=PRETENDED.keys())
def test_what_only_pretends_to_be_a_token_is_refused(
    client: FlaskClient, accounts: Accounts, pretended: str
) -> None:
    accounts.staff_token("county_officer", "320281", "S1")
    assert bearer(client, pretended) == 401
    client.set_cookie(COOKIE, pretended)
    assert client.get("/runs").status_code == 303


def test_what_almost_is_a_token_is_refused(client: FlaskClient, accounts: Accounts) -> None:
    token = accounts.staff_token("county_officer", "320281")
    assert bearer(client, token) == 200
    flipped = ("B" if token[0] == "A" else "A") + token[1:]
    for wrong in (
        token[:-1], token + "A", token[::-1], token.swapcase(), f" {token}x", f"{token}.", flipped,
        f"{token},{token}", f"{token} {token}", token[:21] + "\x00" + token[22:],
    ):  # fmt: skip
        assert bearer(client, wrong) == 401, wrong


def test_the_digest_that_the_database_keeps_is_no_token(
    client: FlaskClient, accounts: Accounts, database: Engine
) -> None:
    accounts.staff_token("county_officer", "320281")
    with database.connect() as connection:
        digest = bytes(
            connection.execute(text("SELECT token_sha256 FROM account_session")).scalar_one()
        )
    for shown in (digest.hex(), base64.urlsafe_b64encode(digest).rstrip(b"=").decode()):
        assert bearer(client, shown) == 401


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"query_string": {"token": "{}"}}, {"query_string": {"access_token": "{}"}},
        {"headers": {"X-Auth-Token": "{}"}}, {"headers": {"Cookie": "shukun_session={}"}},
        {"headers": {"Authorization": "Token {}"}}, {"headers": {"Authorization": "{}"}},
        {"headers": {"Authorization": "Basic {}"}}, {"headers": {"Proxy-Authorization": "Bearer {}"}},
    ],
)  # fmt: skip
def test_a_token_is_taken_from_its_place_alone(
    client: FlaskClient, accounts: Accounts, elsewhere: dict[str, dict[str, str]]
) -> None:
    token = accounts.staff_token("county_officer", "320281")
    sent: Any = {
        where: {name: value.format(token) for name, value in what.items()}
        for where, what in elsewhere.items()
    }
    assert client.get(RUNS, **sent).status_code == 401


def test_a_session_acts_for_its_own_kind_alone(client: FlaskClient, accounts: Accounts) -> None:
    assert bearer(client, accounts.resident_token()) == 403
    for role in ("auditor", "system_admin", "family_doctor", "township_reviewer"):
        assert bearer(client, accounts.staff_token(role, "320281")) == 403
