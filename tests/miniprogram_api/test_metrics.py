from __future__ import annotations

import http.client
import re
from pathlib import Path

from flask.testing import FlaskClient

from backend.kernel.settings import Settings
from miniprogram_api.serving import gunicorn, listen

MOST = 5000


def counted(text: str, route: str) -> float:
    pattern = re.compile(
        rf'shukun_http_requests_total{{[^}}]*route="{re.escape(route)}"[^}}]*}} (.+)'
    )
    return sum(float(number) for number in pattern.findall(text))


def test_requests_are_counted_by_route_and_never_by_address(client: FlaskClient) -> None:
    before = client.get("/metrics").text
    for number in range(3):
        client.get(f"/api/v1/trial/items/secret-{number}")
        client.get(f"/nowhere/secret-{number}")
    after = client.get("/metrics").text
    for route in ("/api/v1/trial/items/<item>", "(unknown)"):
        assert counted(after, route) == counted(before, route) + 3
    assert "secret" not in after
    assert "shukun_build_info{" in after
    assert "shukun_http_request_seconds_bucket{" in after


def test_a_strange_method_does_not_make_a_series(client: FlaskClient) -> None:
    client.open("/healthz", method="BREW")
    text = client.get("/metrics").text
    assert 'method="OTHER"' in text
    assert "BREW" not in text


def test_two_workers_are_counted_together(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, workers=2)
    listener = listen("127.0.0.1", 0)
    host, port = listener.getsockname()
    with gunicorn(settings, "postgresql://nobody@127.0.0.1:9/none", listener):
        sent = 0
        while len(set((tmp_path / "metrics").glob("*/counter_*.db"))) < 2:
            fetch(host, port, "/problems/gone")
            sent += 1
            assert sent < MOST, "one worker takes every request"
        texts = [fetch(host, port, "/metrics") for _ in range(6)]
    assert {counted(text, "/problems/<code>") for text in texts} == {sent}


def fetch(host: str, port: int, path: str) -> str:
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()
