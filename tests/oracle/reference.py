"""What each layer pays on a person's bills, the slow and plain way: a test oracle for the engine.

Every figure and rule stands here once more, by hand, from the policy facts; a "§n" in a comment
is a section of that page, a clause after a Chinese document number is the clause of the document
itself. Nothing is shared with the engine, so that a slip in one of the two shows as a difference.

All money is an exact `Fraction` of yuan; it is rounded (half-up, to the fen) only where the facts
say that it is.
"""

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

Money = Fraction
ZERO = Fraction(0)

ZHANGJIAGANG = "zhangjiagang-2024"
YUEQING = "yueqing-2022-41"
WUXI = "wuxi-2022-98"
TINGHU = "tinghu-trial"
PLAN = "plan-2026"

# §0: first and last day in force, both included. The day that decides is `discharged_on`.
# Yueqing is in force from 2022-09-16 but is "also applied to matters from 2022-01-01 on" (§五).
# Tinghu's dates are unconfirmed: an estimate that names the policy uses it on any day.
IN_FORCE: dict[str, tuple[date, date]] = {
    ZHANGJIAGANG: (date(2024, 1, 1), date.max),
    YUEQING: (date(2022, 1, 1), date(2025, 12, 31)),
    WUXI: (date(2023, 1, 1), date.max),
    TINGHU: (date.min, date.max),
    PLAN: (date(2026, 1, 1), date(2026, 12, 31)),
}

# §0, §1 "Which policy a person falls under". Tinghu (320902) is left out: a lookup by area answers
# "unconfirmed". plan-2026 is left out: it names no place.
POLICY_OF_AREA: dict[str, str] = {
    "320582": ZHANGJIAGANG,  # 张家港市
    "330382": YUEQING,  # 乐清市
    "320200": WUXI,  # 无锡市
}

# §1: every category, in the order of the section.
CATEGORIES: list[str] = [
    "extreme_poverty",
    "subsistence_allowance",
    "subsistence_marginal",
    "orphan",
    "unattended_child",
    "child_unsupervised",
    "child_severe_or_stray",
    "child_poor_family",
    "entitled_veteran",
    "retrenched_worker_1960s",
    "destitute_worker",
    "severely_disabled",
    "disabled_living_allowance",
    "expenditure_poor",
    "expenditure_poor_seriously_ill",
    "temporary_relief_seriously_ill",
    "illness_impoverished",
    "poverty_monitored",
    "other_hardship",
]

# §1: the categories marked "a child in difficulty" (困境儿童), in the order of the section.
CHILDREN_IN_DIFFICULTY: list[str] = [
    "orphan",
    "unattended_child",
    "child_unsupervised",
    "child_severe_or_stray",
    "child_poor_family",
]

# §2: always in this order. `out_of_scope` is no layer; it is only ever given.
LAYERS: list[str] = [
    "basic",
    "serious_illness",
    "medical_assistance",
    "rare_drug_assistance",
    "tilt_assistance",
    "commercial",
    "mutual_aid",
    "charity",
    "special_assistance",
    "high_cost_relief",
]

# Payments that do not lower the in-scope burden: `out_of_scope` (§2) and, because `rare_drug`
# lies outside `in_scope`, the rare-drug assistance.
BESIDE_THE_SCOPE = ["rare_drug_assistance", "out_of_scope"]

# §1: "a stay (`inpatient`; `day_surgery` and `home_bed` are read as stays too)".
STAYS = ["inpatient", "day_surgery", "home_bed"]


# --- What is read from a request ----------------------------------------------------------------


@dataclass(frozen=True)
class Identity:
    """One identity (身份) of the person and its first and last day; no last day: still held."""

    category: str
    start: date
    end: date | None
    applied_on: date | None


@dataclass(frozen=True)
class Bill:
    """One settlement (结算单)."""

    id: str
    setting: str
    admitted_on: date
    discharged_on: date
    total: Money
    in_scope: Money
    given: Mapping[str, Money]
    referred: bool
    in_province: bool
    followed_guidance: bool
    designated: bool
    disease_group: str
    rare_drug: Money


@dataclass(frozen=True)
class Assumptions:
    """The locality's own figures, where the documents have none."""

    base_deductible: Money | None
    base_rate: Fraction | None
    disposable_income_per_head: Money


@dataclass(frozen=True)
class Person:
    """Who the bills belong to."""

    identities: list[Identity]
    declined_health_service: bool


def read_day(text: str | None) -> date | None:
    """A day, or none."""
    return None if text is None else date.fromisoformat(text)


def read_identity(data: Mapping[str, Any]) -> Identity:
    """One identity of a request."""
    return Identity(
        category=data["category"],
        start=date.fromisoformat(data["from"]),
        end=read_day(data.get("to")),
        applied_on=read_day(data.get("applied_on")),
    )


def read_person(request: Mapping[str, Any]) -> Person:
    """The person of a request; left out: no identity, nothing declined."""
    data = request.get("person") or {}
    return Person(
        identities=[read_identity(item) for item in data.get("identities") or []],
        declined_health_service=bool(data.get("declined_health_service", False)),
    )


def read_assumptions(request: Mapping[str, Any]) -> Assumptions:
    """The assumptions of a request.

    §2, plan-2026: "without a figure for disposable income per head, 60,000.00 is used".
    """
    data = request.get("assumptions") or {}
    base = data.get("serious_illness_base")
    return Assumptions(
        base_deductible=None if base is None else Fraction(base["deductible"]),
        base_rate=None if base is None else Fraction(base["rate"]),
        disposable_income_per_head=Fraction(data.get("disposable_income_per_head") or "60000.00"),
    )


def read_bill(data: Mapping[str, Any]) -> Bill:
    """One bill; every flag false when left out, but `designated` true (contract)."""
    given = data.get("paid") or {}
    return Bill(
        id=data["id"],
        setting=data["setting"],
        admitted_on=date.fromisoformat(data["admitted_on"]),
        discharged_on=date.fromisoformat(data["discharged_on"]),
        total=Fraction(data["total"]),
        in_scope=Fraction(data["in_scope"]),
        given={layer: Fraction(amount) for layer, amount in given.items()},
        referred=bool(data.get("referred", False)),
        in_province=bool(data.get("in_province", False)),
        followed_guidance=bool(data.get("followed_guidance", False)),
        designated=bool(data.get("designated", True)),
        disease_group=data.get("disease_group") or "general",
        rare_drug=Fraction(data.get("rare_drug") or "0.00"),
    )


# --- Money ------------------------------------------------------------------------------------


def round_to_fen(amount: Fraction) -> Money:
    """Half-up to the fen (§2: "rounded half-up to the fen"); amounts are never negative."""
    fen_and_a_half = amount * 100 + Fraction(1, 2)
    return Fraction(fen_and_a_half.numerator // fen_and_a_half.denominator, 100)


def show(amount: Money) -> str:
    """An amount in whole fen as the text of yuan with two decimals."""
    fen = amount * 100
    assert fen.denominator == 1, amount
    assert fen >= 0, amount
    return f"{fen.numerator // 100}.{fen.numerator % 100:02d}"


# --- Which policy, which identity --------------------------------------------------------------


def is_in_force(policy: str, day: date) -> bool:
    """§0: whether the policy is in force on the day of discharge."""
    first, last = IN_FORCE[policy]
    return first <= day <= last


def policy_of_area(area: str, day: date) -> str | None:
    """§1: the county's own policy in force that day, else its city's, else none."""
    city = area[:4] + "00"
    for place in [area, city]:
        policy = POLICY_OF_AREA.get(place)
        if policy is not None and is_in_force(policy, day):
            return policy
    return None


def policy_for_bill(request: Mapping[str, Any], bill: Bill) -> str | None:
    """The policy that works on the bill; none when no policy is in force there (§0)."""
    policy = request.get("policy")
    if policy is None:
        return policy_of_area(request["area"], bill.discharged_on)
    return policy if is_in_force(policy, bill.discharged_on) else None


def end_of_month(day: date) -> date:
    """The last day of the calendar month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def twelve_months_before(day: date) -> date:
    """The same day a year earlier; 29 February becomes 28 (§1)."""
    if day.month == 2 and day.day == 29:
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)


def identity_start(policy: str, identity: Identity) -> date:
    """§1: the first day it counts.

    In Tinghu, for 支出型困难家庭中的大重病患者 alone: the earlier of `from` and the day twelve
    months before `applied_on`.
    """
    backdated = policy == TINGHU and identity.category == "expenditure_poor_seriously_ill"
    if backdated and identity.applied_on is not None:
        return min(identity.start, twelve_months_before(identity.applied_on))
    return identity.start


def identity_end(identity: Identity) -> date:
    """§1: the *extended* end, the last day of the calendar month of `to`."""
    return date.max if identity.end is None else end_of_month(identity.end)


def identity_counts(policy: str, identity: Identity, bill: Bill) -> bool:
    """§1: a stay counts by one day of overlap, any other bill by its day of discharge."""
    start = identity_start(policy, identity)
    end = identity_end(identity)
    if bill.setting in STAYS:
        return bill.admitted_on <= end and bill.discharged_on >= start
    return start <= bill.discharged_on <= end


def categories_counting(policy: str, table: list[str], person: Person, bill: Bill) -> list[str]:
    """The categories of the table that count on the bill, in the order of the table."""
    held = [item.category for item in person.identities if identity_counts(policy, item, bill)]
    return [category for category in table if category in held]


# --- Medical assistance (医疗救助): the tables --------------------------------------------------

# 锡政办发〔2022〕98号 §四(六), row by row.
WUXI_100 = ["extreme_poverty", "orphan", "unattended_child"]
WUXI_85 = [
    # "other children in difficulty", in the order of §1 of the facts
    "child_unsupervised",
    "child_severe_or_stray",
    "child_poor_family",
    "subsistence_allowance",
    "entitled_veteran",
    "retrenched_worker_1960s",
    "destitute_worker",
]
WUXI_70 = [
    "subsistence_marginal",
    "expenditure_poor_seriously_ill",
    "temporary_relief_seriously_ill",
    "severely_disabled",
    "other_hardship",
]

# 张家港 §7: 特困 and every child in difficulty; then every other category, in the order of §1.
ZHANGJIAGANG_100 = ["extreme_poverty", *CHILDREN_IN_DIFFICULTY]
ZHANGJIAGANG_85 = [category for category in CATEGORIES if category not in ZHANGJIAGANG_100]

# 乐政办发〔2022〕41号 §9 for the first, §二, §8, §9 for the others.
YUEQING_UNLIMITED = ["extreme_poverty"]
YUEQING_LIMITED = [
    "subsistence_allowance",
    "subsistence_marginal",
    *CHILDREN_IN_DIFFICULTY,
    "other_hardship",
]

# The plan of 2026, 二: the four categories with stated rates.
PLAN_STATED = [
    "extreme_poverty",
    "subsistence_allowance",
    "subsistence_marginal",
    "illness_impoverished",
]

# §2: the tables, earlier rows first, within a row the one named first.
MEDICAL_ASSISTANCE_TABLE: dict[str, list[str]] = {
    WUXI: [*WUXI_100, *WUXI_85, *WUXI_70],
    ZHANGJIAGANG: [*ZHANGJIAGANG_100, *ZHANGJIAGANG_85],
    YUEQING: [*YUEQING_UNLIMITED, *YUEQING_LIMITED],
    PLAN: PLAN_STATED,
    TINGHU: [],  # 三(一)2: the city's own, not in the document; an input
}

# 亭湖 三(一)2: the classes of special assistance (医疗专项救助).
TINGHU_CLASS_1 = [
    "poverty_monitored",
    "extreme_poverty",
    "subsistence_allowance",
    "subsistence_marginal",
    "expenditure_poor",
    "expenditure_poor_seriously_ill",
    "entitled_veteran",
    "orphan",
    "unattended_child",
    "child_unsupervised",
    "child_severe_or_stray",
]
TINGHU_CLASS_2 = [
    "disabled_living_allowance",
    "retrenched_worker_1960s",
    "destitute_worker",
    "child_poor_family",
]


# --- The sums that run on through a year --------------------------------------------------------


@dataclass
class YearSums:
    """§2: what "runs over the assistance year", the calendar year of `discharged_on`."""

    serious_illness_burden: Money = ZERO
    medical_burden: Money = ZERO
    medical_paid: Money = ZERO
    medical_paid_outpatient: Money = ZERO
    rare_drug_paid: Money = ZERO
    tilt_burden: Money = ZERO
    special_burden: dict[str, Money] = field(default_factory=dict)
    special_bills: dict[str, int] = field(default_factory=dict)
    special_used: dict[str, Money] = field(default_factory=dict)
    relief_burden: Money = ZERO


@dataclass
class Desk:
    """One bill on the desk: what is known of it while its layers are taken in their order."""

    policy: str
    person: Person
    assumptions: Assumptions
    bill: Bill
    sums: YearSums
    payments: dict[str, Money] = field(default_factory=dict)  # of the layers already taken
    computed: Money = ZERO  # the part of them that was computed here
    identity: str | None = None  # the one that medical assistance was computed under


def burden_left(desk: Desk) -> Money:
    """§2: in_scope − everything paid by the layers so far; never below zero."""
    paid = sum((m for layer, m in desk.payments.items() if layer not in BESIDE_THE_SCOPE), ZERO)
    return max(ZERO, desk.bill.in_scope - paid)


def room_on_bill(desk: Desk) -> Money:
    """§2: total − every given payment − what was computed before on the bill."""
    return max(ZERO, desk.bill.total - sum(desk.bill.given.values(), ZERO) - desk.computed)


def increment(function: Callable[[Money], Fraction], before: Money, burden: Money) -> Money:
    """§2: f(C + b) − f(C), computed without rounding, then rounded half-up to the fen."""
    return round_to_fen(function(before + burden) - function(before))


# --- Serious-illness insurance (大病保险) -------------------------------------------------------


def serious_illness_terms(desk: Desk, deductible: Money, rate: Fraction) -> tuple[Money, Fraction]:
    """The deductible and the rate on this bill: the base, or the tilt when an identity counts."""
    table = MEDICAL_ASSISTANCE_TABLE[desk.policy]
    if not categories_counting(desk.policy, table, desk.person, desk.bill):
        return deductible, rate
    half = round_to_fen(deductible / 2)  # "half of a base" is rounded to the fen
    if desk.policy == ZHANGJIAGANG:
        return half, min(Fraction(1), rate + Fraction(5, 100))  # §7: −50%, +5 points
    return half, max(rate, Fraction(80, 100))  # Yueqing §9: −50%, at least 80%


def serious_illness(desk: Desk) -> Money:
    """Zhangjiagang §7, Yueqing §9, with a configured base; every bill of the year adds up."""
    base_deductible = desk.assumptions.base_deductible
    base_rate = desk.assumptions.base_rate
    if base_deductible is None or base_rate is None:
        return desk.bill.given.get("serious_illness", ZERO)  # without a base: an input
    deductible, rate = serious_illness_terms(desk, base_deductible, base_rate)
    burden = burden_left(desk)
    before = desk.sums.serious_illness_burden
    desk.sums.serious_illness_burden = before + burden
    if "serious_illness" in desk.bill.given:
        return desk.bill.given["serious_illness"]
    amount = increment(lambda x: rate * max(ZERO, x - deductible), before, burden)
    return min(amount, room_on_bill(desk))


# --- Medical assistance (医疗救助) --------------------------------------------------------------


def medical_assistance_covers(policy: str, bill: Bill) -> bool:
    """Whether the layer covers the bill at all."""
    if policy == WUXI:
        return bill.designated  # §四(五): designated providers (定点医药机构) only
    if policy == PLAN:  # 二: ordinary outpatient is not covered
        return bill.setting in ["inpatient", "chronic_outpatient", "day_surgery", "home_bed"]
    return True


def plan_illness_impoverished(excess: Money) -> Fraction:
    """The plan of 2026, 二, 因病致贫: nothing on the first 10,000 of the excess, then two bands."""
    first = max(ZERO, min(excess, Fraction(30000)) - 10000) * Fraction(50, 100)
    second = max(ZERO, excess - 30000) * Fraction(60, 100)
    return first + second


def plan_yearly(category: str, burden: Money, income: Money) -> Fraction:
    """The plan of 2026, 二: what a yearly burden brings, by category."""
    if category == "extreme_poverty":
        return Fraction(90, 100) * burden
    if category == "subsistence_allowance":
        return Fraction(75, 100) * max(ZERO, burden - 1500)
    if category == "subsistence_marginal":
        deductible = round_to_fen(Fraction(5, 100) * income)
        return Fraction(65, 100) * max(ZERO, burden - deductible)
    deductible = round_to_fen(Fraction(10, 100) * income)
    return plan_illness_impoverished(max(ZERO, burden - deductible))


def rate_of(policy: str, category: str) -> Fraction:
    """The rate where there is no deductible: Wuxi §四(六), Zhangjiagang §7, Yueqing §9."""
    if policy == YUEQING:
        return Fraction(80, 100)
    if policy == ZHANGJIAGANG:
        return Fraction(100, 100) if category in ZHANGJIAGANG_100 else Fraction(85, 100)
    if category in WUXI_100:
        return Fraction(100, 100)
    return Fraction(85, 100) if category in WUXI_85 else Fraction(70, 100)


def medical_assistance_yearly(desk: Desk, category: str, burden: Money) -> Fraction:
    """What a yearly burden brings to somebody of the category, before any limit."""
    if desk.policy == PLAN:
        return plan_yearly(category, burden, desk.assumptions.disposable_income_per_head)
    return rate_of(desk.policy, category) * burden


def medical_assistance_pool(desk: Desk, category: str) -> Money | None:
    """What the yearly limits have left for the bill; none: there is no limit."""
    paid = desk.sums.medical_paid
    paid_outpatient = desk.sums.medical_paid_outpatient
    outpatient = desk.bill.setting == "outpatient"
    if desk.policy == WUXI and outpatient:  # §四(六): ordinary outpatient has its own 10,000
        left = Fraction(10000) - paid_outpatient
    elif desk.policy == WUXI:  # all the others share 300,000
        left = Fraction(300000) - (paid - paid_outpatient)
    elif desk.policy == ZHANGJIAGANG and outpatient:  # §7: within the 300,000 at most 10,000
        left = min(Fraction(300000) - paid, Fraction(10000) - paid_outpatient)
    elif desk.policy == ZHANGJIAGANG:
        left = Fraction(300000) - paid
    elif desk.policy == PLAN:  # 二: all share 150,000
        left = Fraction(150000) - paid
    elif category in YUEQING_UNLIMITED:  # Yueqing §9
        return None
    else:  # Yueqing §9: shared; what 特困 was paid in the year uses it too
        left = Fraction(100000) - paid
    return max(ZERO, left)


def medical_assistance_under(desk: Desk, category: str) -> Money:
    """What the layer pays on the bill under one identity, after the cuts at pools and total."""
    amount = increment(
        lambda x: medical_assistance_yearly(desk, category, x),
        desk.sums.medical_burden,
        burden_left(desk),
    )
    pool = medical_assistance_pool(desk, category)
    if pool is not None:
        amount = min(amount, pool)
    return min(amount, room_on_bill(desk))


def best_identity(desk: Desk, categories: list[str]) -> tuple[str, Money]:
    """就高: the identity with the highest amount on this bill; a tie goes to the one before."""
    best = categories[0]
    most = medical_assistance_under(desk, best)
    for category in categories[1:]:
        amount = medical_assistance_under(desk, category)
        if amount > most:
            best, most = category, amount
    return best, most


def medical_assistance(desk: Desk) -> Money:
    """The layer on one bill; covered bills on which an identity counts enter the year's sums."""
    given = desk.bill.given.get("medical_assistance")
    table = MEDICAL_ASSISTANCE_TABLE[desk.policy]
    categories = categories_counting(desk.policy, table, desk.person, desk.bill)
    if not medical_assistance_covers(desk.policy, desk.bill) or not categories:
        return ZERO if given is None else given
    if given is None:
        desk.identity, amount = best_identity(desk, categories)
    else:
        amount = given
    desk.sums.medical_burden += burden_left(desk)
    desk.sums.medical_paid += amount
    if desk.bill.setting == "outpatient":
        desk.sums.medical_paid_outpatient += amount
    return amount


# --- Rare-disease drugs (罕见病用药保障) --------------------------------------------------------


def rare_drug_assistance(desk: Desk) -> Money:
    """The plan of 2026: 70% in every setting, at most 300,000 a year, for any of the four."""
    given = desk.bill.given.get("rare_drug_assistance")
    if not categories_counting(PLAN, PLAN_STATED, desk.person, desk.bill):
        return ZERO if given is None else given
    if given is None:
        amount = round_to_fen(Fraction(70, 100) * desk.bill.rare_drug)
        amount = min(amount, max(ZERO, Fraction(300000) - desk.sums.rare_drug_paid))
        amount = min(amount, room_on_bill(desk))
    else:
        amount = given
    desk.sums.rare_drug_paid += amount
    return amount


# --- Tilt assistance (倾斜救助) -----------------------------------------------------------------


def tilt_assistance(desk: Desk) -> Money:
    """Wuxi §四(七): above 6,000 a year, 60% of what is left on referred bills of the province."""
    bill = desk.bill
    given = bill.given.get("tilt_assistance")
    table = MEDICAL_ASSISTANCE_TABLE[WUXI]
    counting = categories_counting(WUXI, table, desk.person, bill)
    if not (bill.referred and bill.in_province and bill.designated and counting):
        return ZERO if given is None else given
    burden = burden_left(desk)
    before = desk.sums.tilt_burden
    desk.sums.tilt_burden = before + burden
    if given is not None:
        return given
    amount = increment(lambda x: Fraction(60, 100) * max(ZERO, x - 6000), before, burden)
    return min(amount, room_on_bill(desk))


# --- Special assistance (医疗专项救助) ----------------------------------------------------------


def special_deductible(first_class: bool) -> Money:
    """亭湖 三(一)2: 3,000 for class I, 5,000 for class II."""
    return Fraction(3000) if first_class else Fraction(5000)


def special_before_cap(group: str, first_class: bool, burden: Money, desk: Desk) -> Money:
    """亭湖 三(一)2: the amount by disease group, rounded, before the cap."""
    deductible = special_deductible(first_class)
    if group == "rare_regulated":  # 70%, no deductible
        return round_to_fen(Fraction(70, 100) * burden)
    if group == "major":  # 50%; the deductible on the first bill of the group in the year only
        if desk.sums.special_bills.get(group, 0) > 0:
            deductible = ZERO
        return round_to_fen(Fraction(50, 100) * max(ZERO, burden - deductible))
    # general: 50%, a cumulative yearly deductible
    before = desk.sums.special_burden.get(group, ZERO)
    return increment(lambda x: Fraction(50, 100) * max(ZERO, x - deductible), before, burden)


def special_cap(group: str) -> Money:
    """亭湖 三(一)2: the yearly caps, each disease group its own."""
    caps = {"general": 50000, "major": 70000, "rare_regulated": 100000}
    return Fraction(caps[group])


def special_computed(desk: Desk, first_class: bool) -> tuple[Money, Money]:
    """What is paid on the bill, and what of the cap it uses up."""
    group = desk.bill.disease_group
    amount = special_before_cap(group, first_class, burden_left(desk), desk)
    amount = min(amount, max(ZERO, special_cap(group) - desk.sums.special_used.get(group, ZERO)))
    if desk.person.declined_health_service:
        # computed, rounded, cut at the cap, then halved and rounded again, then cut at the total;
        # the cap is used up by the amount before halving
        return min(round_to_fen(amount / 2), room_on_bill(desk)), amount
    paid = min(amount, room_on_bill(desk))
    return paid, paid  # §2: pools are used up by what is paid


def special_assistance(desk: Desk) -> Money:
    """亭湖 三(一)2 on one bill: class I goes before class II; one identity only."""
    given = desk.bill.given.get("special_assistance")
    group = desk.bill.disease_group
    sums = desk.sums
    first_class = bool(categories_counting(TINGHU, TINGHU_CLASS_1, desk.person, desk.bill))
    second_class = bool(categories_counting(TINGHU, TINGHU_CLASS_2, desk.person, desk.bill))
    if not first_class and not second_class:
        return ZERO if given is None else given
    if given is None:
        paid, used = special_computed(desk, first_class)
    else:
        paid, used = given, given  # "by given amounts as given"
    sums.special_burden[group] = sums.special_burden.get(group, ZERO) + burden_left(desk)
    sums.special_bills[group] = sums.special_bills.get(group, 0) + 1
    sums.special_used[group] = sums.special_used.get(group, ZERO) + used
    return paid


# --- High-cost relief (高额费用化解) ------------------------------------------------------------


def high_cost_relief(desk: Desk) -> Money:
    """Yueqing §11: down to 50,000 a year, on bills that followed guidance and referral."""
    bill = desk.bill
    given = bill.given.get("high_cost_relief")
    table = MEDICAL_ASSISTANCE_TABLE[YUEQING]
    counting = categories_counting(YUEQING, table, desk.person, bill)
    if not (bill.followed_guidance and bill.referred and counting):
        return ZERO if given is None else given
    burden = burden_left(desk)
    before = desk.sums.relief_burden
    desk.sums.relief_burden = before + burden
    if given is not None:
        return given
    amount = increment(lambda x: max(ZERO, x - 50000), before, burden)
    return min(amount, room_on_bill(desk))


# --- One bill, all bills ------------------------------------------------------------------------

# The layers that each policy defines (§2); every other layer pays what is given, or nothing.
RULES: dict[str, dict[str, Callable[[Desk], Money]]] = {
    ZHANGJIAGANG: {
        "serious_illness": serious_illness,
        "medical_assistance": medical_assistance,
    },
    YUEQING: {
        "serious_illness": serious_illness,
        "medical_assistance": medical_assistance,
        "high_cost_relief": high_cost_relief,
    },
    WUXI: {
        "medical_assistance": medical_assistance,
        "tilt_assistance": tilt_assistance,
    },
    TINGHU: {
        "special_assistance": special_assistance,
    },
    PLAN: {
        "medical_assistance": medical_assistance,
        "rare_drug_assistance": rare_drug_assistance,
    },
}


def take_layers(desk: Desk) -> None:
    """Take the layers of a bill in their order (§2); a layer that is given is never computed."""
    for layer in LAYERS:
        rule = RULES[desk.policy].get(layer)
        amount = desk.bill.given.get(layer, ZERO) if rule is None else rule(desk)
        desk.payments[layer] = amount
        if layer not in desk.bill.given:
            desk.computed += amount
    desk.payments["out_of_scope"] = desk.bill.given.get("out_of_scope", ZERO)


def answer(bill: Bill, payments: Mapping[str, Money], identity: str | None) -> dict[str, Any]:
    """One bill of the answer (contract): burdens after all payments, amounts above zero only."""
    lowering = sum((m for layer, m in payments.items() if layer not in BESIDE_THE_SCOPE), ZERO)
    return {
        "id": bill.id,
        "payments": {layer: show(amount) for layer, amount in payments.items() if amount > 0},
        "identity": identity,
        "in_scope_burden": show(max(ZERO, bill.in_scope - lowering)),
        "personal_burden": show(bill.total - sum(payments.values(), ZERO)),
    }


def reference(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The golden `expect` list for one estimates request (the JSON form, with its money as text).

    One entry per bill, in the order in which the bills are taken: `discharged_on`, then the id
    compared as text (§2). `identity` is the one that medical assistance was computed under, even
    when it came to nothing; none when the layer was given, does not cover the bill, or no identity
    of its table counts.
    """
    person = read_person(request)
    assumptions = read_assumptions(request)
    bills = [read_bill(item) for item in request["bills"]]
    bills.sort(key=lambda bill: (bill.discharged_on, bill.id))
    sums_of: dict[tuple[str, int], YearSums] = {}
    answers: list[dict[str, Any]] = []
    for bill in bills:
        policy = policy_for_bill(request, bill)
        if policy is None:  # nothing is in force: only what is given is paid
            answers.append(answer(bill, bill.given, None))
            continue
        sums = sums_of.setdefault((policy, bill.discharged_on.year), YearSums())
        desk = Desk(policy, person, assumptions, bill, sums)
        take_layers(desk)
        answers.append(answer(bill, desk.payments, desk.identity))
    return answers
