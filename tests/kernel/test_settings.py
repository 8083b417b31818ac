from pathlib import Path

import pytest

from backend.kernel.settings import DEFAULT_DATA, Settings, SettingsError


def test_an_empty_environment_gives_the_embedded_default() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert settings.database_url is None
    assert settings.data == DEFAULT_DATA


def test_every_choice_is_read(tmp_path: Path) -> None:
    (tmp_path / "initdb").touch()
    settings = Settings.from_env(
        {
            "DATABASE_URL": "postgresql://someone:secret@db.example/shukun",
            "SHUKUN_DATA": str(tmp_path / "data"),
            "DATABASE_APP_URL": "postgresql://site:secret@db.example/shukun",
            "DATABASE_WORKER_URL": "postgresql://worker:secret@db.example/shukun",
            "SHUKUN_PG_BIN": str(tmp_path),
            "SHUKUN_KEYS": str(tmp_path / "secret.json"),
            "SHUKUN_CIPHER": "SM4",
            "SHUKUN_CATALOGUE": f"{tmp_path}:{tmp_path}",
            "SHUKUN_LOG_LEVEL": "debug",
            "SHUKUN_WORKERS": "3",
            "SHUKUN_THREADS": "8",
            "SHUKUN_JOB_WORKERS": "0",
            "SHUKUN_WORKER_SILENCE": "60",
            "SHUKUN_MAX_BODY_BYTES": "2048",
            "SHUKUN_MAX_BATCH_BODY_BYTES": "4096",
            "SHUKUN_MAX_PAPER_BYTES": "2097152",
            "SHUKUN_PAPERS": str(tmp_path / "papers"),
            "SHUKUN_SEAL_KEY": str(tmp_path / "seal.key"),
            "SHUKUN_SEAL_CERT": str(tmp_path / "seal.pem"),
            "SHUKUN_SITE": "https://yibao.example.cn/",
            "SHUKUN_ACCOUNT_REQUESTS": "1000",
            "SHUKUN_PROXIES": "1",
        }
    )
    assert settings == Settings(
        database_url="postgresql://someone:secret@db.example/shukun",
        data=tmp_path / "data",
        database_app_url="postgresql://site:secret@db.example/shukun",
        database_worker_url="postgresql://worker:secret@db.example/shukun",
        pg_bin=tmp_path,
        keys=tmp_path / "secret.json",
        cipher="sm4",
        catalogue=(tmp_path, tmp_path),
        log_level="DEBUG",
        workers=3,
        threads=8,
        job_workers=0,
        worker_silence=60,
        max_body_bytes=2048,
        max_batch_body_bytes=4096,
        max_paper_bytes=2_097_152,
        papers=tmp_path / "papers",
        seal_key=tmp_path / "seal.key",
        seal_cert=tmp_path / "seal.pem",
        site="https://yibao.example.cn",
        account_requests=1000,
        proxies=1,
    )


def test_an_empty_variable_counts_as_unset() -> None:
    names = ["DATABASE_URL", "SHUKUN_DATA", "SHUKUN_CATALOGUE", "SHUKUN_WORKERS"]
    assert Settings.from_env(dict.fromkeys(names, "")) == Settings()


def test_every_fault_is_named_at_once_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    environ = {
        "DATABASE_URL": "mysql://root@db/x",
        "SHUKUN_DATA": str(file),
        "SHUKUN_PG_BIN": str(tmp_path),
        "SHUKUN_KEYS": str(tmp_path),
        "SHUKUN_CIPHER": "des",
        "SHUKUN_CATALOGUE": str(tmp_path / "absent"),
        "SHUKUN_LOG_LEVEL": "loud",
        "SHUKUN_WORKERS": "0",
        "SHUKUN_THREADS": "四",
        "SHUKUN_MAX_BODY_BYTES": "-1",
    }
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    assert [fault.variable for fault in caught.value.faults] == list(environ)
    assert all(fault.remedy.endswith("。") for fault in caught.value.faults)
    assert len(str(caught.value).splitlines()) == len(environ) + 1


@pytest.mark.parametrize("url", ["mysql://u:geheim@h/d", "postgres:geheim", "geheim"])
def test_a_database_url_at_fault_is_not_repeated_since_it_may_hold_a_password(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DATABASE_URL": url})
    assert "DATABASE_URL" in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("variable", ["DATABASE_APP_URL", "DATABASE_WORKER_URL"])
def test_a_login_for_a_role_needs_the_owners_beside_it(variable: str) -> None:
    with pytest.raises(SettingsError, match="只能和 DATABASE_URL 一起设置"):
        Settings.from_env({variable: "postgresql://site@db/shukun"})


@pytest.mark.parametrize("text", ["1e3", "２", "9" * 5000, "1.0", " 2"])
def test_a_number_is_plain_digits_within_its_bounds(text: str) -> None:
    with pytest.raises(SettingsError):
        Settings.from_env({"SHUKUN_WORKERS": text})
