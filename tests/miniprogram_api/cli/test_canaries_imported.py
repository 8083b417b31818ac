"""The whole way of a delivery through the commands leaves nothing personal in plain."""

import csv
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
import pytest

from backend.kernel.postgres import embedded
from miniprogram_api.cli import run
from tests.support.canaries import found_in
from tests.support.sealed import Invented, invent

Rows = Sequence[Mapping[str, object]]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the commands may write into, temporary files included."""
    folder = tmp_path / "data"
    (folder / "temporary").mkdir(parents=True)
    for name in ("DATABASE_URL", "DATABASE_APP_URL", "DATABASE_WORKER_URL", "SHUKUN_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHUKUN_DATA", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "temporary"))
    return folder


@pytest.fixture
def server(data: Path) -> Iterator[str]:
    """Up for all the commands."""
    with embedded(data) as url:
        yield url


def test_importing_correcting_matching_and_paying_leaves_nothing_personal_in_plain(
    tmp_path: Path, data: Path, server: str
) -> None:
    people, newcomers = invent(200)[:150], invent(200)[150:]
    delivered = tmp_path / "delivered"
    delivered.mkdir()
    deliveries: list[tuple[str, Rows]] = [
        ("bills", [bill(one, diagnosis=one.diagnosis) for one in people]),  # before the people
        ("people", [register(one) for one in people]),
        ("people", [register(one, name=one.name + "氏", number=one.former) for one in people]),
        ("identities", [identity(one) for one in people]),
        ("households", [{"household_no": one.household, "year": 2024, "disposable_income": "900.00"} for one in people]),
        ("hospitals", [{"hospital_code": "H1", "name": "江阴市人民医院", "tier": 3, "area_code": 320281001001, "designated": 1}]),
        ("assignments", [assignment(one) for one in people]),
        ("vital", [{"id_number": one.number, "event": "moved_away", "on": "2024-06-01", "detail": one.detail} for one in people]),
        ("bills", [bill(one, diagnosis=one.diagnosis, total="2000.00") for one in people]),
    ]  # fmt: skip
    for at, (kind, rows) in enumerate(deliveries):
        assert load(kind, delivered / f"{at}.csv", rows) == 0, kind
    # Refused rows, of people nobody knows.
    for at, (kind, row) in enumerate(refused(newcomers)):
        rejects = data / f"rejects{at}.csv"
        assert load(kind, delivered / f"refused{at}.csv", [row], rejects) in (1, 2), kind
    accounts = delivered / "accounts.csv"
    write(accounts, [account(one) for one in people])
    assert run(["pay", "payees", str(accounts), "--by", "测试"]) == 0
    assert run(["match", "--area", "320281", "--year", "2024"]) == 0
    secrets = [secret for one in people + newcomers for secret in one.secrets]
    assert found_in(data, server, secrets) == []
    pay_and_visit(delivered, server, people[0])
    assert found_in(data, server, secrets) == []
    assert counted(server) == {"person": 150, "bill": 150, "payee": 150}


def pay_and_visit(folder: Path, server: str, one: Invented) -> None:
    """Release, batch, approvals, the bank's file and answer, a visit: secrets in every free text."""
    for by in ("甲", "乙"):
        assert run(["match", "--release", "1", "--by", by]) == 0
    assert run(["pay", "batch", "--area", "320281", "--by", "甲"]) == 0
    for by in ("乙", "丙"):
        assert run(["pay", "approve", "320281-000001", "--by", by]) == 0
    bank, answer = folder / "bank.csv", folder / "answer.csv"
    assert run(["pay", "file", "320281-000001", "--out", str(bank), "--by", "丁"]) == 0
    assert run(["pay", "show", "320281-000001", "--by", "丁"]) == 0
    with bank.open(encoding="utf-8", newline="") as file:
        orders = list(csv.DictReader(file))
    assert len(orders) > 50
    write(answer, [
        {"serial": row["serial"], "item": row["item"], "result": "失败" if at < 9 else "成功",
         "reason": f"户名应为{one.name}，账号{one.account}"} for at, row in enumerate(orders)
    ])  # fmt: skip
    assert run(["pay", "returns", str(answer), "--by", "戊"]) == 0
    write(answer, [{"serial": one.name, "item": one.number, "result": one.detail, "reason": ""}])
    assert run(["pay", "returns", str(answer), "--by", "戊"]) == 1
    grants = str(folder / "grants.csv")
    assert run(["export", "grants", "--area", "320281", "--year", "2024", "--out", grants]) == 0
    check = ["warnings", "check", "--area", "320281", "--year", "2024", "--on", "2024-05-20"]
    assert run(check) == 0
    with psycopg.connect(server) as connection:
        found = connection.execute("SELECT min(id) FROM warning").fetchone()
    assert found is not None
    note = f"{one.name}，{one.phone}，{one.detail}"
    visit = ["warnings", "visit", str(found[0]), "--outcome", "not_confirmed", "--by", "己"]
    assert run([*visit, "--on", "2024-05-20", "--note", note]) == 0


def counted(server: str) -> dict[str, int]:
    tables = ("person", "bill", "payee")
    with psycopg.connect(server) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[call-overload, index]
            for table in tables
        }


def load(kind: str, file: Path, rows: Rows, rejects: Path | None = None) -> int:
    write(file, rows)
    more = ["--rejects", str(rejects)] if rejects else []
    return run(["import", kind, str(file), *more])


def write(file: Path, rows: Rows) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def register(one: Invented, *, name: str = "", number: str = "") -> dict[str, object]:
    """A row of the register; a second one may correct the name and bring another number."""
    return {
        "id_number": number or one.number, "name": name or one.name, "phone": one.phone,
        "area_code": one.area, "registered_area_code": one.area, "household_no": one.household,
        "insurance": "resident", "rural": 1, "declined_health_service": 0,
        "former_id_number": one.number if number else "",
    }  # fmt: skip


def identity(one: Invented) -> dict[str, object]:
    return {
        "id_number": one.number, "category": "subsistence_allowance", "department": "civil_affairs",
        "from": "2023-01-01", "to": "", "applied_on": "", "certificate_no": one.certificate,
    }  # fmt: skip


def assignment(one: Invented) -> dict[str, object]:
    return {
        "id_number": one.number, "role": "cadre", "staff_no": "S1", "from": "2023-01-01", "to": "",
    }  # fmt: skip


def bill(one: Invented, *, diagnosis: str, total: str = "1000.00") -> dict[str, object]:
    return {
        "bill_no": f"B{one.id}", "id_number": one.number, "hospital_code": "H1",
        "setting": "inpatient", "admitted_on": "2024-03-01", "discharged_on": "2024-03-09",
        "total": total, "in_scope": "900.00", "paid_basic": "500.00", "paid_out_of_scope": "",
        "referred": 1, "in_province": 1, "in_county": 1, "followed_guidance": 1, "designated": "",
        "disease_group": "general", "diagnosis": diagnosis, "rare_drug": "",
    }  # fmt: skip


def account(one: Invented) -> dict[str, object]:
    return {
        "id_number": one.former, "holder": one.name + "氏", "account": one.account,
        "bank": "农业银行", "relationship": "本人",
    }  # fmt: skip


def refused(people: Sequence[Invented]) -> Iterator[tuple[str, dict[str, object]]]:
    """A secret in the wrong place, everywhere."""
    one = people[0]
    yield "people", register(one) | {"area_code": one.number}
    yield "people", register(one) | {"insurance": one.name}
    yield "people", register(one) | {"phone": one.household}
    yield "people", register(one, number=one.number[:-1])
    yield "bills", bill(one, diagnosis=one.name)
    yield "bills", bill(one, diagnosis=one.diagnosis) | {"total": one.phone + "元"}
    yield "bills", bill(one, diagnosis=one.diagnosis) | {"admitted_on": one.number}
    yield "bills", bill(one, diagnosis=one.diagnosis) | {"id_number": one.name}
    yield "identities", identity(one) | {"from": one.certificate}
    yield "vital", {"id_number": one.number, "event": one.detail, "on": "2024-06-01", "detail": ""}
    yield "households", {"household_no": one.household, "year": one.name, "disposable_income": "1"}
