"""待办种类 (kinds): what is asked of whom, within how many working days, with which outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from backend.kernel import audit_words
from backend.worklist.tables import LEVELS

VILLAGE, TOWNSHIP, COUNTY, CITY = LEVELS

ROLES: Final = {role: audit_words.ROLES[role] for role in LEVELS}
"""Role → its name, from below to above."""

ORDINARY: Final = {"done": "已办理", "not_needed": "不需要办理"}
TOLD: Final = {**ORDINARY, "read": "本人已在小程序里读到"}
"""`read` comes by itself, with the reading."""
VISITED: Final = {"confirmed": "属实", "not_confirmed": "不属实"}
SUPERSEDED: Final = "superseded"
"""The outcome that no person chooses: the cause is gone. If it comes back, so does the item."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work. `working_days`: from the day of opening, and again at each level above."""

    name: str
    role: str
    working_days: int
    outcomes: Mapping[str, str]


def _kind(name: str, role: str, working_days: int = 10) -> Kind:
    return Kind(name, role, working_days, ORDINARY)


KINDS: Final[Mapping[str, Kind]] = {
    "home_visit": Kind("预警入户核查", VILLAGE, 5, VISITED),
    "hand_on": _kind("转给慈善组织", COUNTY),
    "judgement": _kind("申请成立，请按结论办理", COUNTY),
    "help_apply": _kind("预警属实，请帮助申请", VILLAGE, 5),
    "exit_told": _kind("当面告知退出", VILLAGE, 5),
    "tell_person": Kind("当面告知消息", VILLAGE, 5, TOLD),
    "message_failed": _kind("消息无法送达，请处理", COUNTY, 5),
    "messages_late": _kind("消息迟迟没有发出，请检查", CITY, 1),
    "wechat_used_up": _kind("微信接口当天次数用完，请检查", CITY, 1),
    "enrol_first": _kind("先办参保", TOWNSHIP),
    "insured_elsewhere": _kind("参保在外地，请核实", TOWNSHIP),
    "other_area_pays": _kind("身份由外地发放待遇，请核实由哪里救助", COUNTY),
    "amount_differs": _kind("到账金额与决定不符", COUNTY),
    "dead_or_moved_bill": _kind("死亡或迁出后的费用", COUNTY),
    "entitlement_question": _kind("是否符合待遇条件，请判断", COUNTY),
    "payee_missing": _kind("缺收款账户", VILLAGE),
    "payee_check": _kind("收款账户须核实", COUNTY),
    "payment_returned": _kind("银行退回的付款", COUNTY, 5),
    "payment_held": _kind("暂缓支付，请决定", COUNTY),
    "paid_twice": _kind("可能重复支付，请核实", COUNTY),
    "refund_due": _kind("应退款", COUNTY, 20),
    "refund_elsewhere": _kind("应退，非我方支付，请与支付方清算", COUNTY, 20),
    "name_changed": _kind("姓名有变化，请核对", TOWNSHIP),
    "people_merged": _kind("两个号码合为一人，请核对", TOWNSHIP),
    "phone_shared": _kind("多户共用一个电话，请核对", TOWNSHIP, 20),
    "renew_recognition": _kind("身份即将到期，请续办认定", TOWNSHIP, 20),
    "chat_handover": _kind("客服对话转人工", TOWNSHIP, 1),
    "year_end_review": _kind("年终复核：未到起付线的费用", COUNTY, 20),
}
"""Code → kind. `home_visit`: 5 working days, plan-2026 一; the other periods are the product's."""


def owner_of(kind: str, area: int) -> tuple[str, int]:
    """The list (role, area) that an item of the kind belongs to.

    A place that is known only to the township or county belongs to the role of that level, since
    no coordinator stands for it. Raises `KeyError` for an unknown kind.
    """
    return list_of(KINDS[kind].role, area)


def list_of(role: str, area: int) -> tuple[str, int]:
    """The list (role, area) that a place falls into: the role's own, or of the level above it."""
    roles = list(LEVELS)
    for below, above in pairwise(roles[roles.index(role) :]):
        if area % LEVELS[above] // LEVELS[below]:
            return below, area - area % LEVELS[below]
    return CITY, area - area % LEVELS[CITY]


def above(role: str) -> str | None:
    """The role that an overdue item moves on to; None: there is none."""
    later = list(LEVELS)[list(LEVELS).index(role) + 1 :]
    return later[0] if later else None
