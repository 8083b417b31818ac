"""People who are to be told something: in the register, with accounts, consents and phones, on a
database and at the simulator of WeChat; and what became of what they were owed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.accounts.tables import RESIDENT, WECHAT_USER
from backend.kernel.clock import CHINA
from backend.kernel.crypto import Keyring, Place
from backend.kernel.database import transaction
from backend.notifications.messages import Owed, owe_all
from backend.notifications.tables import SUBSCRIPTION
from backend.notifications.wechat_templates import keep_templates
from backend.wechat.calls import Template
from tests.support.register import JIANGYIN, Register
from tests.support.wechat import Simulator

NOON: Final = datetime(2026, 11, 18, 12, 0, tzinfo=CHINA)
RESULT: Final = "SIM-RESULT"
PROGRESS: Final = "SIM-PROGRESS"
_CONTENT: Final = (
    "事项:{{thing1.DATA}}\n状态:{{phrase2.DATA}}\n日期:{{date3.DATA}}\n提示:{{thing4.DATA}}"
)
TEMPLATES: Final = (
    Template(RESULT, "办理结果通知", _CONTENT, "", False, {}),
    Template(PROGRESS, "办理进度提醒", _CONTENT, "", False, {}),
)


@dataclass
class Recipients:
    """Makes them. `engine`: as the worker."""

    engine: Engine
    keyring: Keyring
    openids: dict[int, str] = field(default_factory=dict)
    """By resident."""
    crowded: list[int] = field(default_factory=list)
    """The people of the crowd, called crowd1, crowd2 … at WeChat."""

    def person(self, name: str, area: int = JIANGYIN, **more: Any) -> int:
        """Somebody in the register."""
        return Register(self.engine).person(name, area, **more)

    def texted(self, name: str, phone: str = "13900000001", *, agrees: bool = True) -> int:
        """A person with an account that has a phone but no WeChat; agrees to text messages."""
        person = self.person(name)
        self.account(person, phone=phone)
        if agrees:
            self.agree(person)
        return person

    def agree(self, person: int) -> None:
        """To text messages, long ago."""
        self.execute(
            "INSERT INTO consent (id, person_id, purpose, text_id, version, text_sha256, given_at,"
            " channel, by) VALUES (nextval('row_id'), :person, 'sms', 'sms', 1, '', '2026-01-02',"
            " 'mini_program', '测试')",
            person=person,
        )

    def account(self, person: int | None, openid: str = "", phone: str = "") -> int:
        """The person's account; with an openid it is connected with WeChat."""
        shared = self.keyring.shared()
        with Session(self.engine) as session, session.begin():
            own = int(session.execute(text("SELECT nextval('row_id')")).scalar_one())
            values = {"id": own, "person_id": person, "level": 0 if person is None else 2}
            values["phone"] = shared.seal(Place("resident", "phone", own), phone)
            session.execute(RESIDENT.insert().values(values))
            if openid:
                values = {
                    "openid_index": self.keyring.index("openid", openid),
                    "resident_id": own,
                    "openid": shared.seal(Place("wechat_user", "openid", own), openid),
                }
                session.execute(WECHAT_USER.insert().values(values))
                self.openids[own] = openid
        return own

    def allow(self, resident: int, accepts: int = 1, template: str = RESULT) -> None:
        """So many messages of a template."""
        values = {"resident_id": resident, "template_id": template, "accepts": accepts}
        with Session(self.engine) as session, session.begin():
            session.execute(SUBSCRIPTION.insert().values(values))

    def reached(self, simulator: Simulator, name: str, accepts: int = 1) -> int:
        """A person whose account allows messages, here and at WeChat; the person."""
        simulator.user(name)
        simulator.subscribe(name, {RESULT: "accept"})
        for _ in range(accepts - 1):
            simulator.subscribe(name, {RESULT: "accept"})
        person = self.person(name)
        self.allow(self.account(person, simulator.openid(name)), accepts)
        return person

    def crowd(self, simulator: Simulator, count: int, quota: int = 1) -> list[int]:
        """Many people at once, as `reached`; the people."""
        made = simulator.control(
            "POST", "/crowd", {"prefix": "crowd", "count": count, "quota": {RESULT: quota}}
        )
        with Session(self.engine) as session, session.begin():
            self.crowded += [
                _planted(session, self.keyring, openid, quota) for openid in made.values()
            ]
        return self.crowded

    def templates(self, moment: datetime = NOON) -> None:
        """What WeChat listed is known."""
        with transaction() as session:
            keep_templates(session, TEMPLATES, moment)

    def owe(self, people: Sequence[int], event: str = "grant", moment: datetime = NOON) -> int:
        """A message to each."""
        with transaction() as session:
            return owe_all(session, [Owed(event, one, "match_run:1") for one in people], moment)

    def execute(self, statement: str, **values: Any) -> None:
        """One statement, committed."""
        with Session(self.engine) as session, session.begin():
            session.execute(text(statement), values)

    # -- what became of it -------------------------------------------------------------------------

    def rows(self, query: str, **values: Any) -> list[Any]:
        """The rows of a query."""
        with Session(self.engine) as session:
            return [tuple(row) for row in session.execute(text(query), values)]

    def states(self) -> list[tuple[str, str]]:
        """State and channel of every message."""
        return self.rows("SELECT state, channel FROM message ORDER BY id")

    def ended(self) -> Counter[str]:
        """How many messages stand in which state."""
        return Counter(state for state, _ in self.states())

    def trail(self) -> list[tuple[str, str, str]]:
        """Channel, state and reason of every attempt."""
        return self.rows("SELECT channel, state, code FROM message_attempt ORDER BY id")

    def work(self) -> list[tuple[str, str]]:
        """Kind and subject of every open work item."""
        return self.rows("SELECT kind, subject_id FROM work_item WHERE state <> 'done' ORDER BY id")

    def texts(self) -> list[str]:
        """The text messages sent."""
        return [one for (one,) in self.rows("SELECT text FROM sms_outbox ORDER BY id")]

    def balance(self) -> list[tuple[int, int]]:
        """Accepts and sends of every account."""
        return self.rows("SELECT accepts, sends FROM subscription ORDER BY resident_id")


def _planted(session: Session, keyring: Keyring, openid: str, quota: int) -> int:
    person, resident = (
        int(session.execute(text("SELECT nextval('row_id')")).scalar_one()) for _ in range(2)
    )
    shared = keyring.shared()
    session.execute(
        _PLANT_PERSON, {"id": person, "area": JIANGYIN, "key": keyring.new_person_key(person)}
    )
    session.execute(RESIDENT.insert().values(id=resident, person_id=person, level=2))
    session.execute(
        WECHAT_USER.insert().values(
            openid_index=keyring.index("openid", openid),
            resident_id=resident,
            openid=shared.seal(Place("wechat_user", "openid", resident), openid),
        )
    )
    session.execute(
        SUBSCRIPTION.insert().values(resident_id=resident, template_id=RESULT, accepts=quota)
    )
    return person


_PLANT_PERSON: Final = text(
    "INSERT INTO person (id, known, area, lives_in, household_id, insurance, rural,"
    " declined_health_service, born_on, sex, name, phone, phone_index, data_key, file_id, revision)"
    " VALUES (:id, true, :area, :area, 0, 1, false, false, '1960-05-01', 1, '', '', '', :key, 1, 1)"
)
