from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.citizens.tables import PERSON_NUMBER
from backend.kernel import key_check
from backend.kernel.crypto import Place
from backend.kernel.settings import Settings
from miniprogram_api.cli import run
from tests.support.audited import audited
from tests.support.households import Households
from tests.support.register import Register

Output = pytest.CaptureFixture[str]
TINGHU = 320902001001
NUMBER = "320902196001011237"


@pytest.fixture
def homes(
    worker_database: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Households:
    """Tinghu confirmed; one person under the deductible, whose other identity ended."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SHUKUN_DATA", str(tmp_path))
    settings = Settings.from_env({"DATABASE_URL": database_url, "SHUKUN_DATA": str(tmp_path)})
    homes = Households(Register(worker_database), key_check.open_keyring(settings))
    own = homes.member("甲", area=TINGHU)
    homes.register.identity("甲", "extreme_poverty", "2022-01-01")
    homes.register.identity("甲", "subsistence_allowance", "2022-01-01", "2023-12-31")
    homes.register.bill("甲", "B1", "2023-12-05", "900.00", paid={"basic": "100.00"})
    ((key,),) = homes.rows("SELECT data_key FROM person WHERE id = :id", id=own)
    sealed = homes.keyring.person(own, key).seal(Place("person_number", "number", own), NUMBER)
    with homes.session() as session, session.begin():
        session.execute(
            PERSON_NUMBER.insert().values(
                number_index=homes.keyring.index("id_number", NUMBER),
                person_id=own, current=True, number=sealed, file_id=1, revision=1,
            )
        )  # fmt: skip
    assert (
        run(["policy", "confirm", "tinghu-trial", "--from", "2022-03-01", "--to", "2024-02-29"])
        == 0
    )
    return homes


def test_a_day_is_previewed_done_once_and_exported(
    homes: Households, tmp_path: Path, capsys: Output
) -> None:
    done = (
        "退出告知：消息 1 条，当面告知 1 件；续办认定 0 件；撤回 0 件。\n",
        "年终复核名单 320902 2023：1 行。\n",
        "按月汇总 320902 2023-12：0 行。\n",
        "年度结算 320902 2023：0 行。\n",
    )
    capsys.readouterr()
    assert run(["calendar", "run", "--on", "2024-01-02", "--dry-run", "--by", "张三"]) == 0
    assert capsys.readouterr().out == "".join(f"（预览）{line}" for line in done) + (
        "以上只是预览，没有写入。\n"
    )
    assert audited("张三") == []
    assert run(["calendar", "run", "--on", "2024-01-02", "--by", "张三"]) == 0
    assert capsys.readouterr().out == "".join(done)
    assert run(["calendar", "run", "--on", "2024-01-03"]) == 0
    assert capsys.readouterr().out == (
        "退出告知：消息 0 条，当面告知 0 件；续办认定 0 件；撤回 0 件。\n"
    )
    out = tmp_path / "名单.csv"
    review = ["calendar", "review", "--area", "320902", "--year", "2023"]
    assert run([*review, "--out", str(out), "--by", "张三"]) == 0
    assert out.read_text(encoding="utf-8") == (
        f"id_number,bills,burden,deductible\n{NUMBER},1,800.00,3000.00\n"
    )
    assert out.stat().st_mode & 0o077 == 0
    summary = ["calendar", "summary", "--area", "320902", "--period", "2023"]
    assert run([*summary, "--out", str(out), "--by", "张三"]) == 0
    assert audited("张三") == [
        ("calendar.run", "2024-01-02"), *[("calendar.done", "320902")] * 3,
        ("person.read", str(homes.register.ids["甲"])),
        ("export.review", "320902"), ("export.summary", "320902"),
    ]  # fmt: skip


@pytest.mark.usefixtures("homes")
def test_a_list_that_cannot_be_written_is_said_plainly(tmp_path: Path, capsys: Output) -> None:
    assert run(["calendar", "run", "--on", "2024-01-02"]) == 0
    out = str(tmp_path / "nowhere" / "x.csv")
    review = ["calendar", "review", "--area", "320902", "--year", "2023"]
    assert run([*review, "--out", out]) == 2
    assert f"“{out}”写不了" in capsys.readouterr().err


@pytest.mark.usefixtures("homes")
def test_what_has_not_been_made_cannot_be_exported(tmp_path: Path, capsys: Output) -> None:
    out = ["--out", str(tmp_path / "x.csv")]
    assert run(["calendar", "summary", "--area", "320902", "--period", "2023", *out]) == 2
    assert "还没有生成" in capsys.readouterr().err
    assert run(["calendar", "review", "--area", "320902", "--year", "2020", *out]) == 2
