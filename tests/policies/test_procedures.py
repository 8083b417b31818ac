"""What can be applied for where, against a table read from the policies; and files at fault."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.kernel.settings import PROJECT
from backend.policies.catalogue import HOME, CatalogueError, load_catalogue
from backend.policies.procedures import KINDS, MOST_FIELDS, Procedure, UnknownKind

TABLE: Mapping[str, Mapping[str, dict[str, Any]]] = yaml.safe_load(
    (PROJECT / "tests" / "cases" / "procedures.yaml").read_text(encoding="utf-8")
)
CELLS = [(policy, kind) for policy, kinds in TABLE.items() for kind in kinds]
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def book() -> Any:
    return load_catalogue()


def found(procedure: Procedure, name: str) -> Any:
    if name in procedure.deadlines:
        return procedure.deadlines[name].working_days
    if name == "categories":
        fields = procedure.fields.values()
        return [one.code for field in fields if field.type == "category" for one in field.choices]
    return getattr(procedure, name)


def test_every_policy_offers_the_kinds_of_the_table_and_no_others(book: Any) -> None:
    offered = {policy: set(kinds) for policy, kinds in book.procedures.items()}
    assert offered == {policy: set(kinds) for policy, kinds in TABLE.items()}
    assert set(KINDS) == {kind for kinds in TABLE.values() for kind in kinds}


@pytest.mark.parametrize(("policy", "kind"), CELLS)
def test_a_kind_runs_as_the_policy_says(book: Any, policy: str, kind: str) -> None:
    procedure = book.procedure(policy, kind)
    wanted = TABLE[policy][kind]
    assert {name: found(procedure, name) for name in wanted} == wanted


@pytest.mark.parametrize(("policy", "kind"), CELLS)
def test_nobody_fills_in_more_than_twelve_fields(book: Any, policy: str, kind: str) -> None:
    procedure = book.procedure(policy, kind)
    own = [one for one in procedure.fields.values() if one.from_register is None]
    assert 0 < len(own) <= MOST_FIELDS


@pytest.mark.parametrize(("policy", "kind"), CELLS)
def test_every_refusal_says_what_can_be_done(book: Any, policy: str, kind: str) -> None:
    reasons = book.procedure(policy, kind).refusal_reasons.values()
    assert all(one.residents and ("申" in one.remedy or "请" in one.remedy) for one in reasons)


def test_an_emergency_begins_with_the_certificate_alone(book: Any) -> None:
    for kinds in book.procedures.values():
        for procedure in kinds.values():
            first = [one.code for one in procedure.papers.values() if one.required == "fast_lane"]
            assert first == (["diagnosis_certificate"] if procedure.fast_lane else [])


def test_a_place_without_a_policy_applies_by_the_product_s_default(book: Any) -> None:
    assert {one.policy for one in book.procedures_at("110105", TODAY).values()} == {"plan-2026"}
    assert "high_cost_relief" not in book.procedures_at("110105", TODAY)


def test_where_the_own_policy_is_over_its_kinds_stay_for_the_matters_of_its_time(book: Any) -> None:
    found_there = book.procedures_at("330382", TODAY)
    assert {one.policy for one in found_there.values()} == {"yueqing-2022-41"}


def test_an_unknown_kind_is_refused_with_what_to_do(book: Any) -> None:
    with pytest.raises(UnknownKind) as refusal:
        book.procedure("wuxi-2022-98", "special_assistance")
    assert "请" in refusal.value.faults[0].detail


FAULTS = {
    "a kind that is not known": ("kind: charity", "kind: charities", "没有这种申请：charities"),
    "a clause that does not exist": ("clause: 六(十一)", "clause: 六(十二十)", "没有这一条"),
    "a category that is not known": ("[illness_impoverished", "[ill_impoverished", "没有这种身份"),
    "a reading that does not exist": (
        "clause: 五(十)\n  reading: service-defaults", "clause: 五(十)\n  reading: defaults",
        "没有这条解读",
    ),
    "a deadline that is not known": (
        "{kind: referral, clause: 七(十五)}",
        "{kind: referral, clause: 七(十五), deadlines: {somewhen: 3}}", "期限“somewhen”",
    ),
    "a kind given twice": (
        "{kind: referral, clause: 七(十五)}",
        "{kind: referral, clause: 七(十五)}\n- {kind: referral, clause: 七(十五)}", "写了两次",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_at_fault_names_line_and_reason(tmp_path: Path, name: str) -> None:
    old, new, reason = FAULTS[name]
    home = tmp_path / "catalogue"
    shutil.copytree(HOME, home)
    file = home / "wuxi-2022-98" / "procedures.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError) as refusal:
        load_catalogue(home=home)
    (fault,) = refusal.value.faults
    assert fault.file == "wuxi-2022-98/procedures.yaml"
    assert reason in fault.reason
    assert fault.line > 0


def test_a_locality_changes_a_deadline_in_its_own_folder(tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(HOME / "wuxi-2022-98", own / "wuxi-2022-98")
    file = own / "wuxi-2022-98" / "procedures.yaml"
    text = file.read_text(encoding="utf-8")
    changed = text.replace("七(十五)}", "七(十五), deadlines: {supplement: 3}}", 1)
    file.write_text(changed, encoding="utf-8")
    procedure = load_catalogue([own]).procedure("wuxi-2022-98", "referral")
    assert procedure.deadlines["supplement"].working_days == 3
    assert (
        load_catalogue([own]).policy("wuxi-2022-98").version
        == load_catalogue().policy("wuxi-2022-98").version
    )
