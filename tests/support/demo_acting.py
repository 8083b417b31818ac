"""Everybody of a demo at work over HTTP: residents on their simulated phones, staff at their desks,
and the server's console."""

from __future__ import annotations

import hashlib
import io
import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import pytest

from backend.papers.papers import PIECE_BYTES
from backend.policies.procedures import Field, Procedure
from miniprogram_api.cli import run
from miniprogram_api.demo_signature import signature
from tests.support.case_http import VALUES
from tests.support.demo import Demo, asked, sign_in
from tests.support.handing_in import photo

PATIENCE: Final = 60
PAUSE: Final = 0.2
_KEYS: Final = count(1)


@dataclass
class Acting:
    """Who acts in a demo that runs. `sheet`: who is who."""

    demo: Demo
    address: str
    sheet: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)

    def call(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """What the site answers to somebody: JSON, or the bytes of another kind."""
        if who not in self.tokens:
            self.tokens[who] = self._entered(who)
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Accept": "*/*"}
        content = body
        if not isinstance(body, bytes | None):
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        elif body is not None:
            headers["Content-Type"] = "application/octet-stream"
        url = f"{self.address}/api/v1{path}"
        request = urllib.request.Request(url, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                said, kind = answer.read(), answer.headers.get_content_type()
        except urllib.error.HTTPError as error:
            raise AssertionError((who, method, path, error.read().decode())) from error
        return json.loads(said) if kind.endswith("json") and said else said

    def get(self, who: str, path: str) -> Any:
        """Asked."""
        return self.call(who, "GET", path)

    def post(self, who: str, path: str, **body: Any) -> Any:
        """Sent."""
        return self.call(who, "POST", path, body or None)

    def soon(self, look: Callable[[], Any]) -> Any:
        """What `look` sees, once it is there."""
        deadline = time.monotonic() + PATIENCE
        while not (seen := look()):
            assert time.monotonic() < deadline, self.demo.errors()[-4_000:]
            time.sleep(PAUSE)
        return seen

    def shukun(self, *words: str) -> str:
        """A command on the server's console; what it says."""
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
            patch.setenv("SHUKUN_DATA", str(self.demo.data))
            patch.delenv("DATABASE_URL", raising=False)
            status = run(list(words))
        assert status == 0, (words, said.getvalue())
        return said.getvalue()

    def _entered(self, who: str) -> str:
        if who.isupper():
            return str(sign_in(self.address, self.sheet, who)["token"])
        code = self._phone(who, "login")
        token = str(asked(f"{self.address}/api/v1/sessions", {"code": code})["token"])
        self.tokens[who] = token
        self.post(who, "/me/phone", code=self._phone(who, "phone-code"))
        known = self.sheet[f"{who.upper()}_NAME"], self.sheet[f"{who.upper()}_NUMBER"]
        self.post(who, "/me/identity", name=known[0], id_number=known[1])
        return token

    def _phone(self, who: str, deed: str) -> str:
        return str(asked(f"{self.sheet['PHONES']}/{who}/{deed}", {})["code"])


@dataclass
class DemoCase:
    """A case of a resident of a demo, under a procedure."""

    acting: Acting
    who: str
    procedure: Procedure
    id: int = 0
    letter: int = 0

    @property
    def place(self) -> str:
        """What the names of the staff there begin with."""
        return self.who.rstrip("1").upper()

    def draft(self) -> None:
        """Begun, filled in, with the papers that it must have."""
        acting, person = self.acting, int(self.acting.sheet[f"{self.who.upper()}_PERSON"])
        body = {"person": person, "kind": self.procedure.kind, "key": f"demo-{next(_KEYS):012d}"}
        self.id = acting.post(self.who, "/applications", **body)["id"]
        path = f"/applications/{self.id}"
        known = {one["field"] for one in acting.get(self.who, path)["answers"]}
        for one in self.procedure.fields.values():
            if one.required and one.code not in known:
                given = {"value": self._value(one), "version": 0}
                acting.call(self.who, "PUT", f"{path}/answers/{one.code}", given)
        for paper in self.procedure.papers.values():
            if paper.required == "always":
                self._hand_in(paper.code)

    def open_letter(self) -> int:
        """The letter, where the kind has one, is drawn up and opened; seconds that reading takes."""
        if self.procedure.letter is None:
            return 0
        path = f"/applications/{self.id}/letter"
        self.letter = self.acting.post(self.who, path, size="normal")["id"]
        opened = self.acting.post(self.who, f"/letters/{self.letter}/opened", step="opened")
        return int(opened["least_seconds"])

    def sign(self) -> None:
        """Read to its end and signed; sealed by a worker."""
        if not self.letter:
            return
        path = f"/letters/{self.letter}"
        read = self.acting.post(self.who, f"{path}/opened", step="end")
        self.acting.post(self.who, f"{path}/signature", **signature(read))
        self.acting.soon(lambda: self.acting.get(self.who, path)["state"] == "sealed")

    def pdf(self) -> bytes:
        """The letter as it was sealed."""
        data = self.acting.get(self.who, f"/letters/{self.letter}/pdf")
        assert isinstance(data, bytes)
        return data

    def submit(self) -> None:
        """Handed in."""
        self.acting.post(self.who, f"/applications/{self.id}/submission")

    def step(self, desk: str, deed: str, **more: str) -> str:
        """A deed of a desk of the place; the state after it."""
        who = f"{self.place}_{desk}"
        seq = self.acting.get(who, f"/cases/{self.id}")["seq"]
        made = self.acting.post(who, f"/cases/{self.id}/steps", deed=deed, seq=seq, **more)
        return str(made["state"])

    def state(self) -> str:
        """Where it is."""
        return str(self.acting.get(self.who, f"/applications/{self.id}")["state"])

    def until(self, state: str) -> None:
        """Workers have brought it there."""
        self.acting.soon(lambda: self.state() == state)

    def timeline(self) -> list[str]:
        """The deeds as the resident reads them."""
        told = self.acting.get(self.who, f"/applications/{self.id}/progress")
        return [one["deed"] for one in told["steps"]]

    def _value(self, one: Field) -> str:
        if one.choices:
            return one.choices[0].code
        if one.type == "bills":
            return self.acting.sheet[f"{self.who.upper()}_BILL"]
        return VALUES[one.type]

    def _hand_in(self, kind: str) -> None:
        data, acting = photo(seed=self.id), self.acting
        said = {
            "kind": kind, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(),
            "key": f"paper-{next(_KEYS):012d}",
        }  # fmt: skip
        paper = acting.post(self.who, f"/applications/{self.id}/papers", **said)["id"]
        for number in range(math.ceil(len(data) / PIECE_BYTES)):
            piece = data[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
            acting.call(self.who, "PUT", f"/papers/{paper}/pieces/{number + 1}", piece)
        acting.post(self.who, f"/papers/{paper}/finish")
        acting.soon(lambda: acting.get(self.who, f"/papers/{paper}")["state"] == "kept")
