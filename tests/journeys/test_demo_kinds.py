"""Every kind in `shukun demo`, from the draft to its end, by the accounts of its sheet over HTTP."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from backend.kernel.clock import today
from backend.policies.catalogue import load_catalogue
from backend.policies.procedures import KINDS
from tests.support.demo import Demo
from tests.support.demo_acting import Acting, DemoCase

BOOK: Final = load_catalogue()
WALKS: Final = {
    "recognition": ("jiangyin1", "wuxi-2022-98"),
    "special_assistance": ("tinghu1", "tinghu-trial"),
    "high_cost_relief": ("yueqing1", "yueqing-2022-41"),
    "temporary_relief": ("jiangyin1", "wuxi-2022-98"),
    "chronic_certification": ("zhangjiagang1", "zhangjiagang-2024"),
    "referral": ("zhangjiagang1", "zhangjiagang-2024"),
    "away_registration": ("zhangjiagang1", "zhangjiagang-2024"),
    "charity": ("jiangyin1", "wuxi-2022-98"),
    "objection": ("yueqing1", "yueqing-2022-41"),
    "correction": ("tinghu1", "tinghu-trial"),
}
"""Kind → who applies for it, under which policy."""
PAID: Final = {"special_assistance": "3000.00", "high_cost_relief": "30000.00"}
"""What the bank pays: (9,000 - 3,000) at 50%; 80,000 of burden, of which 50,000 stay."""
AREAS: Final = {"special_assistance": "320902", "high_cost_relief": "330382"}
RELIEF: Final = "1500.00"
TO_THE_GRANT: Final = ["submit", "accept", "review", "approve"]
ENDS: Final = {
    "recognition": [*TO_THE_GRANT, "close"],
    "special_assistance": [*TO_THE_GRANT, "confirm", "pay", "close"],
    "high_cost_relief": [*TO_THE_GRANT, "pay", "close"],
    "temporary_relief": [*TO_THE_GRANT, "pay", "close"],
    **{
        kind: [*TO_THE_GRANT, "close"] for kind in ("chronic_certification", "charity", "objection")
    },
    **{
        kind: ["submit", "accept", "file", "close"]
        for kind in ("referral", "away_registration", "correction")
    },
}


@pytest.fixture(scope="module")
def acting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acting]:
    demo = Demo(tmp_path_factory.mktemp("demo") / "data")
    demo.start()
    try:
        yield Acting(demo, demo.address(), demo.sheet())
    finally:
        demo.clean()


@pytest.fixture(scope="module")
def walked(acting: Acting, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, DemoCase]:
    """Every kind, walked to its end."""
    acting.shukun("policy", "confirm", "tinghu-trial", "--from", "2022-03-01", "--note", "示例日期")
    acting.soon(lambda: offered(acting, "320902") == set(BOOK.procedures["tinghu-trial"]))
    cases = {
        kind: DemoCase(acting, who, BOOK.procedure(policy, kind))
        for kind, (who, policy) in WALKS.items()
    }
    applied_for(acting, cases)
    decided(acting, cases)
    cases["high_cost_relief"].until("granted")
    cases["temporary_relief"].until("paid")
    assert "公示期满批准 1 件" in acting.shukun("demo-days", "9")
    released(acting)
    for kind in PAID:
        paid(acting, kind, tmp_path_factory.mktemp("bank"))
    acting.shukun("demo-days", "2")
    return cases


def offered(acting: Acting, area: str) -> set[str]:
    return {one["kind"] for one in acting.get("tinghu1", f"/procedures?area={area}")["kinds"]}


def applied_for(acting: Acting, cases: Mapping[str, DemoCase]) -> None:
    """Filled in, read at once for as long as it takes, signed, handed in."""
    consent = {"purpose": cases["charity"].procedure.consent, "version": 1, "agrees": True}
    acting.post(cases["charity"].who, "/me/consents", **consent)
    for case in cases.values():
        case.draft()
    time.sleep(max(case.open_letter() for case in cases.values()) + 1)
    for case in cases.values():
        case.sign()
        case.submit()


def decided(acting: Acting, cases: Mapping[str, DemoCase]) -> None:
    """By the township, and by two different people in the county where that decides."""
    for kind, case in cases.items():
        case.step("REVIEWER", "accept")
        if case.procedure.filing:
            case.step("REVIEWER2", "file")
            continue
        case.step("REVIEWER2", "review", proposal="grant")
        amount = f"/cases/{case.id}/amount"
        if kind == "temporary_relief":
            acting.call(f"{case.place}_OFFICER", "PUT", amount, {"amount": RELIEF})
        case.step("OFFICER2", "approve")
        if kind == "temporary_relief":
            voucher = {"paid_on": today().isoformat(), "paid_ref": "演示凭证1号"}
            case.until("granted")
            acting.post(f"{case.place}_OFFICER2", f"{amount}/payment", **voucher)


def computed(acting: Acting, officer: str) -> int:
    """The run of the officer's county that waits for its release, once it is there."""

    def look() -> int:
        found = acting.get(officer, "/runs")["runs"]
        return next((int(run["id"]) for run in found if run["state"] == "computed"), 0)

    return int(acting.soon(look))


def released(acting: Acting) -> None:
    """The runs that the cases asked for, computed by workers, by two."""
    for place in ("JIANGYIN", "YUEQING", "TINGHU"):
        run = computed(acting, f"{place}_OFFICER")
        for officer in ("演示经办甲", "演示经办乙"):
            acting.shukun("match", "--release", str(run), "--by", officer)


def paid(acting: Acting, kind: str, folder: Path) -> None:
    """What is due in the county of the kind, by the bank; batches go through four hands."""
    made = acting.shukun("pay", "batch", "--area", AREAS[kind], "--by", "演示经办")
    assert f"合计 {PAID[kind]} 元" in made
    serial = re.search(r"批次 (\S+)：", made)
    assert serial is not None
    for officer in ("演示复核", "演示审批"):
        acting.shukun("pay", "approve", serial[1], "--by", officer)
    sent, back = folder / "bank.csv", folder / "returned.csv"
    acting.shukun("pay", "file", serial[1], "--out", str(sent), "--by", "演示出纳")
    items = [line.split(",")[1] for line in sent.read_text("utf-8-sig").splitlines()[1:]]
    rows = "".join(f"{serial[1]},{item},成功,\n" for item in items)
    back.write_text(f"serial,item,result,reason\n{rows}", encoding="utf-8")
    acting.shukun("pay", "returns", str(back), "--by", "演示出纳")


def test_every_kind_that_there_is_is_walked() -> None:
    assert set(WALKS) == set(KINDS)


@pytest.mark.parametrize("kind", WALKS)
def test_a_kind_is_taken_from_the_draft_to_its_end_by_the_accounts_of_the_demo(
    kind: str, walked: Mapping[str, DemoCase]
) -> None:
    assert walked[kind].state() == "closed"
    assert walked[kind].timeline() == ENDS[kind]


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="no pdfsig (poppler-utils)")
def test_every_letter_that_was_signed_there_verifies_with_pdfsig(
    walked: Mapping[str, DemoCase], tmp_path: Path
) -> None:
    signed = [case for case in walked.values() if case.letter]
    assert len(signed) == 5
    for case in signed:
        letter = tmp_path / f"{case.letter}.pdf"
        letter.write_bytes(case.pdf())
        said = subprocess.run(["pdfsig", letter], capture_output=True, text=True, check=False)
        assert "Signature is Valid" in said.stdout
        assert "Total document signed" in said.stdout


def test_a_letter_that_was_signed_there_is_genuine_and_a_changed_one_is_not(
    acting: Acting, walked: Mapping[str, DemoCase], tmp_path: Path
) -> None:
    data, letter = walked["special_assistance"].pdf(), tmp_path / "letter.pdf"
    letter.write_bytes(data)
    assert "结论：是真的" in acting.shukun("verify", str(letter))
    letter.write_bytes(data.replace(b"/Type", b"/Typo", 1))
    with pytest.raises(AssertionError, match="不能当真"):
        acting.shukun("verify", str(letter))
