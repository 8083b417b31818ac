"""疑问 (questions): what the rules cannot decide goes to a person, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from backend.citizens.tables import INSURANCE
from backend.kernel import areas
from backend.kernel.audit import Subject
from backend.kernel.copy import Columns
from backend.kernel.money import format_yuan
from backend.matching.conditions import LEFT_OPEN, REASONS
from backend.matching.deciding import Barred, insurance_on
from backend.matching.differences import Changes
from backend.matching.due import InKind
from backend.matching.numbers import Numbers
from backend.matching.reading import Ids, Reader, rows_of
from backend.matching.slice_data import SliceData, places
from backend.worklist.items import NewItem, open_items, supersede_items

OPENED_BY: Final = "matching"
_OPEN: Final = (
    "SELECT w.kind, w.subject_kind, w.subject_id, w.period FROM {{people}} {whose}"
    " ON w.state <> 'done' WHERE {{who}} AND w.opened_by = %s"
)
_OWN: Final = _OPEN.format(whose=rows_of("p.id", "work_item", "w"))
_MERGED: Final = _OPEN.format(
    whose="JOIN person_merge m ON m.person_id = p.id AND m.undone_at IS NULL "
    + rows_of("m.merged_id", "work_item", "w")
)
_NOT_HERE: Final = {
    "none": ("enrol_first", "有困难身份但没有参保：请先帮助参保、资助参保，之后才能救助。"),
    "elsewhere": (
        "insured_elsewhere",
        "有困难身份但参保在外地：请核实由哪里救助，核实以前这里没有救助。",
    ),
}
_GONE: Final = "死亡以后入院，或者迁出以后出院的费用：系统没有支付，请核实。"
_LATE: Final = "出院的日期在死亡的日期以后：已按结算单计算，请核实日期。"


@dataclass(frozen=True)
class Findings:
    """What the steps before found on a slice."""

    barred: Barred
    changes: Changes
    in_kind: InKind
    numbers: Numbers
    decided: bool
    """Whether any policy decides in the county in the year."""
    among: Ids | None
    """Who was computed; None: everybody of the slice."""


def open_questions(session: Session, reader: Reader, data: SliceData, found: Findings) -> int:
    """Open what is to be done by people, each once a year; what was asked of these people before,
    and is no question any more, is closed. Returns how many are new."""
    of = _Questions(reader.slice.year, data, found.numbers)
    decided = [*of.not_insured_here(found.barred), *of.gone(found.barred)] if found.decided else []
    items = [
        *decided,
        *of.paid_elsewhere(),
        *of.differing(found.changes),
        *of.doubtful(found.in_kind),
    ]
    waiting = _close_the_rest(session, reader, found.among, items)
    asked = [item for item in items if (item.kind, item.subject, item.period) not in waiting]
    return open_items(session, asked, OPENED_BY)


def left_open(found: InKind) -> list[str]:
    """Entitlements of which a document leaves open whom exactly they are for: `policy/code`."""
    asked = found.questions
    codes = np.unique(asked.entitlement[asked.reason == LEFT_OPEN]).tolist()
    return ["/".join(found.entitlements[place]) for place in codes]


def open_lists(session: Session, year: int, parts: Iterable[tuple[int, Sequence[str]]]) -> int:
    """One item a county and such entitlement: who is on the list. `parts`: (county, what is open).

    For the end of a run: the parts of a county would wait for one another here.
    """
    asked = sorted({(county, code) for county, codes in parts for code in codes})
    items = [
        NewItem(
            kind="entitlement_question",
            subject=Subject("entitlement", f"{code}/{county:06d}"),
            person_id=None,
            area=county * 1_000_000,
            reason="文件没有写清这项待遇给哪些人：请按当地方案定下名单。",
            period=str(year),
        )
        for county, code in asked
    ]
    return open_items(session, items, OPENED_BY)


def _close_the_rest(
    session: Session, reader: Reader, among: Ids | None, items: Sequence[NewItem]
) -> set[tuple[str, Subject, str]]:
    """What was asked before and still waits."""
    year = str(reader.slice.year)
    asked = {(item.kind, item.subject, item.period) for item in items}
    stale: dict[tuple[str, str], list[Subject]] = {}
    queries = reader.also_merged(_OWN, _MERGED)
    waiting = {
        (kind, Subject(subject_kind, subject_id), period)
        for query in queries
        for kind, subject_kind, subject_id, period in reader.fetch(query, among, OPENED_BY)
    }
    for kind, subject, period in waiting - asked:
        if period.partition("/")[0] == year:
            stale.setdefault((kind, period), []).append(subject)
    for (kind, period), subjects in stale.items():
        supersede_items(session, kind, subjects, OPENED_BY, period)
    return waiting & asked


class _Questions:
    def __init__(self, year: int, data: SliceData, numbers: Numbers) -> None:
        self.year, self.data, self.numbers = year, data, numbers
        self.held = _held(data, year)

    def not_insured_here(self, barring: Barred) -> Iterator[NewItem]:
        """Beneficiaries whom no assistance reaches until somebody has looked: not insured here at
        the end of the year, or on the day of a bill."""
        owners, everybody = self.data.owners, np.arange(len(self.data.people["id"]))
        last = np.full(len(everybody), date(self.year, 12, 31).toordinal())
        now = insurance_on(self.data, everybody, last)
        for status, bills in (("none", barring.uninsured), ("elsewhere", barring.elsewhere)):
            kind, reason = _NOT_HERE[status]
            asked = now == INSURANCE.index(status)
            asked[owners[bills]] = True
            for place in np.flatnonzero(asked & self.held).tolist():
                yield self._of_person(kind, place, reason)

    def gone(self, barring: Barred) -> Iterator[NewItem]:
        """Bills after death or moving away, or that end after death, of who held an identity."""
        owners, bills = self.data.owners, self.data.bills
        late = ~barring.gone & (bills["discharged_on"] > self.data.people["died_on"][owners])
        for flags, reason in ((barring.gone, _GONE), (late, _LATE)):
            for place in np.flatnonzero(flags & self.held[owners]).tolist():
                subject = Subject("bill", str(int(bills["id"][place])))
                yield self._of_person("dead_or_moved_bill", int(owners[place]), reason, subject)

    def paid_elsewhere(self) -> Iterator[NewItem]:
        """Identities of the year that the department of another area recognised and pays for."""
        rows = self.data.identities
        here = [int(code) for code in areas.chain(self.data.county)]
        away = (rows["origin_area"] != 0) & ~np.isin(rows["origin_area"], here)
        for row in np.flatnonzero(away & _within(rows, self.year)).tolist():
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

    def doubtful(self, due: InKind) -> Iterator[NewItem]:
        """People of whom too little is known to say whether something is due to them."""
        asked, names = due.questions, due.entitlements
        for row in np.flatnonzero(asked.reason != LEFT_OPEN).tolist():
            code = "/".join(names[int(asked.entitlement[row])])
            person = int(asked.person[row])
            subject = Subject("entitlement", f"{code}/{int(self.data.people['id'][person])}")
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


def _held(data: SliceData, year: int) -> Any:
    """Whether each person held an identity on some day of the year."""
    held = np.zeros(len(data.people["id"]), np.bool_)
    rows = data.identities
    held[places(data.people["id"], rows["person_id"][_within(rows, year)])] = True
    return held


def _within(identities: Columns, year: int) -> Any:
    """Whether each identity was held on some day of the year."""
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    return (identities["from_on"] <= last) & (identities["to_on"] >= first)
