"""Papers over HTTP: announced, sent by pieces, looked at; and senders that mean no good."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.kernel.database import engine_for
from backend.kernel.settings import Settings
from backend.papers import tasks
from backend.papers.papers import PIECE_BYTES
from miniprogram_api.app import create_app
from miniprogram_api.edge import give_up_stalled
from miniprogram_api.serving import gunicorn, listen
from tests.support.accounts import Accounts
from tests.support.handing_in import cut, draft_of, long_photo, photo
from tests.support.register import Register
from tests.support.townsfolk import Townsfolk

Address = tuple[str, int]
SMALL = photo()


@dataclass
class Phone:
    """The mini-program of somebody with a draft."""

    client: FlaskClient
    site: Engine
    worker: Engine
    token: str
    case: int

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        with kernel_database.bound(self.site):
            return self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def announce(self, data: bytes, **more: Any) -> Any:
        body = {"kind": "income_proof", "size": len(data), "key": "0123456789abcdef",
                "sha256": hashlib.sha256(data).hexdigest()}  # fmt: skip
        return self.ask("POST", f"/applications/{self.case}/papers", json=body | more)

    def put(self, paper: int, number: int, data: bytes, **more: Any) -> Any:
        kind = more.pop("content_type", "application/octet-stream")
        path = f"/papers/{paper}/pieces/{number}"
        return self.ask("PUT", path, data=data, content_type=kind, **more)

    def work(self, paper: int) -> None:
        with kernel_database.bound(self.worker):
            tasks.clean_paper(paper)


@pytest.fixture
def phone(
    database: Engine, app_database: Engine, database_url: str, accounts: Accounts, tmp_path: Path
) -> Iterator[Phone]:
    ring = Keyring.open_or_create(tmp_path / "keys.json")
    town = Townsfolk(database, ring, accounts, Register(database))
    app = create_app(Settings(keys=ring.path, papers=tmp_path / "papers"))
    who = town.person("测试甲")
    resident = accounts.resident(who.id)
    worker = engine_for(database_url, role="worker")
    case = draft_of(town, who, resident)
    yield Phone(app.test_client(), app_database, worker, accounts.resident_session(resident), case)
    worker.dispose()


def test_a_photo_goes_from_the_phone_into_the_case_and_back(phone: Phone) -> None:
    data = long_photo()
    told = phone.announce(data)
    assert told.status_code == 201
    paper, count = told.json["id"], told.json["pieces"]
    assert told.json["piece_bytes"] == PIECE_BYTES
    assert told.json["missing"] == list(range(1, count + 1))
    for number, piece in enumerate(cut(data), start=1):
        assert phone.put(paper, number, piece).status_code == 200
    assert phone.ask("GET", f"/papers/{paper}/content").status_code == 404
    assert phone.ask("POST", f"/papers/{paper}/finish").json["state"] == "checking"
    phone.work(paper)
    shown = phone.ask("GET", f"/papers/{paper}").json
    assert (shown["state"], shown["media"], shown["refused_why"]) == ("kept", "image/jpeg", None)
    content = phone.ask("GET", f"/papers/{paper}/content")
    assert content.data.startswith(b"\xff\xd8\xff")
    assert content.headers["Content-Type"] == "image/jpeg"
    assert content.headers["Content-Disposition"] == f'attachment; filename="paper-{paper}.jpg"'
    assert content.headers["X-Content-Type-Options"] == "nosniff"
    assert content.headers["Cache-Control"] == "no-store"
    assert phone.ask("DELETE", f"/papers/{paper}").status_code == 204
    assert phone.ask("GET", f"/papers/{paper}").status_code == 404


def test_a_refusal_tells_the_person_what_to_do(phone: Phone) -> None:
    data = b"PK\x03\x04 a table"
    paper = phone.announce(data).json["id"]
    phone.put(paper, 1, data)
    phone.ask("POST", f"/papers/{paper}/finish")
    phone.work(paper)
    shown = phone.ask("GET", f"/papers/{paper}").json
    assert shown["state"] == "refused"
    assert "另存为 PDF" in shown["refused_why"]


@pytest.mark.parametrize(
    "more",
    [
        {"file_name": "../../etc/passwd"}, {"kind": "../../etc/passwd"}, {"kind": "病历"},
        {"size": 0}, {"size": 11 * 1024 * 1024}, {"size": 10**12}, {"sha256": "0" * 63},
        {"sha256": "G" * 64}, {"key": "short"}, {"key": "../../../../../../x"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_announced_wrongly_is_refused_in_chinese(phone: Phone, more: Any) -> None:
    answer = phone.announce(SMALL, **more)
    assert answer.status_code == 422
    assert re.search(r"[\u4e00-\u9fff]", answer.json["errors"][0]["detail"])


def test_a_piece_must_be_bytes_and_no_longer_than_a_piece(phone: Phone) -> None:
    paper = phone.announce(SMALL).json["id"]
    assert phone.put(paper, 1, SMALL, content_type="application/json").status_code == 415
    assert phone.put(paper, 1, SMALL, content_type="image/jpeg").status_code == 415
    zipped = {"Content-Encoding": "gzip"}
    assert phone.put(paper, 1, SMALL, headers=zipped).status_code == 415
    assert phone.put(paper, 1, bytes(PIECE_BYTES + 1)).status_code == 413
    assert phone.put(paper, 1, SMALL + b"x").status_code == 422
    assert phone.put(paper, 0, SMALL).status_code == 422
    assert phone.put(paper, 1, b"").status_code == 422
    assert phone.put(paper, 1, SMALL).status_code == 200
    other = phone.put(paper, 1, SMALL[:-1] + b"x")
    assert (other.status_code, other.json["type"]) == (409, "/problems/paper-piece-differs")


# -- on the wire -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wire:
    """A real site of one worker, and the token of somebody who may send."""

    address: Address
    token: str
    log: Path

    def head(self, more: str, path: str = "/api/v1/papers/1/pieces/1") -> bytes:
        lines = [f"PUT {path} HTTP/1.1", "Host: x", "Content-Type: application/octet-stream",
                 f"Authorization: Bearer {self.token}", more, "", ""]  # fmt: skip
        return "\r\n".join(lines).encode()


@pytest.fixture
def wire(database: Engine, database_url: str, accounts: Accounts, tmp_path: Path) -> Iterator[Wire]:
    ring = Keyring.open_or_create(tmp_path / "keys.json")
    town = Townsfolk(database, ring, accounts, Register(database))
    token = accounts.resident_token(town.person("测试甲").id)
    settings = Settings(data=tmp_path, keys=ring.path, workers=1, threads=2)
    listener = listen("127.0.0.1", 0)
    give_up_stalled(listener, seconds=1)
    address = listener.getsockname()
    with gunicorn(settings, database_url, listener):
        yield Wire(address, token, tmp_path)


def answer_of(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())


def largest_resident() -> int:
    """Of the processes below this one, the most memory that one of them has had. Bytes."""
    most = 0
    for pid in _below(os.getpid()):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
        most = max(most, int(found[1]) * 1024 if found else 0)
    return most


def _below(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child
            yield from _below(child)


def test_what_is_larger_than_a_piece_is_told_so_and_a_gigabyte_does_not_fill_the_site(
    wire: Wire,
) -> None:
    size = PIECE_BYTES + 1
    with socket.create_connection(wire.address, timeout=30) as connection:
        connection.sendall(wire.head(f"Content-Length: {size}") + bytes(size))
        status, body = answer_of(connection)
    assert (status, body["type"]) == (413, "/problems/too-large")
    before = largest_resident()  # the worker has started: what it takes is counted
    block = bytes(1 << 20)
    pour(wire, f"Content-Length: {1 << 30}", block)
    pour(wire, "Transfer-Encoding: chunked", b"100000\r\n" + block + b"\r\n")
    assert largest_resident() - before < 100 * 1024 * 1024


def pour(wire: Wire, said: str, block: bytes) -> None:
    """Send the block 1,024 times; that is not listened to until its end."""
    with socket.create_connection(wire.address, timeout=30) as connection:
        connection.sendall(wire.head(said))
        try:
            for _ in range(1024):
                connection.sendall(block)
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            pytest.fail("a gigabyte was read to its end")


def test_a_body_that_stops_coming_is_given_up_and_the_others_are_served(wire: Wire) -> None:
    slow = [socket.create_connection(wire.address, timeout=30) for _ in range(2)]
    for one in slow:
        one.sendall(wire.head("Content-Length: 4000") + b"x" * 100)
    with socket.create_connection(wire.address, timeout=30) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer_of(connection)[0] == 200
    assert [answer_of(one)[0] for one in slow] == [408, 408]
    for one in slow:
        one.close()
