"""The money of a case over HTTP: decided by people, brought by workers, released by two, paid by the
bank, until the case is closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from backend.applications.effect_tasks import finish_all
from backend.kernel import clock, keys
from backend.kernel.database import bound
from backend.notifications.taking import take_notices
from backend.policies.procedures import Procedure
from tests.support.case_effects import Effects
from tests.support.case_http import Applying, County, Office
from tests.support.notice_days import days_later, days_up, noon_of

WHO: Final = "测试甲"


@dataclass
class Money:
    """Workers, the office that pays, and the bank, of a county."""

    county: County
    folder: Path

    def __post_init__(self) -> None:
        self.works = Effects(
            self.county.owner, self.county.town.keyring, self.folder, clock.today()
        )
        self.morning = clock.today()
        self.person = self.county.people[WHO].id

    def applied(self, procedure: Procedure, *bills: int) -> Applying:
        """A case that the county has approved, or put on a public notice."""
        applying = Applying(self.county, WHO, procedure, bills=",".join(map(str, bills)))
        applying.apply()
        office = Office(self.county, applying.case)
        office.step("镇甲", "accept")
        office.step("镇甲", "review")
        office.step("县甲", "approve")
        return applying

    def notice_over(self) -> None:
        """The list is put up, its days go by, and nobody objects."""
        owner = self.county.owner
        with bound(self.works.worker), keys.bound(self.county.town.keyring):
            noon_of(owner, clock.today())
        day = days_later(owner, days_up(owner) + 1) + timedelta(days=1)
        with bound(self.works.worker), keys.bound(self.county.town.keyring):
            noon_of(owner, day)

    def released(self) -> None:
        """What workers have to do is done; every run that is computed is released by two."""
        self.county.work()
        for (run,) in self.works.ask("SELECT id FROM match_run WHERE state = 'computed'"):
            self.works.release(run)

    def paid(self) -> int:
        """The bank pays what is due; how much it ever paid (fen)."""
        return self.works.pay(self.county.area)

    def mornings(self, days: int = 2) -> None:
        """So many days later, looked at every day."""
        for _ in range(days):
            self.morning += timedelta(days=1)
            with bound(self.works.worker):
                finish_all.task(period=self.morning.isoformat())
            self.county.work()

    def revoked(self, case: int) -> None:
        """By two, after all of it."""
        office = Office(self.county, case)
        office.step("镇乙", "propose", note="收入不实")
        office.step("县乙", "revoke", note="核对属实")

    def told(self, who: str = WHO) -> list[str]:
        """The events of which the inbox tells, the newest in front."""
        with self.works.working() as session:
            take_notices(session, clock.now())
        inbox = self.county.get(who, "/inbox")
        return [one["event"] for one in inbox["messages"]]

    def items(self) -> list[tuple[Any, ...]]:
        """State and amount of what is owed, in the order of its making."""
        return self.works.ask("SELECT state, amount FROM payment_item ORDER BY id")

    def states(self, case: int) -> list[str]:
        """The deeds of the timeline as the resident reads it."""
        told = self.county.get(WHO, f"/applications/{case}/progress")
        return [one["deed"] for one in told["steps"]]
