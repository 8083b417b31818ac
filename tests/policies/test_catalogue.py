"""The project's own catalogue says what the five documents decide."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from backend.policies.book import PolicyBook
from backend.policies.catalogue import HOME, load_catalogue
from backend.policies.policy import Policy
from tests.support.catalogues import SIXTH_POLICY

DAY = date(2026, 6, 1)
CLAUSES_OF_POLICY = {
    "plan-2026": ["一", "二", "三", "四", "五"],
    "zhangjiagang-2024": [str(number) for number in range(1, 11)],
}


def figures(policy: Policy) -> dict[str, str]:
    return {code: one.shape.values[-1].value for code, one in policy.parameters.items()}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (
            "wuxi-2022-98",
            {
                "medical_assistance.rate.full": "1",
                "medical_assistance.rate.fully_aided": "0.85",
                "medical_assistance.rate.fixed_aided": "0.70",
                "medical_assistance.limit.outpatient": "10000.00",
                "medical_assistance.limit.shared": "300000.00",
                "tilt_assistance.deductible": "6000.00",
                "tilt_assistance.rate": "0.60",
                "premium_aid.waiting.days": "0",
                "in_county_burden.aim": "0.10",
            },
        ),
        (
            "zhangjiagang-2024",
            {
                "serious_illness.deductible.share": "0.50",
                "serious_illness.rate.plus": "0.05",
                "medical_assistance.rate.full": "1",
                "medical_assistance.rate.others": "0.85",
                "medical_assistance.limit.total": "300000.00",
                "medical_assistance.limit.outpatient": "10000.00",
                "enrolment.aim": "0.99",
                "out_of_scope.share.aim": "0.10",
            },
        ),
        (
            "yueqing-2022-41",
            {
                "serious_illness.deductible.share": "0.50",
                "serious_illness.rate.at_least": "0.80",
                "medical_assistance.rate.all": "0.80",
                "medical_assistance.limit.shared": "100000.00",
                "high_cost_relief.deductible": "50000.00",
                "commercial.deductible.share": "0.50",
                "chronic_outpatient.special.count": "10",
                "chronic_outpatient.chronic.count": "14",
                "chronic_outpatient.first_batch.count": "6",
                "protection_rate.aim": "0.05",
            },
        ),
        (
            "tinghu-trial",
            {
                "special_assistance.deductible.general.class_one": "3000.00",
                "special_assistance.deductible.general.class_two": "5000.00",
                "special_assistance.deductible.major.class_one": "3000.00",
                "special_assistance.deductible.major.class_two": "5000.00",
                "special_assistance.rate.general": "0.50",
                "special_assistance.rate.major": "0.50",
                "special_assistance.rate.rare_regulated": "0.70",
                "special_assistance.cap.general": "50000.00",
                "special_assistance.cap.major": "70000.00",
                "special_assistance.cap.rare_regulated": "100000.00",
                "special_assistance.declined.keeps": "0.50",
                "identity.retroactive.months": "12",
                "approval.working_days": "30",
                "health_service_package.fee": "150.00",
                "trial.years": "2",
            },
        ),
        (
            "plan-2026",
            {
                "medical_assistance.rate.extreme_poverty": "0.90",
                "medical_assistance.deductible.subsistence_allowance": "1500.00",
                "medical_assistance.rate.subsistence_allowance": "0.75",
                "medical_assistance.deductible.subsistence_marginal": "0.05",
                "medical_assistance.rate.subsistence_marginal": "0.65",
                "medical_assistance.deductible.illness_impoverished": "0.10",
                "medical_assistance.band.first.above": "10000.00",
                "medical_assistance.band.first.rate": "0.50",
                "medical_assistance.band.second.above": "30000.00",
                "medical_assistance.band.second.rate": "0.60",
                "medical_assistance.limit.shared": "150000.00",
                "rare_drug_assistance.rate": "0.70",
                "rare_drug_assistance.limit": "300000.00",
                "disposable_income_per_head": "60000.00",
                "first_review.working_days": "7",
                "home_visit.working_days": "5",
                "warning.income_share": "0.40",
                "applications.mini_program.aim": "0.90",
            },
        ),
    ],
)
def test_the_figures_are_those_of_the_document(
    book: PolicyBook, policy: str, expected: dict[str, str]
) -> None:
    found = figures(book.policy(policy))
    assert {code: found.get(code) for code in expected} == expected


@pytest.mark.parametrize(
    ("policy", "floors"),
    [
        ("wuxi-2022-98", set()),
        ("plan-2026", set()),
        ("zhangjiagang-2024", {"medical_assistance.rate.others", "enrolment.aim"}),
        ("yueqing-2022-41", {"medical_assistance.rate.all", "serious_illness.rate.at_least"}),
    ],
)
def test_a_floor_is_marked_as_a_floor(book: PolicyBook, policy: str, floors: set[str]) -> None:
    parameters = book.policy(policy).parameters
    assert {code for code, one in parameters.items() if one.shape.floor} == floors


@pytest.mark.parametrize(("policy", "anchors"), CLAUSES_OF_POLICY.items())
def test_every_clause_of_the_document_is_there(
    book: PolicyBook, policy: str, anchors: list[str]
) -> None:
    assert list(book.policy(policy).clauses) == anchors


def test_every_clause_speaks_to_residents_and_to_staff(book: PolicyBook) -> None:
    for policy in book.policies.values():
        for clause in policy.clauses.values():
            assert len(clause.residents) > 15, (policy.id, clause.anchor)
            assert len(clause.staff) > 15, (policy.id, clause.anchor)


def test_a_reading_says_why_and_which_data_to_edit(book: PolicyBook) -> None:
    for policy in book.policies.values():
        for reading in policy.readings.values():
            assert reading.reason, (policy.id, reading.id)
            assert re.search(r"[a-z]+\.(yaml|csv)|人工", reading.edit), (policy.id, reading.id)


def test_no_code_shows_in_what_residents_read(book: PolicyBook) -> None:
    coded = re.compile(r"[a-z]+_[a-z_]+")
    for policy in book.policies.values():
        document = policy.document
        texts = [document.summary, document.validity.reason]
        texts += [one.residents for one in policy.clauses.values()]
        texts += [one.residents for one in (*policy.entitlements, *policy.services)]
        texts += [one.conditions.note or "" for one in policy.entitlements]
        texts += [*policy.benefits.inputs.values()]
        assert [text for text in texts if coded.search(text)] == []


def test_a_place_replaces_a_policy_by_a_folder_of_its_own(book: PolicyBook, tmp_path: Path) -> None:
    shutil.copytree(HOME / "wuxi-2022-98", tmp_path / "wuxi-2022-98")
    path = tmp_path / "wuxi-2022-98" / "parameters.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace('"0.85"', '"0.90"'), encoding="utf-8")
    changed = load_catalogue([tmp_path]).policy("wuxi-2022-98")
    assert figures(changed)["medical_assistance.rate.fully_aided"] == "0.90"
    assert changed.version != book.policy("wuxi-2022-98").version


def test_a_sixth_policy_is_added_by_data_alone(book: PolicyBook) -> None:
    more = load_catalogue([SIXTH_POLICY])
    assert set(more.policies) - set(book.policies) == {"invented-2020"}


def test_the_version_is_that_of_the_content(book: PolicyBook, tmp_path: Path) -> None:
    shutil.copytree(HOME / "plan-2026", tmp_path / "plan-2026")
    again = load_catalogue([tmp_path]).policy("plan-2026")
    assert again.version == book.policy("plan-2026").version


@pytest.mark.parametrize(
    ("file", "decides"),
    [("parameters", True), ("benefits", True), ("document", True), ("clauses", False)],
)
def test_only_files_that_decide_money_change_the_version_of_the_rules(
    book: PolicyBook, tmp_path: Path, file: str, decides: bool
) -> None:
    shutil.copytree(HOME / "plan-2026", tmp_path / "plan-2026")
    with (tmp_path / "plan-2026" / f"{file}.yaml").open("a", encoding="utf-8") as text:
        text.write("# 改过\n")
    old, new = book.policy("plan-2026"), load_catalogue([tmp_path]).policy("plan-2026")
    assert (new.version != old.version) is decides
    assert new.edition != old.edition
