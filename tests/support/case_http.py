"""Cases over HTTP, as the mini-program and the staff desk make them: the application in its own
role, in this process; what workers do is done at once by `work`.
"""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import Engine, text

from backend.kernel import database as kernel_database
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from backend.kernel.settings import Settings
from backend.papers.papers import PIECE_BYTES
from backend.policies.catalogue import load_catalogue
from backend.policies.confirmation import ConfirmDates, confirm_dates
from backend.policies.procedures import Field, Procedure
from miniprogram_api.app import create_app
from tests.support.accounts import Accounts
from tests.support.handing_in import photo
from tests.support.register import Register
from tests.support.signing import drawn
from tests.support.townsfolk import Townsfolk, Townsman
from tests.support.working import work_off

BOOK: Final = load_catalogue()
TODAY: Final = date(2026, 11, 23)
_KEYS: Final = count(1)
_SEEDS: Final = count(1)
VALUES: Final[dict[str, str]] = {
    "money": "12000.00", "day": "2026-11-02", "text": "测试情况", "number": "3", "yes_no": "no",
    "hospital": "测试医院", "diagnosis": "测试病种", "phone": "19900000009",
}  # fmt: skip


@dataclass
class County:
    """One place with its people, accounts and staff, and the site on its database."""

    app: Flask
    owner: Engine
    site: Engine
    town: Townsfolk
    area: str
    tokens: dict[str, str] = field(default_factory=dict)
    people: dict[str, Townsman] = field(default_factory=dict)

    def resident(self, name: str, **more: Any) -> Townsman:
        """Somebody of the place with an account, known by name."""
        who = self.town.person(name, area=int(f"{self.area}101001"), **more)
        self.people[name], self.tokens[name] = who, self.town.known(who)
        return who

    def staff(self, name: str, role: str, area: str) -> None:
        """Somebody of the staff."""
        accounts = self.town.accounts
        self.tokens[name] = accounts.sign_in(accounts.duty(accounts.staff(name), role, area))

    def call(self, who: str, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        """What the site answers to somebody; the JSON, or the bytes of another kind."""
        headers = {"Accept": "application/json", **options.pop("headers", {})}
        if who:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        with kernel_database.bound(self.site):
            client = self.app.test_client()
            answer = client.open(f"/api/v1{path}", method=method, headers=headers, **options)
        assert answer.status_code == expect, (method, path, answer.status_code, answer.text)
        return answer.json if answer.is_json and answer.data else answer.data

    def get(self, who: str, path: str, expect: int = 200) -> Any:
        """Asked."""
        return self.call(who, "GET", path, expect)

    def post(self, who: str, path: str, expect: int = 200, **body: Any) -> Any:
        """Sent."""
        return self.call(who, "POST", path, expect, **({"json": body} if body else {}))

    def work(self) -> int:
        """Every job that waits is done, as workers do it; how many."""
        return work_off(self.owner)


def county(owner: Engine, site: Engine, folder: Path, accounts: Accounts, area: str) -> County:
    """A county with two reviewers, three officers, a doctor and an applicant."""
    keyring = Keyring.open_or_create(folder / "keys.json")
    settings = Settings(
        keys=folder / "keys.json", papers=folder / "papers", account_requests=1_000_000
    )
    town = Townsfolk(owner, keyring, accounts, Register(owner))
    with kernel_database.bound(owner):
        app = create_app(settings)
    made = County(app, owner, site, town, area)
    for name in ("镇甲", "镇乙"):
        made.staff(name, "township_reviewer", f"{area}101")
    for name in ("县甲", "县乙", "县丙"):
        made.staff(name, "county_officer", area)
    made.staff("医生", "family_doctor", f"{area}101001")
    made.resident("测试甲")
    if area == "320902":
        _confirm_tinghu(owner)
    return made


def _confirm_tinghu(owner: Engine) -> None:
    with kernel_database.bound(owner), transaction() as session:
        confirmed = ConfirmDates("tinghu-trial", date(2025, 6, 1), date(2027, 5, 31), "测试")
        confirm_dates(session, BOOK, confirmed)


@dataclass
class Applying:
    """Somebody who applies for themselves or for another, as the mini-program does."""

    county: County
    who: str
    procedure: Procedure
    whom: str = ""
    bills: str = ""
    case: int = 0

    def begin(self) -> None:
        """A draft."""
        person = self.county.people[self.whom or self.who].id
        body = {"person": person, "kind": self.procedure.kind, "key": f"journey-{next(_KEYS):012d}"}
        self.case = self.county.post(self.who, "/applications", 201, **body)["id"]

    def fill(self) -> None:
        """Every field that must be answered and was not filled in."""
        path = f"/applications/{self.case}"
        known = {one["field"] for one in self.county.get(self.who, path)["answers"]}
        for one in self.procedure.fields.values():
            if one.required and one.code not in known:
                body = {"value": self._value(one), "version": 0}
                self.county.call(self.who, "PUT", f"{path}/answers/{one.code}", json=body)

    def photograph(self, *wanted: str) -> None:
        """A photo of each paper that is wanted; those of an ordinary application without names."""
        wanted = wanted or tuple(
            one.code for one in self.procedure.papers.values() if one.required == "always"
        )
        for kind in wanted:
            self._hand_in(kind, photo(seed=next(_SEEDS)))

    def sign(self, size: str = "normal") -> int:
        """The letter is read to its end and signed by hand; its number. Kinds without one: 0."""
        if self.procedure.letter is None:
            return 0
        county = self.county
        letter = county.post(self.who, f"/applications/{self.case}/letter", 201, size=size)
        path = f"/letters/{letter['id']}"
        for step in ("opened", "end"):
            county.post(self.who, f"{path}/opened", step=step)
        as_though_read(county.owner, letter["id"])
        shown = {"shown_sha256": letter["sha256"], "nonce": letter["nonce"]}
        county.post(self.who, f"{path}/signature", **handwritten(), **shown)
        county.work()
        return int(letter["id"])

    def apply(self, *papers: str) -> str:
        """All of it, from the beginning to the submission; the code to look it up."""
        self.begin()
        self.fill()
        self.photograph(*papers)
        self.sign()
        return self.submit()

    def submit(self) -> str:
        """Submitted; the code to look it up."""
        path = f"/applications/{self.case}/submission"
        return str(self.county.post(self.who, path)["code"])

    def state(self) -> str:
        """Where it is."""
        return str(self.county.get(self.who, f"/applications/{self.case}")["state"])

    def _value(self, one: Field) -> str:
        if one.choices:
            return one.choices[0].code
        return self.bills if one.type == "bills" else VALUES[one.type]

    def _hand_in(self, kind: str, data: bytes) -> None:
        county = self.county
        sha256 = hashlib.sha256(data).hexdigest()
        body = {
            "kind": kind,
            "size": len(data),
            "sha256": sha256,
            "key": f"paper-{next(_KEYS):012d}",
        }
        paper = county.post(self.who, f"/applications/{self.case}/papers", 201, **body)["id"]
        for number in range(math.ceil(len(data) / PIECE_BYTES)):
            piece = data[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
            county.call(
                self.who, "PUT", f"/papers/{paper}/pieces/{number + 1}", data=piece,
                content_type="application/octet-stream",
            )  # fmt: skip
        county.post(self.who, f"/papers/{paper}/finish", 202)
        county.work()


@dataclass
class Office:
    """The staff who decide a case."""

    county: County
    case: int

    def step(self, who: str, deed: str, expect: int = 200, **more: str) -> Any:
        """One step, on what was seen just before."""
        seen = self.county.get(who, f"/cases/{self.case}")
        said = {"reason": "other", "note": "测试说明"} if deed in REASONED else {}
        said |= {"proposal": "grant"} if deed == "review" else {}
        body = {"deed": deed, "seq": seen["seq"], **said, **more}
        return self.county.post(who, f"/cases/{self.case}/steps", expect, **body)


REASONED: Final = ("ask", "refuse", "stop", "propose", "revoke", "return", "overturn", "uphold")


def as_though_read(owner: Engine, letter: int, seconds: int = 60) -> None:
    """As though the letter had been opened so long ago."""
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        older = (
            "UPDATE letter_event SET at = at - make_interval(secs => :seconds)"
            " WHERE letter_id = :letter"
        )
        connection.execute(text(older), {"seconds": seconds, "letter": letter})


def handwritten() -> dict[str, Any]:
    """A signature as the mini-program sends it."""
    picture = drawn()
    lines = (
        " ".join(f"{one.x},{one.y},{one.t},{one.pressure}" for one in line)
        for line in picture.strokes
    )
    return {
        "png": base64.b64encode(picture.png).decode(), "strokes": ";".join(lines),
        "width": picture.width, "height": picture.height,
    }  # fmt: skip
