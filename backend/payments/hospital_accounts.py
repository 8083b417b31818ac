"""医院账户 (hospital accounts): to where goes what a hospital advanced; by the office."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from backend.citizens.tables import HOSPITAL
from backend.kernel import audit
from backend.kernel.audit import Subject, person
from backend.kernel.errors import Fault
from backend.payments import accounts
from backend.payments.payees import FORMULA, LONGEST_TEXT
from backend.payments.refusals import AccountWrong, PaymentUnknown
from backend.payments.tables import HOSPITAL_ACCOUNT

OWN = HOSPITAL_ACCOUNT.c


@dataclass(frozen=True, slots=True)
class HospitalAccount:
    """Of the hospital with this code."""

    code: str
    holder: str
    account: str
    bank: str


def register_account(session: Session, given: HospitalAccount, by: str) -> bool:
    """A new version of the hospital's account; False: it is registered just so.

    Raises `PaymentUnknown`, `AccountWrong`.
    """
    hospital = session.execute(select(HOSPITAL.c.id).where(HOSPITAL.c.code == given.code)).scalar()
    if hospital is None:
        raise PaymentUnknown(Fault("/code", "没有这家医院：请核对医院代码。"))
    said = {"holder": given.holder.strip(), "bank": given.bank.strip()}
    said["account"] = accounts.normalise(given.account)
    _check(said)
    mine = (OWN.hospital_id == hospital) & OWN.superseded_at.is_(None)
    before = session.execute(select(OWN.holder, OWN.bank, OWN.account).where(mine)).first()
    if before is not None and dict(before._mapping) == said:
        return False
    session.execute(update(HOSPITAL_ACCOUNT).where(mine).values(superseded_at=func.now()))
    session.execute(
        insert(HOSPITAL_ACCOUNT).values(hospital_id=hospital, loaded_by=person(by), **said)
    )
    subject = Subject("hospital", str(hospital))
    audit.record(session, actor=person(by), action="payee.hospital", subject=subject, detail={})
    return True


def _check(said: dict[str, str]) -> None:
    for name, text in said.items():
        if not text or len(text) > LONGEST_TEXT or text.startswith(FORMULA):
            raise AccountWrong(Fault(f"/{name}", "请填写户名、开户银行和账号，开头不带符号。"))
    if why := accounts.why_not(said["account"]):
        raise AccountWrong(Fault("/account", why))
