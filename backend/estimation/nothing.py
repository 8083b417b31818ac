"""Why a layer pays nothing on a bill that the policy decides, in one sentence."""

from __future__ import annotations

from backend.estimation.context import BillContext
from backend.estimation.settle import Settled


def why_nothing(settled: Settled, of: BillContext) -> str:
    """The policy's own sentence where it has one, else one made from what the bill lacks."""
    missed, name = settled.missed or "", of.words.layers[settled.layer]
    if settled.terms is not None and missed in settled.terms.shape.not_covered:
        return settled.terms.shape.not_covered[missed]
    if missed == "settings":
        return f"{of.words.settings[of.bill.setting]}的费用不在{name}的范围内。"
    if missed == "disease_groups":
        return f"这类疾病的费用不在{name}的范围内。"
    if missed in of.words.flags:
        return f"{name}要求{of.words.flags[missed]}，这笔费用不符合。"
    return _no_identity(name, of)


def _no_identity(name: str, of: BillContext) -> str:
    if not of.person.identities:
        return f"没有填写救助身份，这笔费用没有{name}。"
    if of.held:
        names = of.names(sorted(of.held, key=of.words.positions.__getitem__))
        return f"{names}不在{name}的对象范围内，这笔费用没有{name}。"
    return f"这笔费用发生时没有有效的救助身份，没有{name}。"
