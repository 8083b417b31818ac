"""What `shukun policy check` says of a broken file: one thing broken at a time, the rest as it is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.policies.catalogue import HOME, CatalogueError, load_catalogue

WUXI = "wuxi-2022-98"


@dataclass(frozen=True)
class Broken:
    """`old` becomes `new` once in a file; the fault stands on the line of `at`, for `reason`."""

    file: str
    old: str
    new: str
    at: str
    reason: str
    policy: str = WUXI


CASES = {
    # -- parameters.yaml
    "a clause that does not exist": Broken(
        "parameters",
        "clause: 四(七)",
        "clause: 四(七十)",
        "clause: 四(七十)",
        "没有这一条：四(七十)",
    ),
    "a rate with five decimals": Broken(
        "parameters", '"0.85"', '"0.85001"', '"0.85001"', "rate.fully_aided 的值不对：比例要加引号"
    ),
    "a rate above one": Broken(
        "parameters", '"0.60"', '"1.60"', '"1.60"', "tilt_assistance.rate 的值不对"
    ),
    "an amount without its two decimals": Broken(
        "parameters",
        '"6000.00"',
        '"6000"',
        '"6000"',
        "tilt_assistance.deductible 的值不对：金额要加引号",
    ),
    "an amount with a thousands separator": Broken(
        "parameters", '"300000.00"', '"300,000.00"', '"300,000.00"', "limit.shared 的值不对"
    ),
    "a figure written as a number instead of a text": Broken(
        "parameters", '"0.70"', "0.70", "value: 0.70", "应为 str，写的是 float"
    ),
    "a unit that is not known": Broken(
        "parameters",
        "unit: days",
        "unit: fortnights",
        "unit: fortnights",
        "不认识的值 'fortnights'",
    ),
    "a unit that the benefits cannot use": Broken(
        "parameters",
        "name: 倾斜救助的年度个人负担起点\n  unit: yuan",
        "name: 倾斜救助的年度个人负担起点\n  unit: count",
        'value: "6000.00"',
        "tilt_assistance.deductible 的值不对",
    ),
    "a misspelt key": Broken(
        "parameters", "unit: days", "units: days", "units: days", "没有名为“units”的项"
    ),
    "a key that is left out": Broken(
        "parameters",
        "  name: 倾斜救助比例\n",
        "",
        "code: tilt_assistance.rate",
        "缺少“name”",
    ),
    "a key written twice": Broken(
        "parameters",
        "  unit: days\n",
        "  unit: days\n  unit: months\n",
        "unit: months",
        "“unit”写了两次",
    ),
    "a parameter written twice": Broken(
        "parameters",
        "- code: tilt_assistance.rate\n",
        "- code: tilt_assistance.deductible\n",
        "- code: tilt_assistance.deductible\n  name: 倾斜救助比例",
        "“tilt_assistance.deductible”写了两次",
    ),
    "values in the wrong order of days": Broken(
        "parameters",
        'values: [{from: 2023-01-01, value: "0.60"}]',
        'values: [{from: 2024-01-01, value: "0.60"}, {from: 2023-01-01, value: "0.50"}]',
        'value: "0.50"',
        "日期要从早到晚",
    ),
    "a day that does not exist": Broken(
        "parameters",
        'values: [{from: 2023-01-01, value: "0.60"}]',
        'values: [{from: 2023-02-30, value: "0.60"}]',
        "2023-02-30",
        "2023-02-30",
    ),
    "a figure that begins after its policy": Broken(
        "parameters",
        'values: [{from: 2023-01-01, value: "0.60"}]',
        'values: [{from: 2023-01-02, value: "0.60"}]',
        "",
        "tilt_assistance.rate 在政策开始的那天还没有值",
    ),
    "broken YAML": Broken(
        "parameters", "unit: days", "unit: days: 3", "unit: days: 3", "不是正确的 YAML"
    ),
    # -- document.yaml
    "an end before the beginning": Broken(
        "document",
        "in_force: {from: 2023-01-01, to: null}",
        "in_force: {from: 2023-01-01, to: 2022-12-31}",
        "in_force:",
        "失效日期早于施行日期",
    ),
    "a beginning left open without saying so": Broken(
        "document",
        "in_force: {from: 2023-01-01, to: null}",
        "in_force: {from: null, to: null}",
        "in_force:",
        "没有写施行日期，就要标 unconfirmed",
    ),
    "a category that does not exist": Broken(
        "document", "  - orphan\n", "  - orphans\n", "beneficiaries:", "没有这个代码：orphans"
    ),
    "a category named twice": Broken(
        "document",
        "  - orphan\n",
        "  - orphan\n  - orphan\n",
        "beneficiaries:",
        "同一个代码写了两次",
    ),
    "an area that does not exist": Broken(
        "document", 'code: "320200"', 'code: "329999"', "area:", "没有这个地区代码：329999"
    ),
    "a template that names an area": Broken(
        "document", "level: city", "level: template", "area:", "只有模板（template）不写 area"
    ),
    "an id other than the folder's": Broken(
        "document", f"id: {WUXI}", "id: wuxi", "id: wuxi", f"id 要和文件夹同名：{WUXI}"
    ),
    # -- clauses.yaml, readings.yaml
    "a clause written twice": Broken(
        "clauses",
        "- anchor: 三(三)",
        "- anchor: 三(二)",
        "- anchor: 三(二)\n  heading: 先保险",
        "写了两次",
    ),
    "a clause taken away that others cite": Broken(
        "clauses", "- anchor: 四(六)", "- anchor: 四(六六)", "", "没有这一条：四(六)"
    ),
    "a reading of a clause that does not exist": Broken(
        "readings", "clause: 四(六)", "clause: 四(九)", "clause: 四(九)", "没有这一条：四(九)"
    ),
    # -- benefits.yaml
    "a parameter that does not exist": Broken(
        "benefits",
        "rate: tilt_assistance.rate",
        "rate: tilt_assistance.rates",
        "- code: any",
        "parameters.yaml 里没有 tilt_assistance.rates",
    ),
    "an amount where a rate is wanted": Broken(
        "benefits",
        "rate: tilt_assistance.rate",
        "rate: tilt_assistance.deductible",
        "- code: any",
        "tilt_assistance.deductible 的单位是 yuan，这里要 rate",
    ),
    "a row with neither rate nor bands": Broken(
        "benefits",
        "            rate: tilt_assistance.rate\n",
        "",
        "- code: any",
        "rate、bands、from_base 要写且只写一个",
    ),
    "a row without people": Broken(
        "benefits",
        "categories: [extreme_poverty, orphan, unattended_child]",
        "categories: []",
        "categories: []",
        "otherwise 的行不写类别，其他行要写类别",
    ),
    "layers out of the order of payment": Broken(
        "benefits",
        "layer: tilt_assistance",
        "layer: serious_illness",
        "layers:",
        "各层要按支付的先后写，每层一次",
    ),
    "a layer that does not exist": Broken(
        "benefits", "  charity: ", "  charities: ", "layers:", "没有这个代码：charities"
    ),
    "a reading that does not exist": Broken(
        "benefits",
        "readings: [tilt-own-bills, tilt-outside-pool]",
        "readings: [tilt-own-bills, tilt-outside]",
        "readings: [tilt-own-bills",
        "readings.yaml 里没有 tilt-outside",
    ),
    "a setting that does not exist": Broken(
        "benefits",
        "covers: {settings: [outpatient]}",
        "covers: {settings: [outpatients]}",
        "covers: {settings: [outpatients]}",
        "没有这个代码：outpatients",
    ),
    "a flag that does not exist": Broken(
        "benefits",
        "covers: {flags: [referred, in_province, designated]}",
        "covers: {flags: [referred, in_city, designated]}",
        "covers: {flags: [referred, in_city",
        "没有这个代码：in_city",
    ),
    # -- entitlements.yaml, services.yaml
    "a start of cover counted in something else than days or months": Broken(
        "entitlements",
        "enrolment: {begins_after: premium_aid.waiting.days}",
        "enrolment: {begins_after: premium_aid.share}",
        "begins_after: premium_aid.share",
        "premium_aid.share 的单位要是 days 或 months",
    ),
    "a taper period of a category that does not exist": Broken(
        "entitlements",
        "enrolment: {begins_after: premium_aid.waiting.days}",
        "enrolment: {taper: [nobody]}",
        "taper: [nobody]",
        "没有这个代码：nobody",
    ),
    "an enrolment where no premium is paid": Broken(
        "entitlements",
        "kind: one_stop_settlement\n",
        "kind: one_stop_settlement\n  enrolment: {}\n",
        "enrolment: {}",
        "enrolment 只写在 kind 是 premium_aid 的待遇里",
    ),
    "an entitlement written twice": Broken(
        "entitlements",
        "- code: premium_aid_fixed",
        "- code: premium_aid_full",
        "- code: premium_aid_full\n  kind: premium_aid\n  name: 定额",
        "“premium_aid_full”写了两次",
    ),
    "a way of delivery that does not exist": Broken(
        "entitlements", "delivery: automatic", "delivery: by_post", "delivery: by_post", "by_post"
    ),
    "a kind of insurance that does not exist": Broken(
        "entitlements",
        "insurance: [resident, none]",
        "insurance: [residents, none]",
        "insurance: [residents",
        "不认识的值 'residents'",
    ),
    "a flag of a bill that does not exist as a condition": Broken(
        "entitlements",
        "within: province, designated: true}",
        "within: province, flags: [designate]}",
        "within: province",
        "没有这个代码：designate",
    ),
    "an age that is no age": Broken(
        "entitlements",
        "conditions: {age_from: health_check.age.senior}",
        "conditions: {age_from: health_check.interval.senior}",
        "conditions: {age_from: health_check.interval",
        "health_check.interval.senior 的单位是 years，这里要 age",
        policy="yueqing-2022-41",
    ),
    "a turn that is not counted in years": Broken(
        "entitlements",
        "every: health_check.interval.others",
        "every: health_check.age.others_to",
        "every: health_check.age.others_to",
        "health_check.age.others_to 的单位是 age，这里要 years",
        policy="yueqing-2022-41",
    ),
    "a turn every zero years": Broken(
        "parameters",
        """unit: years
  clause: "2"
  values: [{from: 2022-01-01, value: "2"}]""",
        """unit: years
  clause: "2"
  values: [{from: 2022-01-01, value: "0"}]""",
        "",
        "health_check.interval.others 最少是 1 年",
        policy="yueqing-2022-41",
    ),
    "a premium aid every few years": Broken(
        "entitlements",
        "kind: premium_aid\n",
        "kind: premium_aid\n  every: health_check.interval.others\n",
        "every: health_check.interval.others",
        "资助参保每年一次，不写 every",
        policy="yueqing-2022-41",
    ),
    "instead of something that does not exist": Broken(
        "entitlements",
        "instead_of: health_check\n",
        "instead_of: health_checks\n",
        "instead_of: health_checks",
        "没有这一项待遇：health_checks",
        policy="yueqing-2022-41",
    ),
    "instead of a premium aid": Broken(
        "entitlements",
        "instead_of: health_check\n",
        "instead_of: premium_aid\n",
        "instead_of: premium_aid",
        "资助参保不写 instead_of，也不能被代替",
        policy="yueqing-2022-41",
    ),
    "instead of itself": Broken(
        "entitlements",
        "instead_of: health_check\n",
        "instead_of: health_check_senior\n",
        "instead_of: health_check_senior",
        "health_check_senior 自己也写了 instead_of，只能代替不写的",
        policy="yueqing-2022-41",
    ),
    "a deadline without its figure": Broken(
        "services",
        "deadline: first_review.working_days",
        "deadline: first_review.days",
        "deadline: first_review.days",
        "parameters.yaml 里没有 first_review.days",
        policy="plan-2026",
    ),
}


def broken_copy(folder: Path, case: Broken) -> Path:
    """A locality's folder with the policy and the one thing changed; returns the changed file."""
    shutil.copytree(HOME / case.policy, folder / case.policy)
    path = folder / case.policy / f"{case.file}.yaml"
    text = path.read_text(encoding="utf-8")
    assert case.old in text
    path.write_text(text.replace(case.old, case.new, 1), encoding="utf-8")
    return path


def line_of(path: Path, text: str) -> int:
    before, found, _ = path.read_text(encoding="utf-8").partition(text)
    assert found
    return before.count("\n") + 1


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_fault_is_told_with_file_line_and_reason(tmp_path: Path, case: Broken) -> None:
    path = broken_copy(tmp_path, case)
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([tmp_path])
    faults = [fault for fault in caught.value.faults if case.reason in fault.reason]
    assert faults, caught.value.faults
    if case.at:
        place = f"{case.policy}/{case.file}.yaml", line_of(path, case.at)
        assert place in [(fault.file, fault.line) for fault in faults], caught.value.faults


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    shutil.copytree(HOME / WUXI, tmp_path / WUXI)
    (tmp_path / WUXI / "readings.yaml").unlink()
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([tmp_path])
    [fault] = caught.value.faults
    assert (fault.file, fault.line) == (f"{WUXI}/readings.yaml", 1)
    assert fault.reason.startswith("文件读不到")


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    shutil.copytree(HOME / WUXI, tmp_path / WUXI)
    (tmp_path / WUXI / "services.yaml").write_text("", encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([tmp_path])
    assert [str(fault) for fault in caught.value.faults] == [f"{WUXI}/services.yaml:1: 文件是空的"]


def test_another_encoding_is_told_with_the_line_where_it_shows(tmp_path: Path) -> None:
    shutil.copytree(HOME / WUXI, tmp_path / WUXI)
    path = tmp_path / WUXI / "document.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_bytes(lines[0].encode() + "".join(lines[1:]).encode("gb18030"))
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([tmp_path])
    [fault] = caught.value.faults
    assert (fault.line, fault.reason) == (2, "不是 UTF-8 编码，请另存为 UTF-8")


def test_faults_of_several_policies_are_told_together_in_order(tmp_path: Path) -> None:
    broken_copy(tmp_path, CASES["a rate above one"])
    broken_copy(tmp_path, CASES["a deadline without its figure"])
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([tmp_path])
    assert [fault.file for fault in caught.value.faults] == [
        "plan-2026/services.yaml",
        f"{WUXI}/parameters.yaml",
    ]


NOTHING_ELSE = "adoptions: []\nserious_illness_bases: []\n"
WATCHED = '  - {area: "320281", from: 2024-01-01, to: null, categories: [orphan], threshold: "20000.00", source: 文}\n'


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (
            'adoptions:\n  - {area: "320900", policy: plan-2027, from: 2026-01-01, to: 2026-12-31}\n'
            "serious_illness_bases: []\n",
            2,
            "没有这个政策：plan-2027",
        ),
        (
            'adoptions:\n  - {area: "320900", policy: plan-2026, from: 2026-02-01, to: 2026-01-01}\n'
            "serious_illness_bases: []\n",
            2,
            "地区代码或日期不对",
        ),
        (
            "adoptions: []\nserious_illness_bases:\n"
            '  - {area: "320582", from: 2024-01-01, to: null, deductible: "20000", rate: "0.60", source: 文}\n',
            3,
            "起付线或比例不对",
        ),
        (
            f"{NOTHING_ELSE}warning_thresholds:\n{WATCHED.replace('20000.00', '20000')}",
            4,
            "监测标准的金额不对",
        ),
        (
            f"{NOTHING_ELSE}warning_thresholds:\n{WATCHED.replace('orphan', 'rich')}",
            4,
            "救助对象类别不对：rich",
        ),
        (
            f"{NOTHING_ELSE}warning_thresholds:\n{WATCHED.replace('[orphan]', '[]')}",
            4,
            "救助对象类别不对，至少写一个",
        ),
        (
            f"{NOTHING_ELSE}warning_thresholds:\n{WATCHED.replace('320281', '320299')}",
            4,
            "地区代码或日期不对",
        ),
        (
            f"{NOTHING_ELSE}warning_thresholds:\n{WATCHED}{WATCHED.replace('2024', '2025')}",
            5,
            "320281 同一天有两条，请把前一条的结束日期提前",
        ),
    ],
)
def test_a_fault_in_what_a_place_decided_is_told(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    (tmp_path / "localities.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([tmp_path])
    assert [str(fault) for fault in caught.value.faults] == [f"localities.yaml:{line}: {reason}"]
