"""疑问 (questions): what the rules cannot decide goes to a person, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from backend.kernel import areas
from backend.kernel.audit import Subject
from backend.kernel.money import format_yuan
from backend.matching.conditions import LEFT_OPEN, REASONS
from backend.matching.deciding import Barred
from backend.matching.differences import Changes
from backend.matching.due import InKind
from backend.matching.ground import Ground
from backend.matching.numbers import Numbers
from backend.matching.slice_data import SliceData, places
from backend.worklist.items import NewItem, open_items

OPENED_BY = "matching"


@dataclass(frozen=True)
class Findings:
    """What the steps before found on a slice."""

    barred: Barred
    changes: Changes
    in_kind: InKind


def open_questions(session: Session, data: SliceData, ground: Ground, found: Findings) -> int:
    """Open what is to be done by people; each once a year. Returns how many are new."""
    of = _Questions(ground.year, data, ground.numbers)
    items = [
        *of.not_insured_here(),
        *of.gone(found.barred),
        *of.paid_elsewhere(),
        *of.differing(found.changes),
        *of.undecided(found.in_kind),
    ]
    return open_items(session, items, OPENED_BY)


class _Questions:
    def __init__(self, year: int, data: SliceData, numbers: Numbers) -> None:
        self.year, self.data, self.numbers = year, data, numbers
        self.held = _held_in(data, year)

    def not_insured_here(self) -> Iterator[NewItem]:
        """Beneficiaries whom no assistance reaches until somebody has looked."""
        kinds = {
            "none": ("enrol_first", "有困难身份但没有参保：请先帮助参保、资助参保，之后才能救助。"),
            "elsewhere": (
                "insured_elsewhere",
                "有困难身份但参保在外地：请核实由哪里救助，核实以前这里没有救助。",
            ),
        }
        people = self.data.people
        for status, (kind, reason) in kinds.items():
            number = _INSURANCE[status]
            for place in np.flatnonzero((people["insurance"] == number) & self.held).tolist():
                yield self._of_person(kind, place, reason)

    def gone(self, barring: Barred) -> Iterator[NewItem]:
        """Bills after death or after moving away, of people who held an identity."""
        owners = self.data.owners
        for place in np.flatnonzero(barring.gone & self.held[owners]).tolist():
            bill = int(self.data.bills["id"][place])
            reason = "死亡以后入院，或者迁出以后出院的费用：系统没有支付，请核实。"
            yield self._of_person(
                "dead_or_moved_bill", int(owners[place]), reason, Subject("bill", str(bill))
            )

    def paid_elsewhere(self) -> Iterator[NewItem]:
        """Identities that the department of another area recognised and pays for."""
        rows = self.data.identities
        here = [int(code) for code in areas.chain(self.data.county)]
        away = (rows["origin_area"] != 0) & ~np.isin(rows["origin_area"], here)
        for row in np.flatnonzero(away).tolist():
            person = int(places(self.data.people["id"], rows["person_id"][row : row + 1])[0])
            subject = Subject("identity", str(int(rows["id"][row])))
            reason = "身份由外地发放待遇：请核实由哪里救助；核实以前按户籍地办理。"
            yield self._of_person("other_area_pays", person, reason, subject)

    def differing(self, found: Changes) -> Iterator[NewItem]:
        """Another amount was paid than was granted."""
        rows = found.differing
        names = {number: code for code, number in self.numbers.layers.items()}
        for row in range(len(rows["bill_id"])):
            one = {name: int(column[row]) for name, column in rows.items()}
            layer = names[one["layer"]]
            person = int(places(self.data.people["id"], rows["person_id"][row : row + 1])[0])
            reason = (
                f"结算单上这一项付了 {format_yuan(one['paid'])} 元，"
                f"系统决定的是 {format_yuan(one['granted'])} 元：请核对后处理。"
            )
            subject = Subject("grant", f"{one['bill_id']}/{layer}")
            amounts = f"{one['granted']}-{one['paid']}"
            yield self._of_person("amount_differs", person, reason, subject, amounts)

    def undecided(self, due: InKind) -> Iterator[NewItem]:
        """Whom a document leaves open: one list a county and year; other doubts: by person."""
        asked, names = due.questions, due.entitlements
        open_to_all = asked.reason == LEFT_OPEN
        for place in np.unique(asked.entitlement[open_to_all]).tolist():
            policy, code = names[place]
            yield NewItem(
                kind="entitlement_question",
                subject=Subject("entitlement", f"{policy}/{code}/{self.data.county}"),
                person_id=None,
                area=int(self.data.county) * 1_000_000,
                reason="文件没有写清这项待遇给哪些人：请按当地方案定下名单。",
                period=str(self.year),
            )
        for row in np.flatnonzero(~open_to_all).tolist():
            policy, code = names[int(asked.entitlement[row])]
            person = int(asked.person[row])
            subject = Subject(
                "entitlement", f"{policy}/{code}/{int(self.data.people['id'][person])}"
            )
            reason = REASONS[int(asked.reason[row])]
            yield self._of_person("entitlement_question", person, reason, subject)

    def _of_person(
        self, kind: str, place: int, reason: str, subject: Subject | None = None, more: str = ""
    ) -> NewItem:
        person = int(self.data.people["id"][place])
        return NewItem(
            kind=kind,
            subject=subject or Subject("person", str(person)),
            person_id=person,
            area=int(self.data.people["area"][place]),
            reason=reason,
            period=f"{self.year}{'/' if more else ''}{more}",
        )


_INSURANCE = {"elsewhere": 3, "none": 4}


def _held_in(data: SliceData, year: int) -> Any:
    """Whether each person held an identity on some day of the year."""
    rows = data.identities
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    within = (rows["from_on"] <= last) & (rows["to_on"] >= first)
    held = np.zeros(len(data.people["id"]), np.bool_)
    held[places(data.people["id"], rows["person_id"][within])] = True
    return held
