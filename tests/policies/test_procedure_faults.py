"""What a broken `procedures.yaml` is told: one thing broken at a time, with the line of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.policies.catalogue import HOME, CatalogueError, load_catalogue


@dataclass(frozen=True)
class Broken:
    """`old` becomes `new` once in `file`; the fault stands on the line of `at`, for `reason`."""

    old: str
    new: str
    at: str
    reason: str
    file: str = "wuxi-2022-98/procedures.yaml"


REFERRAL = "{kind: referral, clause: 七(十五)}"
OBJECTION = "{kind: objection, clause: 七(十四), reading: kinds-offered}"
SPECIAL = "tinghu-trial/procedures.yaml"


def referral(more: str) -> tuple[str, str, str]:
    """Wuxi's referral with more in it."""
    new = f"{{kind: referral, clause: 七(十五), {more}}}"
    return REFERRAL, new, new


def objection(more: str) -> tuple[str, str, str]:
    """Wuxi's objection with more in it."""
    new = f"{{kind: objection, clause: 七(十四), {more}}}"
    return OBJECTION, new, new


CASES = {
    "a kind that is not known": Broken(
        "kind: charity", "kind: charities", "kind: charities", "没有这种申请：charities"
    ),
    "a kind given twice": Broken(
        REFERRAL, f"{REFERRAL}\n- {{kind: referral, clause: 七(十四)}}",
        "{kind: referral, clause: 七(十四)}", "“referral”写了两次",
    ),
    "a misspelt key": Broken(*referral("fillings: true"), "fillings"),
    "a clause that does not exist": Broken(
        "clause: 六(十一)", "clause: 六(十二十)", "clause: 六(十二十)", "没有这一条：六(十二十)"
    ),
    "a reading that does not exist": Broken(
        "recognition-by-application", "by-application", "by-application",
        "没有这条解读：by-application",
    ),
    "days by a clause that does not exist": Broken(
        "approval: {days: 30, clause: 三(二)2", "approval: {days: 30, clause: 三(二)9",
        "clause: 三(二)9", "没有这一条：三(二)9", SPECIAL,
    ),
    "days by a reading that does not exist": Broken(
        "reading: notice-days", "reading: notice-hours", "notice-hours",
        "没有这条解读：notice-hours", SPECIAL,
    ),
    "a category that is not known": Broken(
        "[expenditure_poor_seriously_ill", "[expenditure_rich", "[expenditure_rich",
        "没有这种身份：expenditure_rich",
    ),
    "a category for which the policy gives nothing": Broken(
        "[expenditure_poor_seriously_ill", "[illness_impoverished", "[illness_impoverished",
        "没有把 illness_impoverished 列为救助对象",
    ),
    "a category given twice": Broken(
        "subsistence_marginal]", "temporary_relief_seriously_ill]", "temporary_relief_seriously",
        "同一个代码写了两次",
    ),
    "a recognition of nothing": Broken(
        "  categories: [expenditure_poor_seriously_ill, temporary_relief_seriously_ill,"
        " subsistence_marginal]\n", "", "kind: recognition", "要写 categories",
    ),
    "categories of what is no recognition": Broken(
        *referral("categories: [subsistence_marginal]"), "别的种类不写"
    ),
    "a period that is not known": Broken(*referral("deadlines: {somewhen: 3}"), "期限“somewhen”"),
    "a period below zero": Broken(*referral("deadlines: {supplement: -1}"), "天数不对"),
    "days of a notice among the periods": Broken(
        *objection("deadlines: {notice: 5}"), "公示几天写在 notice"
    ),
    "a notice of no day": Broken(*objection("notice: 0"), "公示的天数要在 1 和 400 之间"),
    "a notice of what is filed at once": Broken(*referral("notice: 5"), "备案类当场办好，不公示"),
    "a fast lane of what is filed at once": Broken(
        *referral("fast_lane: true, deadlines: {papers_owed: 5},"
                  " papers: [{code: slip, label: 转诊单, required: fast_lane}]"),
        "没有急重病通道",
    ),
    "an approval without a period": Broken(*referral("filing: false"), "缺少这些期限：approval"),
    "a fast lane without a period for the papers": Broken(
        *objection("fast_lane: true, papers: [{code: slip, label: 证明, required: fast_lane}]"),
        "缺少这些期限：papers_owed",
    ),
    "a fast lane that begins with nothing": Broken(
        *objection("fast_lane: true, deadlines: {papers_owed: 5}"), "至少一种材料写 required"
    ),
    "a letter that is not known": Broken(*referral("letter: promise"), "没有这种承诺书"),
    "a layer that is not known": Broken(*referral("layer: ninth"), "没有这一层支付：ninth"),
    "a layer of what is no claim": Broken(
        *referral("layer: medical_assistance"), "申请费用救助的要写 layer，别的不写"
    ),
    "a claim on a layer that the policy has not": Broken(
        REFERRAL, f"{REFERRAL}\n- {{kind: special_assistance, clause: 七(十四), notice: null}}",
        "kind: special_assistance", "benefits.yaml 里没有 special_assistance 这一层",
    ),
    "a claim that names no bills": Broken(
        "- kind: special_assistance\n",
        "- kind: special_assistance\n  fields: [{code: why, label: 为什么, type: text}]\n",
        "fields: [{code: why", "要有一项必填的 bills", SPECIAL,
    ),
    "a form of thirteen fields": Broken(
        *objection("fields: [" + ", ".join(
            f"{{code: f{number}, label: 第{number}项, type: text}}" for number in range(13)
        ) + "]"),
        "最多 12 项",
    ),
    "a field given twice": Broken(
        *objection("fields: [{code: a, label: 一, type: text}, {code: a, label: 二, type: text}]"),
        "同一个代码写了两次",
    ),
    "a code that is none": Broken(
        *objection("fields: [{code: Why-not, label: 一, type: text}]"), "代码“Why-not”只能用"
    ),
    "a choice without choices": Broken(
        *objection("fields: [{code: a, label: 一, type: choice}]"), "choice 要写 choices"
    ),
    "a choice given twice": Broken(
        *objection("fields: [{code: a, label: 一, type: choice,"
                   " choices: [{code: x, label: 甲}, {code: x, label: 乙}]}]"),
        "同一个代码写了两次",
    ),
    "bounds of words": Broken(
        *objection("fields: [{code: a, label: 一, type: text, least: 1}]"), "least、most 只写在"
    ),
    "bounds the wrong way round": Broken(
        *objection("fields: [{code: a, label: 一, type: number, least: 3, most: 1}]"),
        "从小到大",
    ),
    "a number that lies ahead": Broken(
        *objection("fields: [{code: a, label: 一, type: number, past: true}]"), "past 只写在 day"
    ),
    "a type that is not known": Broken(
        *objection("fields: [{code: a, label: 一, type: colour}]"), "colour"
    ),
    "a field from a register that knows no such thing": Broken(
        *objection("fields: [{code: a, label: 一, type: text, from_register: shoe_size}]"),
        "from_register 请从这些里选",
    ),
    "an answer longer than answers are": Broken(
        *objection("fields: [{code: a, label: 一, type: text, longest: 501}]"), "longest 要在"
    ),
    "a paper that is wanted sometimes": Broken(
        *objection("papers: [{code: a, label: 一, required: sometimes}]"), "sometimes"
    ),
    "cases kept for no time": Broken(*objection("retention_years: 0"), "保存年限要在"),
    "a kind that the product does not have": Broken(
        "- kind: referral\n", "- kind: referrals\n", "kind: referrals", "没有这种申请：referrals",
        "procedures.yaml",
    ),
    "a clock left out": Broken(
        "- clock: appeal\n  name: 提出申诉\n  counted_from: 不予批准\n  basis:"
        " 参照行政复议六十日的申请期限，改按工作日，不会更短。\n", "", "", "期限要按这个次序",
        "clocks.yaml",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_file_at_fault_names_line_and_reason(tmp_path: Path, name: str) -> None:
    broken = CASES[name]
    home = tmp_path / "catalogue"
    shutil.copytree(HOME, home)
    file = home / broken.file
    text = file.read_text(encoding="utf-8")
    assert broken.old in text
    text = text.replace(broken.old, broken.new, 1)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as refusal:
        load_catalogue(home=home)
    found = [fault for fault in refusal.value.faults if broken.reason in fault.reason]
    assert found, refusal.value
    assert {fault.file for fault in found} == {broken.file}
    lines = text.splitlines()
    if broken.at:
        assert any(broken.at in lines[fault.line - 1] for fault in found), (found, broken.at)


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    home = tmp_path / "catalogue"
    shutil.copytree(HOME, home)
    file = home / "wuxi-2022-98" / "procedures.yaml"
    text = file.read_text(encoding="utf-8").replace("clause: 七(十五)", "clause: 九(九)")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as refusal:
        load_catalogue(home=home)
    assert [fault.reason for fault in refusal.value.faults] == ["没有这一条：九(九)"] * 2
