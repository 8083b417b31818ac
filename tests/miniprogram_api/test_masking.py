from __future__ import annotations

import json

import pytest

from miniprogram_api.masking import HIDDEN, mask, mask_item, mask_text

CANARIES = [
    "110101199003071233",
    "11010119900307123X",
    "11010119900307123x",
    "110101 19900307 1233",
    "110101900307123",
    "13800138000",
    "138-0013-8000",
    "+86 138 0013 8000",
    "１３８００１３８０００",
    "6222021234567890123",
    "6222 0212 3456 7890",
    "Bearer abc.def-ghi",
    "Basic dXNlcjpwYXNz",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_DEF-123",
    "oGZUI0egBJY1zhBYw2KhdUfwVJJE",
]
HARMLESS = [
    "/api/v1/policies/<policy>",
    "wuxi-2022-98",
    "152000.00",
    "2026-11-21T23:57:30.867909Z",
    "320211",
    "锡政办发〔2022〕98号",
    "request",
    "mbekijfomlpjpnbinbinlaamcjklehim",
]


@pytest.mark.parametrize("canary", CANARIES)
def test_personal_data_never_shows_in_a_text(canary: str) -> None:
    for text in (canary, f"办理{canary}时出错", f'{{"x": "{canary}"}}'):
        assert canary not in mask_text(text)
        assert HIDDEN in mask_text(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_not_personal_stays_readable(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "key",
    ["name", "Name", "patient_name", "id_number", "Authorization", "openid", "Set-Cookie", "姓名"],
)
def test_private_keys_hide_whatever_they_hold(key: str) -> None:
    assert mask_item(key, "张三") == HIDDEN
    assert mask_item(key, {"a": ["张三"]}) == HIDDEN
    assert mask({"person": {key: "张三"}}) == {"person": {key: HIDDEN}}


def test_nothing_slips_through_in_other_shapes() -> None:
    class Person:
        def __repr__(self) -> str:
            return "Person(110101199003071233)"

    deep: object = "13800138000"
    for _ in range(50):
        deep = [deep]
    shapes = {
        "number": 110101199003071233,
        "phone_as_number": 13800138000,
        "bytes": b"110101199003071233",
        "object": Person(),
        "tuple": ("13800138000",),
        "13800138000": 1,
        "deep": deep,
        "error": ValueError("110101199003071233"),
    }
    shown = json.dumps(mask(shapes))
    assert "110101199003071233" not in shown
    assert "13800138000" not in shown


def test_amounts_counts_and_durations_stay() -> None:
    kept = {"fen": 15_200_000, "count": 3, "duration_ms": 1.25, "ok": True, "none": None}
    assert mask(kept) == kept


def test_a_password_in_an_address_is_hidden() -> None:
    assert mask_text("postgresql://app:s3cret@db/shukun") == f"postgresql://{HIDDEN}@db/shukun"
