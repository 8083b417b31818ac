from __future__ import annotations

from pathlib import Path

import pytest

from backend.kernel.crypto import Keyring, Place
from backend.kernel.database import transaction
from backend.kernel.yaml_file import FileError
from backend.payments.payees import PayeesTaken, take_payees
from tests.payments.conftest import Office
from tests.support.ledger import Ledger, card

HEADER = "id_number,holder,account,bank,relationship,holder_id_number"


@pytest.fixture(autouse=True)
def people(ledger: Ledger) -> None:
    for name in ("测甲", "测乙", "测丙"):
        ledger.person(name, account=None)


class Counter:
    """Takes files of rows; names are put in place of numbers."""

    def __init__(self, ledger: Ledger, keyring: Keyring, folder: Path) -> None:
        self.ledger, self.keyring, self.path = ledger, keyring, folder / "payees.csv"

    def take(self, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> PayeesTaken:
        body = "\n".join(rows).format(**self.ledger.numbers)
        self.path.write_text(f"{header}\n{body}\n", encoding=encoding)
        with transaction() as session:
            return take_payees(session, self.keyring, self.path, "经办")

    def accounts(self, name: str) -> list[str]:
        """Every version, the current one last."""
        own = self.ledger.register.ids[name]
        rows = self.ledger.rows(
            "SELECT y.id, y.account, p.data_key FROM payee y JOIN person p ON p.id = y.person_id"
            " WHERE p.id = :own ORDER BY y.superseded_at NULLS LAST, y.id",
            own=own,
        )
        return [
            self.keyring.person(own, key).open(Place("payee", "account", id_), sealed)
            for id_, sealed, key in rows
        ]


@pytest.fixture
def counter(ledger: Ledger, keyring: Keyring, tmp_path: Path) -> Counter:
    return Counter(ledger, keyring, tmp_path)


def test_an_own_account_is_taken_sealed_and_found_again(counter: Counter, ledger: Ledger) -> None:
    taken = counter.take(f"{{测甲}},测甲,{card(1)},农业银行,本人,")
    assert (taken.added, taken.rejects) == (1, ())
    assert counter.accounts("测甲") == [card(1)]
    [(dump,)] = ledger.rows("SELECT string_agg(payee::text, '') FROM payee")
    assert card(1) not in dump
    assert "农业银行" not in dump


def test_the_same_file_again_changes_nothing(counter: Counter) -> None:
    for added, unchanged in ((1, 0), (0, 1)):
        taken = counter.take(f"{{测甲}},测甲,{card(1)},农业银行,本人,")
        assert (taken.added, taken.changed, taken.unchanged) == (added, 0, unchanged)
    assert len(counter.accounts("测甲")) == 1


def test_a_corrected_account_is_a_new_version_and_the_old_one_is_kept(counter: Counter) -> None:
    counter.take(f"{{测甲}},测甲,{card(1)},农业银行,本人,")
    assert counter.take(f"{{测甲}},测甲,{card(2)},农业银行,本人,").changed == 1
    assert counter.accounts("测甲") == [card(1), card(2)]


def test_a_guardians_account_is_taken_with_the_relationship(
    counter: Counter, ledger: Ledger
) -> None:
    taken = counter.take(f"{{测甲}},测乙,{card(3)},农业银行,母亲,{{测乙}}")
    assert taken.added == 1
    guardian = ledger.register.ids["测乙"]
    assert ledger.rows("SELECT kind, relationship, guardian_id FROM payee") == [
        ("guardian", "parent", guardian)
    ]


def test_headers_may_be_chinese_and_the_file_gb18030(counter: Counter) -> None:
    header = "身份证号,户名,银行卡号,开户行,与本人关系"
    taken = counter.take(f"{{测甲}},测甲,{card(1)},农业银行,", header=header, encoding="gb18030")
    assert (taken.added, taken.rejects) == (1, ())


FAULTS = (
    ("{测甲},测甲,6228480402564890019,农行,本人,", "account", "校验位"),
    ("{测甲},测甲,,农行,本人,", "account", "补填"),
    ("{测甲},测甲,6228480402564890018,,本人,", "bank", "补填"),
    ("{测甲},测甲,6228480402564890018,=1+1,本人,", "bank", "公式"),
    ("{测甲},测甲,6228480402564890018,＠SUM(1),本人,", "bank", "公式"),
    ("{测甲},测乙,6228480402564890018,农行,本人,", "holder", "不一致"),
    ("{测甲},,6228480402564890018,农行,本人,", "holder", "补填"),
    ("{测甲},测甲,6228480402564890018,农行,邻居,", "relationship", "看不懂"),
    ("{测甲},测乙,6228480402564890018,农行,父亲,", "holder_id_number", "监护人"),
    (
        "{测甲},测丁,6228480402564890018,农行,父亲,110101199003070011",
        "holder_id_number",
        "登记",
    ),
    ("{测甲},测丙,6228480402564890018,农行,父亲,{测乙}", "holder", "不一致"),
    ("{测甲},测甲,6228480402564890018,农行,父亲,{测甲}", "relationship", "本人"),
    ("110101199003070011,测甲,6228480402564890018,农行,本人,", "id_number", "登记"),
    ("{测甲},测甲,6228480402564890018,农行", "整行", "格"),
)


def test_a_row_at_fault_is_refused_with_line_column_and_reason(counter: Counter) -> None:
    good = f"{{测丙}},测丙,{card(9)},农行,本人,"
    taken = counter.take(good, *(row for row, _, _ in FAULTS))
    assert [(one.line, one.column) for one in taken.rejects] == [
        (line, column) for line, (_, column, _) in enumerate(FAULTS, 3)
    ]
    for reject, (row, _, reason) in zip(taken.rejects, FAULTS, strict=True):
        assert reason in reject.reason, row
    assert taken.added == 1
    assert counter.accounts("测甲") == []


def test_two_accounts_of_one_person_in_a_file_are_one_too_many(counter: Counter) -> None:
    row = "{{测甲}},测甲,{},农行,本人,"
    taken = counter.take(row.format(card(1)), row.format(card(2)))
    assert [(one.line, one.column) for one in taken.rejects] == [(3, "id_number")]
    assert counter.accounts("测甲") == [card(1)]


def test_an_account_of_several_people_who_are_no_family_is_told(counter: Counter) -> None:
    of_two = counter.take(f"{{测甲}},测甲,{card(1)},农行,,", f"{{测乙}},测乙,{card(1)},农行,,")
    assert of_two.shared == 1


def test_a_guardian_may_receive_for_several_children(counter: Counter) -> None:
    taken = counter.take(
        f"{{测甲}},测丙,{card(1)},农行,父亲,{{测丙}}",
        f"{{测乙}},测丙,{card(1)},农行,父亲,{{测丙}}",
        f"{{测丙}},测丙,{card(1)},农行,本人,",
    )
    assert (taken.added, taken.shared) == (3, 0)


def homes(ledger: Ledger, **households: int) -> None:
    for name, household in households.items():
        ledger.register.change_person(name, household_id=household)


GUARDED = f"{{测甲}},测乙,{card(3)},农业银行,母亲,{{测乙}}"


@pytest.mark.parametrize(
    ("households", "asked"),
    [({}, 0), ({"测甲": 7}, 0), ({"测甲": 7, "测乙": 7}, 0), ({"测甲": 7, "测乙": 8}, 1)],
)
def test_a_guardian_of_another_household_is_taken_and_looked_at(
    counter: Counter, ledger: Ledger, households: dict[str, int], asked: int
) -> None:
    homes(ledger, **households)
    taken = counter.take(GUARDED)
    assert (taken.added, taken.checks) == (1, asked)
    assert ledger.work() == [("payee_check", "payee")] * asked


@pytest.mark.parametrize(("guardian", "asked"), [("测乙", 0), ("测丙", 1)])
def test_a_guardian_by_the_register_is_taken_and_another_is_looked_at(
    counter: Counter, ledger: Ledger, guardian: str, asked: int
) -> None:
    homes(ledger, 测甲=7, 测乙=8)
    ledger.register.change_person("测甲", guardian_id=ledger.register.ids[guardian])
    assert counter.take(GUARDED).checks == asked


def test_a_corrected_account_is_no_longer_looked_at(counter: Counter, ledger: Ledger) -> None:
    homes(ledger, 测甲=7, 测乙=8)
    counter.take(GUARDED)
    counter.take(f"{{测甲}},测甲,{card(1)},农业银行,本人,")
    assert ledger.work() == []


def test_an_account_of_more_than_five_households_is_looked_at_again_at_ten(
    counter: Counter, ledger: Ledger
) -> None:
    rows = []
    for at in range(10):
        ledger.person(f"户{at}", account=None)
        homes(ledger, **{f"户{at}": 100 + at})
        rows.append(f"{{户{at}}},测丙,{card(9)},农业银行,其他监护人,{{测丙}}")
    assert [counter.take(*rows[:count]).checks for count in (5, 6, 9, 10)] == [0, 1, 0, 1]
    assert {kind for kind, _ in ledger.work()} == {"payee_check"}


def test_an_account_takes_the_persons_case_off_the_work_list(
    counter: Counter, ledger: Ledger, office: Office
) -> None:
    ledger.entry(ledger.bill("测甲", "B1"), 5_000, ledger.run())
    office.make()
    assert ledger.work() == [("payee_missing", "person")]
    counter.take(f"{{测甲}},测甲,{card(1)},农行,本人,")
    assert ledger.work() == []
    assert office.make().ordered.total == 5_000


@pytest.mark.parametrize(
    "header", ["id_number,holder,account,bank", "id_number,户名,holder,account,bank,relationship"]
)
def test_a_file_without_the_columns_is_refused_as_a_whole(header: str, counter: Counter) -> None:
    with pytest.raises(FileError, match=r"relationship|只留一列"):
        counter.take("a,b,c,d", header=header)


def test_the_audit_says_whose_payee_changed_and_no_account(
    counter: Counter, ledger: Ledger
) -> None:
    counter.take(f"{{测甲}},测甲,{card(1)},农业银行,本人,")
    rows = ledger.rows("SELECT actor, action, detail::text FROM audit_event ORDER BY id")
    actions = ["person.read", "payee.set", "payee.load"]
    assert [row[:2] for row in rows] == [("经办", action) for action in actions]
    assert card(1) not in str(rows)
