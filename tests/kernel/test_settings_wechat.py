import pytest

from backend.kernel.settings import Settings, SettingsError
from backend.kernel.settings_wechat import OFFICIAL, SIMULATOR_SECRET, PushSettings, WeChatSettings

APPID = "wx0123456789abcdef"
SECRET = "canary-app-secret-of-nobody"
AES_KEY = "k" * 43
MINI_PROGRAM = {"WECHAT_APPID": APPID, "WECHAT_SECRET": SECRET}
IN_PRODUCTION = {"SHUKUN_PRODUCTION": "1", "SHUKUN_EMERGENCY_AREA": "320200"}
PUSH = {"WECHAT_PUSH_TOKEN": "canarytoken", "WECHAT_PUSH_AES_KEY": AES_KEY}


def faults(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    for secret in (SECRET, SIMULATOR_SECRET, PUSH["WECHAT_PUSH_TOKEN"], AES_KEY):
        assert secret not in str(caught.value)
    assert all(fault.remedy.endswith("。") for fault in caught.value.faults)
    return [fault.variable for fault in caught.value.faults]


def test_no_mini_program_is_connected_unless_one_is_named() -> None:
    assert Settings.from_env({"WECHAT_APPID": ""}).wechat is None


def test_a_mini_program_speaks_with_the_official_server_by_default() -> None:
    assert Settings.from_env(MINI_PROGRAM).wechat == WeChatSettings(APPID, SECRET, OFFICIAL, None)


def test_every_choice_of_a_mini_program_is_read() -> None:
    chosen = {"WECHAT_API_BASE": "http://127.0.0.1:8765/", "WECHAT_PUSH_FORMAT": "XML"}
    assert Settings.from_env(MINI_PROGRAM | PUSH | chosen).wechat == WeChatSettings(
        APPID, SECRET, "http://127.0.0.1:8765", PushSettings("canarytoken", AES_KEY, "xml")
    )


def test_neither_secret_stands_in_a_description_of_the_settings() -> None:
    shown = repr(Settings.from_env(MINI_PROGRAM | PUSH))
    assert not any(secret in shown for secret in (SECRET, "canarytoken", AES_KEY))


@pytest.mark.parametrize(
    "base",
    [
        "http://api.weixin.qq.com",
        "http://127.0.0.1.example:80",
        "http://localhost@example.com",
        "ftp://127.0.0.1",
        "https://",
        "https://api.weixin.qq.com/cgi-bin",
        "https://user:canary@api.weixin.qq.com",
        "https://api.weixin.qq.com?x=1",
        "http://127.0.0.1:99999",
        "api.weixin.qq.com",
    ],
)
def test_an_address_without_encryption_is_of_this_machine_and_none_has_a_path(base: str) -> None:
    assert faults(**MINI_PROGRAM, WECHAT_API_BASE=base) == ["WECHAT_API_BASE"]


@pytest.mark.parametrize("base", ["http://127.0.0.1:1", "http://[::1]:8765", "http://localhost:80"])
def test_this_machine_may_be_spoken_to_in_plain(base: str) -> None:
    chosen = Settings.from_env(MINI_PROGRAM | {"WECHAT_API_BASE": base}).wechat
    assert chosen is not None
    assert chosen.base == base


@pytest.mark.parametrize("base", ["http://127.0.0.1:8765", "https://api2.weixin.qq.com"])
def test_in_production_the_official_server_alone_is_spoken_to(base: str) -> None:
    assert faults(**MINI_PROGRAM, WECHAT_API_BASE=base, **IN_PRODUCTION) == ["WECHAT_API_BASE"]


def test_in_production_the_simulators_secret_is_refused() -> None:
    known = {"WECHAT_APPID": APPID, "WECHAT_SECRET": SIMULATOR_SECRET}
    assert Settings.from_env(known).wechat is not None
    assert faults(**known, **IN_PRODUCTION) == ["WECHAT_SECRET"]
    assert Settings.from_env(MINI_PROGRAM | PUSH | IN_PRODUCTION).production


def test_in_production_somebody_is_named_who_gets_emergencies_of_the_chat() -> None:
    named = Settings.from_env(MINI_PROGRAM | IN_PRODUCTION)
    assert named.emergency_area == "320200"
    assert faults(**MINI_PROGRAM, SHUKUN_PRODUCTION="1") == ["SHUKUN_EMERGENCY_AREA"]
    assert faults(SHUKUN_EMERGENCY_AREA="320299") == ["SHUKUN_EMERGENCY_AREA"]
    assert Settings.from_env(MINI_PROGRAM).emergency_area is None


def test_what_belongs_together_is_set_together() -> None:
    assert faults(WECHAT_APPID=APPID) == ["WECHAT_SECRET"]
    assert faults(WECHAT_SECRET=SECRET) == ["WECHAT_SECRET"]
    assert faults(**MINI_PROGRAM, WECHAT_PUSH_TOKEN="canarytoken") == ["WECHAT_PUSH_AES_KEY"]
    assert faults(**MINI_PROGRAM, WECHAT_PUSH_AES_KEY=AES_KEY) == ["WECHAT_PUSH_TOKEN"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WECHAT_APPID", "wx1"),
        ("WECHAT_SECRET", "with space in the middle"),
        ("WECHAT_PUSH_TOKEN", "符号"),
        ("WECHAT_PUSH_AES_KEY", "k" * 42),
        ("WECHAT_PUSH_FORMAT", "yaml"),
        ("SHUKUN_PRODUCTION", "yes"),
    ],
)
def test_what_does_not_look_right_is_refused(variable: str, value: str) -> None:
    assert faults(**(MINI_PROGRAM | PUSH | {variable: value})) == [variable]
