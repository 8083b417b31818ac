"""账号 (accounts): whether an account number can be one; how it is shown."""

from __future__ import annotations

import re
from typing import Final

SHORTEST, LONGEST = 12, 30
SHOWN: Final = 4

_SEPARATORS: Final = re.compile(r"[\s-]")
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_MANGLED: Final = re.compile(
    r"[0-9]+(\.[0-9]+)?E\+?[0-9]+|[0-9]+\.[0-9]+", re.ASCII | re.IGNORECASE
)
_CARD: Final = re.compile(r"62[0-9]{14,17}", re.ASCII)
"""A card of China UnionPay: 16 to 19 digits, the last of them a check digit (GB/T 15694, Luhn)."""


def normalise(text: str) -> str:
    """Without the blanks and hyphens between groups of digits."""
    return _SEPARATORS.sub("", text)


def why_not(account: str) -> str | None:
    """Why a normalised number cannot be an account; a Chinese sentence, or None: it is in order."""
    if not account:
        return "没有填写账号：请补填。"
    if _MANGLED.fullmatch(account):
        return "账号被 Excel 当成数字改坏了：请把这一列设为“文本”格式，重新填写原账号。"
    if not _DIGITS.fullmatch(account):
        return "账号只能由数字组成：请核对后重新填写。"
    if not SHORTEST <= len(account) <= LONGEST:
        return f"账号应为 {SHORTEST} 至 {LONGEST} 位数字：请核对有没有多写、漏写。"
    if len(set(account)) == 1:
        return "账号各位都相同，不是真实的账号：请重新填写。"
    if _CARD.fullmatch(account) and not luhn(account):
        return "银行卡号的校验位不对，有一位写错或两位写反：请对照银行卡重新填写。"
    return None


def luhn(number: str) -> bool:
    """Whether the last digit checks the others: every second one from the right is doubled."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(int(digit) for digit in number[::-2]) + sum(doubled)) % 10 == 0


def masked(account: str) -> str:
    """An account as it may be shown: the last four digits."""
    return f"****{account[-SHOWN:]}"
