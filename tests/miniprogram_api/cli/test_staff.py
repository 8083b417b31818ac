from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.accounts.staff_login import SignedIn, SignIn, sign_in_staff
from backend.kernel import clock
from backend.kernel.crypto import Keyring
from backend.kernel.database import transaction
from miniprogram_api.cli import run
from tests.support.audited import audited

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def place(
    database: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    return tmp_path


def staff(*words: str) -> int:
    return run(["staff", *words])


def told(capsys: Output) -> str:
    return capsys.readouterr().out


def test_an_account_is_made_and_used(capsys: Output, place: Path) -> None:
    assert staff("add", "S1001", "--name", "测试甲", "--by", "管理员") == 0
    said = told(capsys)
    password = re.search(r"初始口令：(\S+?)（", said)
    enrolment = re.search(r"otpauth://totp/\S+", said)
    assert password
    assert enrolment
    assert staff("duty", "S1001", "--role", "county_officer", "--area", "320281") == 0
    assert "已任职：第 1 号，S1001，县级经办人员，320281" in told(capsys)
    assert staff("code", enrolment[0]) == 0
    typed = SignIn("S1001", password[1], told(capsys).strip(), "a-new-one-by-hand-9")
    keyring = Keyring.load(place / "keys.json")
    with transaction() as session:
        opened = sign_in_staff(session, keyring, typed, clock.now(), clock.today())
    assert isinstance(opened, SignedIn)
    assert staff("list") == 0
    said = told(capsys)
    assert "S1001  测试甲  在用  登录 1 处" in said
    assert "第 1 号  县级经办人员  320281" in said
    assert password[1] not in said
    assert [deed for deed, _ in audited("管理员")] == ["staff.add"]


def test_the_first_password_is_shown_once_and_a_new_one_replaces_it(
    capsys: Output, database: Engine
) -> None:
    staff("add", "S1001", "--name", "测试甲")
    first = told(capsys)
    assert staff("reset-password", "S1001") == 0
    second = told(capsys)
    assert "初始口令" in second
    assert first.splitlines()[1] != second.splitlines()[1]
    with database.connect() as connection:
        kept = connection.execute(text("SELECT staff::text FROM staff")).scalar_one()
    for line in (*first.splitlines()[1:3], *second.splitlines()[1:3]):
        secret = re.search(r"(?:口令：|secret=)([\w-]+)", line)
        assert secret
        assert secret[1] not in kept


def test_duties_end_are_deputised_and_handed_over(capsys: Output) -> None:
    for number in ("S1", "S2", "S3"):
        staff("add", f"{number}00", "--name", f"测试{number}")
    staff("duty", "S100", "--role", "township_reviewer", "--area", "320281101")
    capsys.readouterr()
    assert staff("deputy", "1", "S200", "--to", "2099-12-31", "--reason", "休假") == 0
    assert "已安排代理：第 2 号，S200，至 2099-12-31" in told(capsys)
    assert staff("hand-over", "S100", "--to", "S300") == 0
    assert "已移交给 S300：任职 1 项" in told(capsys)
    staff("list")
    said = told(capsys)
    assert "S100  测试S1  已离任" in said
    assert "S200  测试S2  在用  登录 0 处\nS300" in said
    assert staff("end-duty", "3") == 0
    assert staff("end-duty", "3") == 2


def test_accounts_are_disabled_and_enabled(capsys: Output) -> None:
    staff("add", "S1001", "--name", "测试甲")
    assert staff("disable", "S1001") == 0
    staff("list")
    assert "已停用" in told(capsys)
    assert staff("enable", "S1001") == 0
    staff("list")
    assert "在用" in told(capsys)


def test_without_an_account_it_is_said_how_to_make_one(capsys: Output) -> None:
    assert staff("list") == 0
    assert "shukun staff add" in told(capsys)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "S1001", "--name", "测试乙"), "已经有人用"),
        (("add", "工号", "--name", "测试乙"), "英文字母"),
        (("disable", "S9"), "没有这个工号"),
        (("duty", "S1001", "--role", "auditor", "--area", "320281"), "必须由不同的人担任"),
        (("duty", "S1001", "--role", "chief", "--area", "320281"), "role"),
        (("duty", "S1001", "--role", "cadre", "--area", "999999"), "没有“999999”这个地区"),
        (("duty", "S1001", "--role", "cadre", "--area", "32028"), "6、9 或 12 位"),
        (
            ("duty", "S1001", "--role", "cadre", "--area", "320281", "--from", "2026-02-01", "--to", "2026-01-01"),
            "结束的日期不能早于",
        ),
        (("end-duty", "4711"), "没有这项任职"),
        (("hand-over", "S1001", "--to", "S1001"), "移交给另一位"),
        (("code", "https://example.org"), "otpauth"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_plain_words(
    capsys: Output, words: tuple[str, ...], said: str
) -> None:
    staff("add", "S1001", "--name", "测试甲")
    staff("duty", "S1001", "--role", "county_officer", "--area", "320281")
    capsys.readouterr()
    assert staff(*words) == 2
    assert said in capsys.readouterr().err
