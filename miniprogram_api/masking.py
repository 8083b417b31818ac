"""脱敏 (masking): personal data never reaches the log, whoever wrote the line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "***"
DEEPEST: Final = 6

PRIVATE_KEYS: Final = frozenset(
    {
        "name", "patient_name", "person_name", "contact_name", "real_name", "full_name", "nickname",
        "id_number", "id_no", "id_card", "certificate_no", "household_no",
        "phone", "mobile", "tel", "telephone", "phone_number", "address",
        "token", "access_token", "refresh_token", "session_key", "session_token", "api_key",
        "authorization", "cookie", "set_cookie", "password", "secret", "app_secret", "js_code",
        "openid", "unionid", "bank_account", "bank_card", "account_no", "card_no",
        "姓名", "身份证号", "证件号码", "电话", "手机号", "住址", "银行卡号", "银行账号",
    }
)  # fmt: skip

_DIGITS_END: Final = r"(?![0-9０-９])"
_PRIVATE_TEXT: Final = re.compile(
    r"(?i:(?<![a-z0-9])(?:bearer|basic)\s+[a-z0-9_.~+/=-]+)"
    r"|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|(?<![A-Za-z0-9_-])o[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])"
    r"|(?<!\d)\d{6}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3}[\dXxＸｘ]"
    + _DIGITS_END
    + r"|(?<!\d)\d{4}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?(?!\d)"
    r"|(?<!\d)\d{15,19}(?!\d)"
    r"|(?<!\d)(?:(?:\+|00)?86[ -]?)?[1１][3-9３-９]\d(?:[ -]?\d{4}){2}(?!\d)"
    r"|(?i:(?<=password=)[^\s&;]+|(?<=://)[^/\s:@]+:[^@\s/]+(?=@))"
)


def mask_text(text: str) -> str:
    """The text with identity, bank and phone numbers, tokens and openids blotted out."""
    return _PRIVATE_TEXT.sub(HIDDEN, text)


def mask(value: Any, depth: int = 0) -> Any:
    """The value fit for the log: plain, masked by key and by look, objects as masked text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, int):
        shown = str(value) if abs(value) < 10**30 else HIDDEN
        return value if mask_text(shown) == shown else HIDDEN
    if depth >= DEEPEST:
        return HIDDEN
    if isinstance(value, Mapping):
        return {mask_text(str(key)): mask_item(key, one, depth) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(one, depth + 1) for one in value]
    return mask_text(str(value))


def mask_item(key: Any, value: Any, depth: int = 0) -> Any:
    """The value under a key, hidden whole where the key is private."""
    if str(key).lower().replace("-", "_") in PRIVATE_KEYS:
        return HIDDEN
    return mask(value, depth + 1)
