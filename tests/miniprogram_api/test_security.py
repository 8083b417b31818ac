from __future__ import annotations

import pytest
from flask.testing import FlaskClient

PAGES = ["/docs", "/problems/too-large"]
MACHINE = ["/healthz", "/metrics", "/api/v1/trial/search?words=x", "/api/v1/none", "/api/v1/crash"]


@pytest.mark.parametrize("path", [*PAGES, *MACHINE, "/static/style.css"])
def test_every_answer_is_protected(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert len(answer.headers.getlist("Content-Security-Policy")) == 1
        assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("path", MACHINE)
def test_answers_are_not_stored(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_pages_may_load_their_own_style_and_nothing_else(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "style-src 'self'" in policy
    assert "script-src" not in policy


def test_a_view_may_set_its_own_caching(client: FlaskClient) -> None:
    answer = client.get("/openapi.json")
    assert answer.headers.getlist("Cache-Control") == ["no-cache"]
    again = client.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_https_is_made_to_stay_https(client: FlaskClient) -> None:
    answer = client.get("/healthz", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
