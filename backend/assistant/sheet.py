"""测算单 (the sheet): what an estimate in the chat knows so far, and the case that it makes."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from msgspec import Struct, structs

from backend.assistant.understanding import Slots
from backend.estimation.case import Bill, Case, Identity, Person
from backend.estimation.checks import FIRST_DAY
from backend.policies.book import PolicyBook
from backend.policies.policy import Policy
from backend.policies.standing import decide

BILL: Final = "1"


class Sheet(Struct, frozen=True, omit_defaults=True):
    """One bill of one person (fen). `done`: the questions that were answered, in their order;
    `unsure`: those that the person could not answer, `missed`: answers in a row not understood."""

    done: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    missed: int = 0
    area: str | None = None
    categories: tuple[str, ...] = ()
    setting: str | None = None
    day: date | None = None
    total: int | None = None
    in_scope: int | None = None
    own: int | None = None
    paid: dict[str, int] = {}
    flags: dict[str, bool] = {}
    disease_group: str | None = None
    declined: bool = False
    rare_drug: int = 0

    def answered(self, question: str, **found: Any) -> Sheet:
        """With the answer to a question."""
        return structs.replace(self, done=(*self.done, question), missed=0, **found)

    def not_known(self, question: str, **taken: Any) -> Sheet:
        """With a question that the person cannot answer, and what is taken instead."""
        unsure = (*self.unsure, question)
        return structs.replace(self.answered(question, **taken), unsure=unsure)

    def back(self) -> Sheet:
        """Without the last answer; that is asked again."""
        if not self.done:
            return self
        last, done = self.done[-1], self.done[:-1]
        unsure = tuple(one for one in self.unsure if one != last)
        return structs.replace(self, done=done, unsure=unsure, missed=0, **_forgotten(self, last))

    def without_place(self) -> Sheet:
        """With the place to be asked again, whatever else was answered."""
        done = tuple(one for one in self.done if one != "place")
        return structs.replace(self, done=done, area=None)


def filled(sheet: Sheet, slots: Slots) -> Sheet:
    """With what was named in passing, where the sheet does not know it yet."""
    named: tuple[tuple[str, dict[str, Any], bool], ...] = (
        ("place", {"area": slots.area}, slots.area is not None and sheet.area is None),
        ("who", {"categories": slots.categories}, bool(slots.categories)),
        ("setting", {"setting": slots.setting}, slots.setting is not None),
        ("day", {"day": slots.day}, slots.day is not None),
        ("total", {"total": slots.total}, slots.total is not None),
        ("in_scope", {"in_scope": slots.in_scope}, slots.in_scope is not None),
    )
    for question, found, there in named:
        if there and question not in sheet.done:
            sheet = sheet.answered(question, **found)
    for layer, fen in slots.paid.items():
        if layer not in sheet.paid:
            sheet = sheet.answered(layer, paid={**sheet.paid, layer: fen})
    own = sheet.own if slots.own is None else slots.own
    return structs.replace(sheet, own=own)


def policy_of(sheet: Sheet, book: PolicyBook, today: date) -> Policy | None:
    """The policy that decides there on the bill's day (today, while that is not known), else the
    nearest that concerns the place."""
    if sheet.area is None:
        return None
    decision = decide(book, sheet.area, sheet.day or today)
    nearest = decision.concerning[0].policy if decision.concerning else None
    return decision.decides or nearest


def case_of(sheet: Sheet, book: PolicyBook) -> Case:
    """The case; what was left open is taken as the form takes it. A policy whose days nobody
    confirmed yet decides only where it is named. Raises `ValueError` before all is asked.
    """
    if sheet.setting is None or sheet.day is None or sheet.total is None or sheet.area is None:
        raise ValueError("the sheet is not filled in")
    policy = policy_of(sheet, book, sheet.day)
    named = policy.id if policy is not None and policy.unconfirmed else None
    in_scope = sheet.total - sheet.rare_drug if sheet.in_scope is None else sheet.in_scope
    bill = Bill(
        id=BILL,
        setting=sheet.setting,
        admitted_on=sheet.day,
        discharged_on=sheet.day,
        total=sheet.total,
        in_scope=max(in_scope, 0),
        paid=dict(sheet.paid),
        disease_group=sheet.disease_group or "general",
        rare_drug=sheet.rare_drug,
        **sheet.flags,
    )
    held = tuple(Identity(code, FIRST_DAY) for code in sheet.categories)
    person = Person(held, sheet.declined)
    return Case(person, (bill,), named, None if named else sheet.area)


def _forgotten(sheet: Sheet, question: str) -> dict[str, Any]:
    """What the fields are before a question is answered."""
    fields: dict[str, dict[str, Any]] = {
        "place": {"area": None},
        "who": {"categories": ()},
        "declined": {"declined": False},
        "rare_drug": {"rare_drug": 0},
    }
    if question in sheet.paid:
        return {"paid": {layer: fen for layer, fen in sheet.paid.items() if layer != question}}
    if question in sheet.flags:
        return {"flags": {name: on for name, on in sheet.flags.items() if name != question}}
    plain = {"setting", "day", "total", "in_scope", "disease_group"}
    return {question: None} if question in plain else fields.get(question, {})
