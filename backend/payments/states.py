"""状态 (states): the moves that items, orders and batches may make; the database refuses others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

UNPAID: Final = ("due", "held", "returned", "refund_due")
"""Open states in which further entries of the ledger are added to an item."""
OPEN: Final = (*UNPAID, "ordered")

ITEM: Final[Mapping[str, frozenset[str]]] = {
    "due": frozenset({"due", "ordered", "held", "refund_due", "netted", "settled", "closed"}),
    "held": frozenset({"held", "due", "refund_due", "netted", "settled", "closed"}),
    "returned": frozenset({"returned", "due", "held", "refund_due", "netted", "settled", "closed"}),
    "refund_due": frozenset(
        {"refund_due", "due", "held", "netted", "settled", "refunded", "closed"}
    ),
    "ordered": frozenset({"due", "paid", "returned"}),
    "settled": frozenset({"held"}),  # the settlement was taken back
    "paid": frozenset(),
    "refunded": frozenset(),
    "closed": frozenset(),
    "netted": frozenset(),
}
ORDER: Final[Mapping[str, frozenset[str]]] = {
    "ordered": frozenset({"paid", "returned", "withdrawn"}),
    "paid": frozenset(),
    "returned": frozenset(),
    "withdrawn": frozenset(),
}
BATCH: Final[Mapping[str, frozenset[str]]] = {
    "made": frozenset({"reviewed", "withdrawn"}),
    "reviewed": frozenset({"approved", "withdrawn"}),
    "approved": frozenset({"written", "withdrawn"}),
    "written": frozenset(),
    "withdrawn": frozenset(),
}

ITEM_NAMES: Final = {
    "due": "待支付",
    "held": "暂缓，等人决定",
    "returned": "银行退回",
    "refund_due": "应退",
    "ordered": "已列入批次",
    "paid": "已支付",
    "refunded": "已退回",
    "closed": "不再支付",
    "netted": "增减相抵",
    "settled": "医院已结算",
}
ORDER_NAMES: Final = {
    "ordered": "等银行回盘",
    "paid": "已支付",
    "returned": "银行退回",
    "withdrawn": "已撤下",
}
BATCH_NAMES: Final = {
    "made": "待复核",
    "reviewed": "待审批",
    "approved": "可出盘",
    "written": "已出盘",
    "withdrawn": "已撤销",
}
HOLDS: Final = {
    "died": "本人已去世：请核实由谁领取，补正收款账户后再放行。",
    "given": "结算数据显示本项已有支付：请核实是否还应支付。",
    "person_changed": "费用改到了另一人名下：重新匹配后自动改付那人；确应付本人的才放行。",
    "settled_before": "医院先前已结算过本项，后来又有增加：请核实后再放行。",
    "unsettled": "医院撤回了先前的结算：请核实后再放行。",
}
"""Why an item is held → what a person does about it."""
