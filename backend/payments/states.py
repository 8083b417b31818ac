"""状态 (states): the moves that items, orders and batches may make; the database refuses others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

UNPAID: Final = ("due", "held", "returned", "refund_due", "refund_elsewhere")
"""Open states in which further entries of the ledger are added to an item."""
OPEN: Final = (*UNPAID, "ordered")

_BY_ENTRIES: Final = ("due", "held", "refund_due", "refund_elsewhere", "netted", "settled")
"""States that further entries, or what the register says, bring an unpaid item into."""

ITEM: Final[Mapping[str, frozenset[str]]] = {
    "due": frozenset({*_BY_ENTRIES, "ordered", "closed"}),
    "held": frozenset({*_BY_ENTRIES, "closed"}),
    "returned": frozenset({*_BY_ENTRIES, "returned", "closed"}),
    "refund_due": frozenset({*_BY_ENTRIES, "refunded", "closed"}),
    "refund_elsewhere": frozenset({*_BY_ENTRIES, "cleared_elsewhere"}),
    "ordered": frozenset({"due", "paid", "returned"}),
    "settled": frozenset({"held"}),  # the settlement was taken back
    "paid": frozenset(),
    "refunded": frozenset(),
    "cleared_elsewhere": frozenset(),
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
    "refund_elsewhere": "应退，非我方支付",
    "ordered": "已列入批次",
    "paid": "已支付",
    "refunded": "已退回",
    "cleared_elsewhere": "已与支付方了结",
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
    "amount_in_doubt": "本人当年另有一笔到账金额与决定不符，影响限额：办结那件待办后自动恢复。",
    "died": "本人已去世：请核实由谁领取，补正收款账户后再放行。",
    "given": "结算数据显示本项已有支付：请核实是否还应支付。",
    "person_changed": "费用改到了另一人名下：重新匹配后自动改付那人；确应付本人的才放行。",
    "settled_before": "医院先前已结算过本项，后来又有增加：请核实后再放行。",
    "unsettled": "医院撤回了先前的结算：请核实后再放行。",
}
"""Why an item is held → what a person does about it."""
