"""What one person is due in kind, worked out slowly, day by day where something may change.

Written from the rules and apart from `backend/matching`: no columns, one person at a time.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from backend.citizens.diagnoses import classes_of, group
from backend.policies.policy import Policy
from backend.policies.shapes import EnrolmentShape, EntitlementShape
from tests.support.in_kind import Someone

DAY = timedelta(days=1)
PolicySpan = tuple[Policy, date, date]
Row = tuple[str, str, date, date]


def in_kind(spans: Sequence[PolicySpan], who: Someone, year: int) -> tuple[set[Row], set[str]]:
    """The rows of the year, and the entitlements that a person must decide (premium aids as one)."""
    rows: set[Row] = set()
    asked: set[str] = set()
    keys = dict.fromkeys((p.id, e.code) for p, _, _ in spans for e in p.entitlements)
    for policy_id, code in keys:
        own = [span for span in spans if span[0].id == policy_id]
        shape = next(e for e in own[0][0].entitlements if e.code == code)
        if shape.kind != "premium_aid":
            if any(has_instead(own, code, who)):
                continue
            answers = all_answers(own, shape, who)
            rows |= {(policy_id, code, *run) for run in runs(answers, own)}
            if "yes" not in answers.values() and "ask" in answers.values():
                asked.add(code)
    aid = premium(spans, who, year)
    if aid == "ask":
        asked.add("premium_aid")
    elif aid:
        rows.add(aid)
    return rows, asked


def has_instead(spans: Sequence[PolicySpan], code: str, who: Someone) -> Iterator[bool]:
    """For each entitlement that takes the place of this one: whether the person gets it."""
    for other in spans[0][0].entitlements:
        if other.instead_of == code:
            yield "yes" in all_answers(spans, other, who).values()


def all_answers(
    spans: Sequence[PolicySpan], shape: EntitlementShape, who: Someone
) -> dict[date, str]:
    return {
        day: answer_on(spans, shape, who, day) if in_turn(spans, shape, who, day) else "no"
        for day in turning_points(who, spans)
    }


def in_turn(spans: Sequence[PolicySpan], shape: EntitlementShape, who: Someone, day: date) -> bool:
    """Every so many years from the first year of an identity of the categories."""
    for policy, first, last in spans:
        if first <= day <= last and shape.every is not None:
            held = [o.from_.year for o in who.identities if o.category in categories(policy, shape)]
            if not held:
                return False
            figure = (
                policy.parameters[shape.every].on(day) or policy.parameters[shape.every].values[0]
            )
            assert isinstance(figure.value, int)
            return day.year in range(min(held), day.year + 1, figure.value)
    return True


def answer_on(spans: Sequence[PolicySpan], shape: EntitlementShape, who: Someone, day: date) -> str:
    for policy, first, last in spans:
        if first <= day <= last and in_life(who, day):
            for one in who.identities:
                counts = one.from_ <= day <= (month_end(one.to) if one.to else date.max)
                if one.category in categories(policy, shape) and counts:
                    return conditions_on(policy, shape, who, day)
    return "no"


def conditions_on(policy: Policy, shape: EntitlementShape, who: Someone, day: date) -> str:
    asked = shape.conditions
    answers = ["ask" if asked.person_decides else "yes"]
    if asked.rural is not None:
        answers.append("yes" if who.rural == asked.rural else "no")
    if asked.sex is not None:
        answers.append({asked.sex: "yes", "": "ask"}.get(who.sex, "no"))
    for code, older in ((asked.age_from, True), (asked.age_to, False)):
        if code is not None:
            limit = policy.parameters[code].on(day)
            assert limit is not None
            answers.append(of_age(who, day, limit.value, older))  # type: ignore[arg-type]
    if asked.diagnoses is not None:
        answers.append(ill(asked.diagnoses, who))
    if asked.insurance is not None:
        answers.append(insured(asked.insurance, who, day))
    return "no" if "no" in answers else "ask" if "ask" in answers else "yes"


def of_age(who: Someone, day: date, limit: int, older: bool) -> str:
    if who.born_on is None:
        return "ask"
    born = who.born_on
    birthday = (born.month, born.day)
    if birthday == (2, 29) and monthrange(day.year, 2)[1] == 28:
        birthday = (2, 28)
    age = day.year - born.year - ((day.month, day.day) < birthday)
    return "yes" if (age >= limit if older else age <= limit) else "no"


def ill(names: Sequence[str], who: Someone) -> str:
    known = 0
    for icd10 in who.diagnoses:
        known |= classes_of(icd10)
    if any(known & group(name).bits for name in names):
        return "yes"
    return "ask" if any(known & group(name).unclear for name in names) else "no"


def insured(wanted: Sequence[str], who: Someone, day: date) -> str:
    ever = {status for _, status in who.changes} & set(wanted)
    if who.insurance == "unknown" and not ever:
        return "ask"
    status = who.insurance
    for since, new in sorted(who.changes):
        status = new if since <= day else status
    return "yes" if status in wanted else "no"


def premium(spans: Sequence[PolicySpan], who: Someone, year: int) -> Row | str | None:
    """The year's aid; "ask" where a person must decide."""
    offers = []
    doubt = False
    keys = list(dict.fromkeys((p.id, e.code) for p, _, _ in spans for e in p.entitlements))
    for policy, first, last in spans:
        for shape in policy.entitlements:
            if shape.kind == "premium_aid":
                for from_, to in covers(policy, shape, who, (first, last, year)):
                    held = [d for d in days_between(from_, to) if in_life(who, d)]
                    answers = {d: conditions_on(policy, shape, who, d) for d in held}
                    doubt = doubt or "ask" in answers.values()
                    good = [d for d in held if answers[d] == "yes"]
                    if good:
                        order = keys.index((policy.id, shape.code))
                        rank = (-share(policy, shape, first), good[0], order)
                        offers.append((rank, good[0], good[-1], policy.id, shape.code))
    if not offers:
        return "ask" if doubt else None
    best = min(offers)
    return best[3], best[4], min(o[1] for o in offers), max(o[2] for o in offers)


def covers(
    policy: Policy, shape: EntitlementShape, who: Someone, when: tuple[date, date, int]
) -> Iterator[tuple[date, date]]:
    first, last, year = when
    rule = shape.enrolment or EnrolmentShape()
    for one in who.identities:
        if one.category not in categories(policy, shape):
            continue
        lost = one.to or date.max
        if one.category in rule.taper and one.taper_until is not None:
            lost = max(lost, one.taper_until)
        if one.from_ <= last and lost >= first:
            begins = one.from_
            if rule.begins_after is not None:
                begins = begin(policy, rule.begins_after, one.from_, (first, last))
            to = date(year, 12, 31)
            if rule.lost_covers_to == "end_of_month":
                to = min(to, month_end(lost))
            yield max(begins, first), to


def begin(policy: Policy, code: str, recognised: date, within: tuple[date, date]) -> date:
    parameter = policy.parameters[code]
    figure = parameter.on(min(max(recognised, within[0]), within[1])) or parameter.values[0]
    count = figure.value
    assert isinstance(count, int)
    if parameter.shape.unit == "days":
        return recognised + count * DAY
    day = recognised
    for _ in range(count):
        day = month_end(day) + DAY
    return day


def share(policy: Policy, shape: EntitlementShape, day: date) -> int:
    if shape.amount is None:
        return 10_000
    figure = policy.parameters[shape.amount].on(day)
    assert figure is not None
    assert isinstance(figure.value, int)
    return figure.value if policy.parameters[shape.amount].shape.unit == "rate" else 0


def categories(policy: Policy, shape: EntitlementShape) -> Sequence[str]:
    return policy.document.beneficiaries if shape.categories == "all" else shape.categories


def in_life(who: Someone, day: date) -> bool:
    return day <= (who.died_on or date.max) and day < (who.left_on or date.max)


def month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def days_between(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY


def turning_points(who: Someone, spans: Sequence[PolicySpan]) -> list[date]:
    """Days within the spans from which something may be otherwise, until the next of them."""
    points = {first for _, first, _ in spans} | {last + DAY for _, _, last in spans}
    points |= {day for day, _ in who.changes}
    points |= {who.died_on + DAY} if who.died_on else set()
    points |= {who.left_on} if who.left_on else set()
    for one in who.identities:
        points |= {one.from_} | ({month_end(one.to) + DAY} if one.to else set())
    for policy, first, last in spans:
        for year in {first.year, last.year}:
            if who.born_on is not None:
                end_of_february = monthrange(year, 2)[1] if who.born_on.month == 2 else 31
                points.add(date(year, who.born_on.month, min(who.born_on.day, end_of_february)))
        for parameter in policy.parameters.values():
            points |= {value.from_ for value in parameter.values if value.from_}
    low, high = min(span[1] for span in spans), max(span[2] for span in spans)
    return sorted(point for point in points if low <= point <= high + DAY)


def runs(answers: dict[date, str], spans: Sequence[PolicySpan]) -> Iterator[tuple[date, date]]:
    """The days of "yes" in a row."""
    points = sorted(answers)
    begun = None
    for point in points:
        if answers[point] == "yes" and begun is None:
            begun = point
        elif answers[point] != "yes" and begun is not None:
            yield begun, point - DAY
            begun = None
    if begun is not None:
        yield begun, max(last for _, _, last in spans)
