from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.citizens.diagnoses import (
    BITS,
    UnknownDiagnosis,
    bit,
    classes_of,
    groups,
    missing_groups,
    read_groups,
    unclear_bit,
)
from backend.kernel.yaml_file import FileError
from backend.policies.catalogue import HOME, load_catalogue


def names_of(icd10: str) -> set[str]:
    """The groups that the code tells; with `?` where it cannot tell."""
    classes = classes_of(icd10)
    clear = {group.code for group in groups().values() if group.bits & classes}
    return clear | {f"{group.code}?" for group in groups().values() if group.unclear & classes}


def test_every_diagnosis_that_an_entitlement_names_has_a_group() -> None:
    assert list(missing_groups(load_catalogue().policies.values())) == []


def test_a_diagnosis_without_a_group_is_named_with_its_place(tmp_path: Path) -> None:
    shutil.copytree(HOME / "yueqing-2022-41", tmp_path / "yueqing-2022-41")
    path = tmp_path / "yueqing-2022-41" / "entitlements.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("[hypertension, diabetes]", "[hypertension, gout]"), encoding="utf-8"
    )
    assert list(missing_groups(load_catalogue([tmp_path]).policies.values())) == [
        "yueqing-2022-41/entitlements.yaml：chronic_outpatient_chronic 写了病种 gout，"
        "diagnoses.yaml 里没有它的 ICD-10 编码"
    ]


@pytest.mark.parametrize(
    ("icd10", "names"),
    [
        ("I10.x00", {"hypertension"}),
        ("I11.900", {"hypertension", "cardio_cerebrovascular"}),
        ("I16.000", set()),
        ("E10.900", {"diabetes", "diabetes_insulin"}),
        ("E11.900", {"diabetes", "diabetes_type_2", "diabetes_insulin?"}),
        ("E14.900", {"diabetes", "diabetes_type_2?", "diabetes_insulin?"}),
        ("I63.900x001", {"cardio_cerebrovascular"}),
        ("F25.100", {"psychiatric", "schizoaffective_disorder"}),
        ("F22.000", {"psychiatric", "paranoid_psychosis"}),
        ("F72.100", {"psychiatric", "severe_mental_retardation?"}),
        ("C34.900", {"malignant_tumour_outpatient"}),
        ("D05.100", {"malignant_tumour_outpatient?"}),
        ("Z94.000", {"renal", "organ_transplant_antirejection"}),
        ("Z94.500", set()),
        ("Z99.200", {"renal", "uraemia_dialysis"}),
        ("N18.500", {"renal", "uraemia_dialysis?"}),
        ("N18.300", {"renal"}),
        ("J18.900", set()),
        ("", set()),
    ],
)
def test_a_code_belongs_to_the_groups_of_its_category(icd10: str, names: set[str]) -> None:
    assert names_of(icd10) == names


@pytest.mark.parametrize("written", ["n18.5", "N18500", "Ｎ１８．５００", " N18.500 "])
def test_the_dot_the_case_and_the_width_do_not_matter(written: str) -> None:
    assert classes_of(written) == classes_of("N18.500")


def test_a_dagger_counts_together_with_its_asterisk() -> None:
    assert classes_of("E11.200+N08.3*") == classes_of("E11.200") | classes_of("N08.3")


def test_the_national_codes_of_chronic_diseases_are_not_taken_for_icd_10() -> None:
    assert classes_of("M03900") == 0


def test_every_group_has_bits_of_its_own_within_the_column() -> None:
    masks = [mask for one in groups().values() for mask in (one.bits, one.unclear) if mask]
    assert sum(masks) == sum(
        1 << place for place in range(BITS) if any(m >> place & 1 for m in masks)
    )
    assert max(masks) < 1 << BITS


def test_what_a_code_cannot_tell_says_why() -> None:
    assert [one.code for one in groups().values() if bool(one.unclear) != bool(one.why)] == []


def test_that_insulin_is_used_stands_in_no_code_of_type_two() -> None:
    assert classes_of("E11.900") & bit("diabetes_insulin") == 0
    assert classes_of("E11.900") & unclear_bit("diabetes_insulin")


def test_an_unknown_group_is_named() -> None:
    with pytest.raises(UnknownDiagnosis, match="gout"):
        bit("gout")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("- {code: a, name: 甲, bit: 31, icd10: [I10]}", 1, "bit 要在 0 和 30 之间"),
        (
            "- {code: a, name: 甲, bit: 1, icd10: [I10]}\n- {code: b, name: 乙, bit: 1, icd10: [I11]}",
            2,
            "bit 1 已经给了别的病种",
        ),
        ("- {code: a, name: 甲, bit: 1, icd10: [I1]}", 1, "不是 ICD-10 编码：I1，"),
        ("- {code: a, name: 甲, bit: 1, icd10: [I15-I10]}", 1, "不是 ICD-10 编码：I15-I10"),
        ("- {code: a, name: 甲, bit: 1, icd10: [I10-J10]}", 1, "不是 ICD-10 编码：I10-J10"),
        ("- {code: a, name: 甲, bit: 1, icd10: [I10], certain: false}", 1, "why"),
    ],
)
def test_a_fault_of_the_file_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    path = tmp_path / "diagnoses.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        read_groups(path)
    [fault] = caught.value.faults
    assert fault.line == line
    assert reason in fault.reason
