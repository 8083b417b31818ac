"""收款人 (payees): to whose account a person's money goes: the person's own, or a guardian's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    any_,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from backend.citizens.exchange.chunk import Reject
from backend.citizens.id_number import normalise as normalise_number
from backend.citizens.lookup import Found, find_people
from backend.citizens.tables import PERSON
from backend.kernel import audit
from backend.kernel.audit import Operator, Subject
from backend.kernel.crypto import Cipher, Keyring, Place
from backend.kernel.row_ids import next_ids
from backend.payments import accounts, payee_checks
from backend.payments.rows import Column, Line, read_rows
from backend.payments.tables import PAYEE
from backend.worklist.items import supersede_items

COLUMNS: Final = (
    Column("id_number", ("身份证号", "身份证号码", "证件号码")),
    Column("holder", ("户名", "账户名", "开户名")),
    Column("account", ("账号", "银行账号", "银行卡号")),
    Column("bank", ("开户银行", "开户行", "银行")),
    Column("relationship", ("与本人关系", "关系")),
    Column("holder_id_number", ("户主身份证号", "账户人身份证号", "监护人身份证号"), needed=False),
)
OWN: Final = "own"
RELATIONSHIPS: Final = {
    OWN: ("本人",),
    "parent": ("父亲", "母亲", "父母", "父", "母"),
    "spouse": ("配偶", "丈夫", "妻子"),
    "child": ("子女", "儿子", "女儿"),
    "grandparent": ("祖父母", "外祖父母", "祖父", "祖母", "外祖父", "外祖母"),
    "sibling": ("兄弟姐妹", "兄弟", "姐妹"),
    "other_guardian": ("其他监护人", "监护人"),
}
"""Code → the words for it; an account of anybody else's than the person is a guardian's."""
LONGEST_TEXT: Final = 100
FORMULA: Final = ("=", "+", "-", "@")
"""A spreadsheet that opens the bank's file would compute what begins so."""
_WORDS: Final = {word: code for code, words in RELATIONSHIPS.items() for word in (code, *words)}


@dataclass(frozen=True, slots=True)
class PayeesTaken:
    """What came of a file. `shared`: accounts now named for more than one person; `checks`: work
    items newly opened."""

    added: int
    changed: int
    unchanged: int
    shared: int
    checks: int
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True)
class _Payee:
    """A row that can be taken. `guardian`: whose account it is, where not the person's own."""

    person: Found
    relationship: str
    guardian: Found | None
    bank: str
    holder: str
    account: str


def take_payees(session: Session, keyring: Keyring, path: Path, by: str) -> PayeesTaken:
    """Take a file of payees: good rows become the persons' payees, former ones are kept.

    The same file again changes nothing. Raises `FileError` where the file cannot be used.
    """
    lines, rejects = read_rows(path, COLUMNS)
    numbers = {
        normalise_number(line[name]) for line in lines for name in ("id_number", "holder_id_number")
    }
    people = find_people(session, keyring, numbers - {""})
    looked_at = {one.id for one in people.values()}
    audit.read_people(session, Operator(by), sorted(looked_at), "pay", ("basic", "account"))
    checker = _Checker(people, _Names(session, keyring, people.values()))
    payees = [payee for line in lines if (payee := checker.payee(line)) is not None]
    rejects += checker.rejects
    written = _Writer(session, keyring, by).write(payees)
    report = PayeesTaken(*written, tuple(sorted(rejects, key=lambda one: one.line)))
    counts = {"added": report.added, "changed": report.changed, "rejected": len(report.rejects)}
    audit.record(
        session, actor=by, action="payee.load", subject=Subject("payees", path.name), detail=counts
    )
    return report


class _Names:
    """Names in the register, opened when asked for."""

    def __init__(self, session: Session, keyring: Keyring, people: Iterable[Found]) -> None:
        ids = [one.id for one in people]
        query = select(PERSON.c.id, PERSON.c.data_key, PERSON.c.name)
        rows = session.execute(query.where(PERSON.c.id == _any(ids)))
        self._rows = {row.id: row for row in rows}
        self._keyring = keyring

    def of(self, person: Found) -> str:
        """The name as registered; `""`: none."""
        row = self._rows[person.id]
        cipher = self._keyring.person(person.id, bytes(row.data_key))
        return cipher.open(Place("person", "name", person.id), bytes(row.name))


class _Checker:
    """Checks rows one after another; gathers what is refused, each with what to do."""

    def __init__(self, people: Mapping[str, Found], names: _Names) -> None:
        self._people, self._names = people, names
        self._seen: set[int] = set()
        self.rejects: list[Reject] = []

    def payee(self, line: Line) -> _Payee | None:
        """What the row says; None: it is refused."""
        before = len(self.rejects)
        person = self._person(line)
        relationship = self._relationship(line)
        account = accounts.normalise(line["account"])
        self._refuse(line, "account", accounts.why_not(account))
        for column, word in (("bank", "开户银行"), ("holder", "户名")):
            self._refuse(line, column, _text_fault(line[column], word))
        if person is None or len(self.rejects) > before:
            return None
        guardian = None if relationship == OWN else self._guardian(line, person)
        if len(self.rejects) == before:
            self._holder(line, guardian or person)
        if len(self.rejects) > before:
            return None
        self._seen.add(person.id)
        return _Payee(person, relationship, guardian, line["bank"], line["holder"], account)

    def _person(self, line: Line) -> Found | None:
        person = self._people.get(normalise_number(line["id_number"]))
        if person is None or not person.known:
            advice = "参保人登记里没有这个身份证号：请核对号码，或先导入参保人。"
            self._refuse(line, "id_number", advice)
            return None
        if person.id in self._seen:
            self._refuse(line, "id_number", "同一个人在文件里有两个账户：请只保留一个。")
        return person

    def _relationship(self, line: Line) -> str:
        word = line["relationship"] or OWN
        code = _WORDS.get(word)
        if code is None:
            known = "、".join(words[0] for words in RELATIONSHIPS.values())
            self._refuse(line, "relationship", f"看不懂与本人的关系：请填写 {known} 之一。")
        return code or OWN

    def _guardian(self, line: Line, person: Found) -> Found | None:
        guardian = self._people.get(normalise_number(line["holder_id_number"]))
        if guardian is None or not guardian.known:
            reason = (
                "用监护人的账户，须填写监护人的身份证号，且监护人须在参保人登记里："
                "请补填 holder_id_number，或先导入监护人。"
            )
            self._refuse(line, "holder_id_number", reason)
        elif guardian.id == person.id:
            self._refuse(line, "relationship", "这是本人的身份证号：请把关系改为“本人”。")
        return guardian

    def _holder(self, line: Line, owner: Found) -> None:
        registered = self._names.of(owner)
        if registered and "".join(registered.split()) != "".join(line["holder"].split()):
            reason = "户名与登记的姓名不一致，银行会退回：请核对户名，或先更正登记的姓名。"
            self._refuse(line, "holder", reason)

    def _refuse(self, line: Line, column: str, reason: str | None) -> None:
        if reason is not None:
            self.rejects.append(Reject(line.number, column, reason))


def _any(ids: Sequence[int]) -> Any:
    """For `= ANY(…)`: one parameter, however many there are."""
    return any_(literal(list(ids), ARRAY(BigInteger)))


def _text_fault(text: str, word: str) -> str | None:
    if not text:
        return f"没有填写{word}：请补填。"
    if len(text) > LONGEST_TEXT or not text.isprintable():
        return f"{word}太长，或含有不能显示的字符：请核对后重新填写。"
    if text.startswith(FORMULA):
        return f"{word}以 {text[0]} 开头，表格软件会当成公式：请核对后重新填写。"
    return None


class _Writer:
    """Writes what differs from the current payees, sealed before it leaves this process."""

    def __init__(self, session: Session, keyring: Keyring, by: str) -> None:
        self._session, self._keyring, self._by = session, keyring, by

    def write(self, payees: Sequence[_Payee]) -> tuple[int, int, int, int, int]:
        """How many were added, changed and unchanged; accounts shared, work items opened."""
        current = self._current([one.person.id for one in payees])
        new = [one for one in payees if one.person.id not in current]
        known = [one for one in payees if one.person.id in current]
        changed = [one for one in known if not self._same(one, current[one.person.id])]
        checks = self._write(new + changed, [current[one.person.id].id for one in changed])
        shared = payee_checks.shared(
            self._session, self._keyring, [one.account for one in new + changed]
        )
        return len(new), len(changed), len(known) - len(changed), shared, checks

    def _write(self, payees: Sequence[_Payee], former: Sequence[int]) -> int:
        if not payees:
            return 0
        self._supersede(former)
        ids = next_ids(self._session, len(payees))
        rows = [self._row(id_, one) for id_, one in zip(ids, payees, strict=True)]
        self._session.execute(insert(PAYEE), rows)
        self._record(payees)
        accounts = [one.account for one in payees]
        pairs = list(zip(ids, accounts, strict=True))
        return payee_checks.ask_to_check(self._session, self._keyring, pairs, self._by)

    def _current(self, people: Sequence[int]) -> dict[int, Any]:
        query = select(PAYEE).where(
            PAYEE.c.person_id == _any(people), PAYEE.c.superseded_at.is_(None)
        )
        return {row.person_id: row for row in self._session.execute(query.with_for_update())}

    def _same(self, payee: _Payee, row: Any) -> bool:
        cipher = self._cipher(payee.person)
        opened = tuple(
            cipher.open(Place("payee", name, row.id), bytes(row._mapping[name]))
            for name in ("bank", "holder", "account")
        )
        guardian = payee.guardian.id if payee.guardian else None
        return (*opened, row.relationship, row.guardian_id) == (
            payee.bank, payee.holder, payee.account, payee.relationship, guardian,
        )  # fmt: skip

    def _supersede(self, former: Sequence[int]) -> None:
        gone = update(PAYEE).where(PAYEE.c.id == _any(former), PAYEE.c.superseded_at.is_(None))
        self._session.execute(gone.values(superseded_at=func.now()))
        payee_checks.ask_no_more(self._session, former, self._by)

    def _row(self, id_: int, payee: _Payee) -> dict[str, Any]:
        cipher = self._cipher(payee.person)
        return {
            "id": id_,
            "person_id": payee.person.id,
            "kind": OWN if payee.guardian is None else "guardian",
            "relationship": payee.relationship,
            "guardian_id": payee.guardian.id if payee.guardian else None,
            "bank": cipher.seal(Place("payee", "bank", id_), payee.bank),
            "holder": cipher.seal(Place("payee", "holder", id_), payee.holder),
            "account": cipher.seal(Place("payee", "account", id_), payee.account),
            "account_index": self._keyring.index("account", payee.account),
            "loaded_by": self._by,
        }

    def _record(self, written: Sequence[_Payee]) -> None:
        for one in written:
            subject = Subject("person", str(one.person.id))
            detail = {"relationship": one.relationship}
            audit.record(
                self._session, actor=self._by, action="payee.set", subject=subject, detail=detail
            )
        subjects = [Subject("person", str(one.person.id)) for one in written]
        supersede_items(self._session, "payee_missing", subjects, self._by)

    def _cipher(self, person: Found) -> Cipher:
        return self._keyring.person(person.id, person.data_key)
