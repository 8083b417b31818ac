"""自动核查 (checks): what the system itself can say of a case before a person looks.

Every result stands beside what was promised. No check refuses: whoever decides reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy.orm import Session

from backend.applications.cases import Case, case_of
from backend.applications.check_facts import read_facts
from backend.applications.check_results import Check
from backend.applications.check_rules import Rules, every_check
from backend.applications.deciding import Office, procedure_of
from backend.kernel import audit
from backend.policies.procedures import Procedure
from backend.policies.service_figures import NoFigure, service_figure

SHARE: Final = "warning.income_share"
_SHOWN: Final = ("applications", "basic", "household", "identities", "bills", "grants")


def checks_of(session: Session, office: Office, case_id: int) -> tuple[Check, ...]:
    """The checks of a case at the desk of who looks. Raises `UnknownCase`."""
    case = case_of(session, case_id)
    return checks_of_many(session, office, [case]).get(case.id, ())


def checks_of_many(
    session: Session, office: Office, cases: Sequence[Case]
) -> Mapping[int, tuple[Check, ...]]:
    """Case → its checks, by as many questions to the database as for one case. Cases that are not
    at the desk of who looks are left out. Each look at a file is written down.
    """
    procedures = {case.id: procedure_of(office.book, case) for case in cases}
    found = read_facts(session, office.keyring, cases, procedures, office.today)
    people = [facts.case.person_id for facts in found]
    audit.read_people(session, office.actor, people, "review", _SHOWN)
    return {
        facts.case.id: every_check(facts, _rules(office, facts.case, procedures[facts.case.id]))
        for facts in found
    }


def _rules(office: Office, case: Case, procedure: Procedure) -> Rules:
    return Rules(office.book, procedure, _share(office, case), office.today)


def _share(office: Office, case: Case) -> int | None:
    """Of the income, in 1/10,000, above which the bills of a household are too heavy for it."""
    area = f"{case.area:012d}"[:6]
    try:
        return service_figure(office.book, area, office.today, SHARE).value
    except NoFigure:
        return None
