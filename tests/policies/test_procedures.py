"""What can be applied for where, against a table read from the policies."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backend.accounts.consent_texts import consent_texts
from backend.applications.clocks import NAMES
from backend.applications.moves import MOVES
from backend.kernel.settings import PROJECT
from backend.letters.wording import FOLDER, newest
from backend.policies.book import PolicyBook
from backend.policies.catalogue import HOME, load_catalogue
from backend.policies.procedures import (
    CLOCKS,
    KINDS,
    LETTERS,
    MOST_FIELDS,
    Procedure,
    UnknownKind,
)
from tests.support.from_yaml import from_yaml

CASES = from_yaml(PROJECT / "tests" / "cases" / "procedures.yaml")
OWN: Mapping[str, dict[str, Any]] = CASES["kinds"]
TABLE: Mapping[str, Mapping[str, dict[str, Any]]] = CASES["policies"]
CELLS = [(policy, kind) for policy, kinds in TABLE.items() for kind in kinds]
TODAY = date(2026, 11, 23)


def wanted(policy: str, kind: str) -> dict[str, Any]:
    own, theirs = OWN[kind], TABLE[policy][kind]
    nothing = dict.fromkeys(("layer", "letter", "consent", "notice", "notice_clause"))
    lists: dict[str, Any] = {"categories": [], "always": [], "emergency": [], "stated": {}}
    flags = dict.fromkeys(("filing", "fast_lane", "reading"), False)
    days = own["days"] | theirs.get("days", {})
    return {**nothing, **lists, **flags, **own, **theirs, "days": days}


def found(one: Procedure) -> dict[str, Any]:
    fields, papers = one.fields.values(), one.papers.values()
    return {
        "brings": one.brings,
        "decides": one.decides,
        "filing": one.filing,
        "letter": one.letter,
        "consent": one.consent,
        "layer": one.layer,
        "fast_lane": one.fast_lane,
        "notice": one.notice,
        "notice_clause": one.notice_rests_on and one.notice_rests_on.clause,
        "clause": one.clause,
        "reading": one.reading is not None,
        "days": {clock: deadline.working_days for clock, deadline in one.deadlines.items()},
        "stated": {clock: d.clause for clock, d in one.deadlines.items() if d.clause},
        "categories": [c.code for f in fields if f.type == "category" for c in f.choices],
        "always": [paper.code for paper in papers if paper.required == "always"],
        "emergency": [paper.code for paper in papers if paper.required == "fast_lane"],
    }


def test_every_policy_offers_the_kinds_of_the_table_and_no_others(book: PolicyBook) -> None:
    offered = {policy: set(kinds) for policy, kinds in book.procedures.items()}
    assert offered == {policy: set(kinds) for policy, kinds in TABLE.items()}
    assert set(KINDS) == {kind for kinds in TABLE.values() for kind in kinds} == set(OWN)


@pytest.mark.parametrize(("policy", "kind"), CELLS)
def test_a_kind_runs_as_the_policy_says(book: PolicyBook, policy: str, kind: str) -> None:
    assert found(book.procedure(policy, kind)) == wanted(policy, kind)


@pytest.mark.parametrize(("policy", "kind"), CELLS)
def test_nobody_fills_in_more_than_twelve_fields(book: PolicyBook, policy: str, kind: str) -> None:
    procedure = book.procedure(policy, kind)
    own = [one for one in procedure.fields.values() if one.from_register is None]
    assert 0 < len(own) <= MOST_FIELDS


@pytest.mark.parametrize(("policy", "kind"), CELLS)
def test_every_refusal_says_what_can_be_done(book: PolicyBook, policy: str, kind: str) -> None:
    reasons = book.procedure(policy, kind).refusal_reasons.values()
    assert all(one.residents and ("申" in one.remedy or "请" in one.remedy) for one in reasons)


def test_the_days_of_a_clause_are_those_of_its_parameter(book: PolicyBook) -> None:
    tinghu, plan = book.procedures["tinghu-trial"], book.procedures["plan-2026"]
    approval = book.policy("tinghu-trial").parameters["approval.working_days"].on(TODAY)
    review = book.policy("plan-2026").parameters["first_review.working_days"].on(TODAY)
    assert approval is not None
    assert review is not None
    for kind in ("recognition", "special_assistance"):
        assert tinghu[kind].deadlines["approval"].working_days == approval.value
    assert plan["recognition"].deadlines["first_review"].working_days == review.value


def test_who_decides_is_who_makes_the_move(book: PolicyBook) -> None:
    seats = {deed: {move.seat for move in MOVES.values() if move.deed == deed} for deed in (
        "file", "approve",
    )}  # fmt: skip
    assert seats == {"file": {"township"}, "approve": {"county"}}
    for kinds in book.procedures.values():
        for one in kinds.values():
            assert {one.decides} == seats["file" if one.filing else "approve"]


def test_every_letter_and_consent_that_is_asked_for_exists(book: PolicyBook) -> None:
    every = [one for kinds in book.procedures.values() for one in kinds.values()]
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(LETTERS)
    assert all(newest(one.letter).template == one.letter for one in every if one.letter)
    assert all(one.consent in consent_texts().purposes for one in every if one.consent)


def test_every_clock_has_a_name_and_says_what_its_days_rest_on(book: PolicyBook) -> None:
    assert tuple(book.clocks) == CLOCKS
    assert {clock: book.clocks[clock].name for clock in NAMES} == dict(NAMES)
    assert all(one.basis.endswith("。") and one.counted_from for one in book.clocks.values())


def test_a_place_without_a_policy_applies_by_the_product_s_default(book: PolicyBook) -> None:
    assert {one.policy for one in book.procedures_at("110105", TODAY).values()} == {"plan-2026"}
    assert "high_cost_relief" not in book.procedures_at("110105", TODAY)


def test_days_that_nobody_confirmed_leave_a_place_with_the_default(book: PolicyBook) -> None:
    assert "special_assistance" not in book.procedures_at("320902", TODAY)
    confirmed = book.with_confirmed({"tinghu-trial": (date(2026, 1, 1), None)})
    assert "special_assistance" in confirmed.procedures_at("320902", TODAY)


def test_where_the_own_policy_is_over_its_kinds_stay_for_the_matters_of_its_time(
    book: PolicyBook,
) -> None:
    found_there = book.procedures_at("330382", TODAY)
    assert {one.policy for one in found_there.values()} == {"yueqing-2022-41"}


def test_an_unknown_kind_is_refused_with_what_to_do(book: PolicyBook) -> None:
    with pytest.raises(UnknownKind) as refusal:
        book.procedure("wuxi-2022-98", "special_assistance")
    assert "请" in refusal.value.faults[0].detail


# -- a locality's own ------------------------------------------------------------------------


def own_wuxi(folder: Path, text: str | None) -> PolicyBook:
    """The catalogue of a place that keeps Wuxi's policy with a `procedures.yaml` of its own."""
    shutil.copytree(HOME / "wuxi-2022-98", folder / "wuxi-2022-98")
    file = folder / "wuxi-2022-98" / "procedures.yaml"
    file.unlink() if text is None else file.write_text(text, encoding="utf-8")
    return load_catalogue([folder])


def written() -> str:
    return (HOME / "wuxi-2022-98" / "procedures.yaml").read_text(encoding="utf-8")


def test_a_locality_changes_a_deadline_in_its_own_folder(book: PolicyBook, tmp_path: Path) -> None:
    own = own_wuxi(tmp_path, written().replace(
        "referral, clause: 七(十五)}", "referral, clause: 七(十五), deadlines: {supplement: 3}}", 1
    ))  # fmt: skip
    changed = own.procedure("wuxi-2022-98", "referral").deadlines["supplement"]
    assert (changed.working_days, changed.clause) == (3, "七(十五)")
    assert own.policy("wuxi-2022-98").version == book.policy("wuxi-2022-98").version
    assert own.procedures_version("wuxi-2022-98") != book.procedures_version("wuxi-2022-98")
    assert own.procedures_version("plan-2026") == book.procedures_version("plan-2026")


def test_the_version_is_of_what_is_said_and_not_of_how_it_is_written(
    book: PolicyBook, tmp_path: Path
) -> None:
    lines = [line for line in written().splitlines() if not line.startswith("#")]
    own = own_wuxi(tmp_path, "\n\n".join(lines) + "\n")
    assert own.procedures_version("wuxi-2022-98") == book.procedures_version("wuxi-2022-98")


def test_a_locality_asks_its_own_fields_and_names_its_own_reasons(tmp_path: Path) -> None:
    own = own_wuxi(
        tmp_path,
        """
- kind: correction
  clause: 七(十四)
  fields: [{code: what, label: 哪一项不对, type: text, longest: 30}]
  papers: []
  refusal_reasons: [{code: never, label: 不行, residents: 不能改。, remedy: 请到窗口问。}]
  retention_years: 15
""",
    )
    one = own.procedure("wuxi-2022-98", "correction")
    assert [(field.code, field.longest) for field in one.fields.values()] == [("what", 30)]
    assert (list(one.papers), list(one.refusal_reasons), one.retention_years) == ([], ["never"], 15)


def test_who_leaves_the_file_out_has_the_default_and_who_leaves_it_empty_nothing(
    tmp_path: Path,
) -> None:
    left_out = own_wuxi(tmp_path / "a", None).procedures_at("320281", TODAY)
    assert {one.policy for one in left_out.values()} == {"plan-2026"}
    assert own_wuxi(tmp_path / "b", "[]\n").procedures_at("320281", TODAY) == {}


def test_every_procedure_is_told_apart_by_its_version(book: PolicyBook) -> None:
    kinds = dict(book.procedures["plan-2026"])
    kinds["referral"] = replace(kinds["referral"], residents="改过的话。")
    other = replace(book, procedures={**book.procedures, "plan-2026": kinds})
    assert other.procedures_version("plan-2026") != book.procedures_version("plan-2026")
