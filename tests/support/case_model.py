"""How a case should move, written from docs/applications.md and apart from moves.py: pure Python,
no database. The database is compared with it step by step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Final

TABLE: Final = """
    submit    applicant  draft                                           submitted
    discard   applicant  draft                                           withdrawn
    expire    system     draft                                           withdrawn
    withdraw  applicant  submitted,accepted,supplement,reviewed,noticed  withdrawn
    accept    1          submitted                                       accepted
    ask       1          submitted,accepted,reviewed                     supplement
    supply    applicant  supplement                                      accepted
    lapse     system     supplement                                      withdrawn
    file      1          accepted                                        granted
    help      2          accepted                                        helped
    review    1          accepted,helped                                 reviewed
    return    2          reviewed                                        accepted
    approve   2          reviewed                                        granted,noticed
    refuse    2          reviewed                                        refused
    confirm   2s         noticed                                         granted
    stop      2          noticed                                         reviewed
    appeal    applicant  refused                                         appealed
    overturn  2          appealed                                        accepted
    uphold    2          appealed                                        closed
    pay       system     granted                                         paid
    close     system     granted,paid,refused                            closed
    propose   1          helped,granted,paid,closed                      revoking
    revoke    2          revoking                                        revoked
    keep      2          revoking                                        helped,granted,paid,closed
"""
DESKS: Final = {
    1: ("submitted", "accepted", "helped"),
    2: ("reviewed", "noticed", "appealed", "revoking"),
}
"""Level of the desk that a state begins at: 1 the township, 2 the county."""
OVER: Final = ("closed", "withdrawn", "revoked")
STATES: Final = (
    "draft", "supplement", *DESKS[1], *DESKS[2], "granted", "paid", "refused", *OVER,
)  # fmt: skip
ROLES: Final = {1: "township_reviewer", 2: "county_officer", 3: "city_officer"}
DECIDED: Final = {"review", "approve", "refuse", "help", "file"}


@dataclass(frozen=True)
class Someone:
    """Who acts. `staff`: which member of staff, whatever the duty; `level`: 1 township, 2 county,
    3 city, 0 none; `near`: the duty's area has the case; `applies`: may apply for the person;
    `related`: to the applicant, by the register.
    """

    name: str
    staff: str = ""
    level: int = 0
    near: bool = True
    applies: bool = False
    related: bool = False


SYSTEM: Final = Someone("")


def _moves() -> Iterator[tuple[str, str, str, str]]:
    for line in TABLE.strip().splitlines():
        deed, seat, before, after = line.split()
        for one, other in product(before.split(","), after.split(",")):
            yield deed, seat, one, other
    for state in (*DESKS[1], *DESKS[2]):
        yield "escalate", "system", state, state


SEATS: Final = {(deed, before, after): seat for deed, seat, before, after in _moves()}
DEEDS: Final = tuple(sorted({deed for deed, _, _ in SEATS}))


@dataclass
class CaseModel:
    """A case as it should be."""

    begun_by: Someone
    filing: bool = False
    fast_lane: bool = False
    notice: bool = False
    state: str = "draft"
    raised: int = 0
    seq: int = 0
    claimant: Someone | None = None
    back: str = ""
    recused: set[str] = field(default_factory=set)
    did: list[tuple[str, str]] = field(default_factory=list)
    """Deed and member of staff, of each step by one."""

    @property
    def level(self) -> int:
        """Of the desk at which it lies; 0: at none."""
        base = next((level for level, states in DESKS.items() if self.state in states), 0)
        if self.state == "accepted" and self.fast_lane:
            base = 2  # helped first, by the county
        return min(base + self.raised, 3) if base else 0

    @property
    def desk(self) -> str:
        if self.level:
            return ROLES[self.level]
        if self.state in OVER:
            return ""
        return "applicant" if self.state in ("draft", "supplement") else "system"

    def seen_by(self, who: Someone) -> bool:
        return who is SYSTEM or who.applies or bool(
            who.level and who.near and self.state != "draft"
        )  # fmt: skip

    def may(self, who: Someone, deed: str, after: str) -> bool:
        seat = SEATS.get((deed, self.state, after))
        if seat is None or not self.seen_by(who) or not self._fits(deed, after):
            return False
        if who is SYSTEM:
            return seat in ("system", "2s")
        if seat == "applicant":
            return who.applies
        if deed == "confirm":
            return False  # by hand only after its list was up: tests/public_notices
        if seat == "system" or who.level < int(seat[0]) or not who.near:
            return False
        at_desk = self.level in (0, who.level)
        free = self.claimant is None or self.claimant.staff == who.staff
        return at_desk and free and not self.partial(who) and not self._did_other(who, deed)

    def afters(self, deed: str) -> list[str]:
        """The states to which the deed can lead from here."""
        return [
            after
            for one, before, after in SEATS
            if (one, before) == (deed, self.state) and self._fits(deed, after)
        ]

    def partial(self, who: Someone) -> bool:
        """Part of the case: related, recused, or applied in it."""
        applied = {staff for deed, staff in self.did if self._by_applicant(deed)}
        began = who.staff == self.begun_by.staff != ""
        return who.related or began or who.staff in self.recused | applied

    def may_claim(self, who: Someone) -> bool:
        at_desk = self.level != 0 and self.level == who.level and who.near
        return at_desk and self.claimant is None and not self.partial(who)

    def move(self, who: Someone, deed: str, after: str) -> None:
        if deed == "propose":
            self.back = self.state
        self.raised = self.raised + 1 if deed == "escalate" else 0
        self.state = after
        self.seq += 1
        if who.staff:
            self.did.append((deed, who.staff))
        if self.claimant is not None and self.claimant.level != self.level:
            self.claimant = None

    def _fits(self, deed: str, after: str) -> bool:
        return {
            "file": self.filing,
            "help": self.fast_lane,
            "approve": self.notice == (after == "noticed"),
            "keep": after == self.back,
        }.get(deed, True)

    def _did_other(self, who: Someone, deed: str) -> bool:
        """Whether who acts did what another must have done before."""
        decided = {"review", "help", "refuse"}
        others = {
            "help": {"accept"},
            "review": {"help"} if self.state == "helped" else set(),
            "approve": decided,
            "refuse": decided,
            "confirm": {"review"},
            "overturn": DECIDED,
            "uphold": DECIDED,
            "revoke": {"propose"},
            "keep": {"propose"},
        }.get(deed, set())
        return any((one, who.staff) in self.did for one in others)

    @staticmethod
    def _by_applicant(deed: str) -> bool:
        return any(seat == "applicant" for (one, _, _), seat in SEATS.items() if one == deed)
