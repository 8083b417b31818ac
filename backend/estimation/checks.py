"""Whether a case can be estimated: what no form can check field by field."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import ClassVar

from backend.estimation.case import MAX_BILLS, Bill, Case, Identity
from backend.kernel.errors import DomainError, Fault
from backend.kernel.money import MAX_FEN, format_yuan
from backend.policies.book import PolicyBook

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2100, 12, 31)


class InvalidCase(DomainError):
    """The case contradicts itself or names what does not exist."""

    code: ClassVar[str] = "invalid-case"


def check_case(case: Case, book: PolicyBook) -> None:
    """Raises `InvalidCase` with every fault, or `UnknownPolicy`, `UnknownArea`."""
    if case.policy is not None:
        book.policy(case.policy)
    elif case.area is not None:
        book.concerning(case.area)
    faults = list(_faults(case, book))
    if faults:
        raise InvalidCase(*faults)


def _faults(case: Case, book: PolicyBook) -> Iterator[Fault]:
    if (case.policy is None) == (case.area is None):
        yield Fault("/policy", "请写明按哪个政策（policy）或哪个地区（area）测算，两个只写一个。")
    if not 1 <= len(case.bills) <= MAX_BILLS:
        yield Fault("/bills", f"请填 1 到 {MAX_BILLS} 张结算单。")
    for place, identity in enumerate(case.person.identities):
        yield from _identity_faults(identity, book, f"/person/identities/{place}")
    seen: set[str] = set()
    for place, bill in enumerate(case.bills):
        if bill.id in seen:
            yield Fault(f"/bills/{place}/id", f"结算单号“{bill.id}”重复了，每张要用不同的号。")
        seen.add(bill.id)
        yield from _bill_faults(bill, book, f"/bills/{place}")


def _identity_faults(identity: Identity, book: PolicyBook, at: str) -> Iterator[Fault]:
    if identity.category not in book.vocabulary.categories:
        yield Fault(f"{at}/category", "没有这个人员类别，请用规定的类别代码。")
    if identity.to is not None and identity.to < identity.from_:
        yield Fault(f"{at}/to", "身份结束的日期早于开始的日期，请改正。")
    for name, day in (
        ("from", identity.from_),
        ("to", identity.to),
        ("applied_on", identity.applied_on),
    ):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            yield Fault(f"{at}/{name}", f"日期要在 {FIRST_DAY} 和 {LAST_DAY} 之间。")


def _bill_faults(bill: Bill, book: PolicyBook, at: str) -> Iterator[Fault]:
    words = book.vocabulary
    if bill.setting not in words.settings:
        yield Fault(f"{at}/setting", f"没有这种就诊方式，请从这些里选：{_list(words.settings)}。")
    if bill.disease_group not in words.disease_groups:
        yield Fault(
            f"{at}/disease_group", f"没有这类疾病，请从这些里选：{_list(words.disease_groups)}。"
        )
    for layer in bill.paid:
        if layer not in words.layers and layer != "out_of_scope":
            yield Fault(f"{at}/paid/{layer}", "没有这一项支付，请用规定的代码。")
    if bill.discharged_on < bill.admitted_on:
        yield Fault(f"{at}/discharged_on", "出院（就诊结束）的日期早于入院的日期，请改正。")
    for name, day in (("admitted_on", bill.admitted_on), ("discharged_on", bill.discharged_on)):
        if not FIRST_DAY <= day <= LAST_DAY:
            yield Fault(f"{at}/{name}", f"日期要在 {FIRST_DAY} 和 {LAST_DAY} 之间。")
    yield from _money_faults(bill, at)


def _money_faults(bill: Bill, at: str) -> Iterator[Fault]:
    amounts = {"total": bill.total, "in_scope": bill.in_scope, "rare_drug": bill.rare_drug}
    amounts |= {f"paid/{layer}": amount for layer, amount in bill.paid.items()}
    for name, amount in amounts.items():
        if not 0 <= amount <= MAX_FEN:
            yield Fault(f"{at}/{name}", f"金额要在 0.00 和 {format_yuan(MAX_FEN)} 元之间。")
    if bill.in_scope + bill.rare_drug > bill.total:
        yield Fault(f"{at}/in_scope", "政策范围内费用加罕见病用药超过了总费用，请核对结算单。")
    if sum(bill.paid.values()) > bill.total:
        yield Fault(f"{at}/paid", "已经支付的合计超过了总费用，请核对结算单。")


def _list(codes: Collection[str]) -> str:
    return "、".join(codes)
