"""Random estimates requests that are valid and seek the corners of the rules.

A request is built from the inside out. First a *pressure*: a yearly sum at which something happens
(a deductible is crossed, a pool runs dry), with the kind of bills that add up to it. Then the days
of the bills, the burdens that together come close to that sum, the payments given, and last the
identities, laid around the days of the bills so that they begin and end near them.

Amounts are whole fen until they are written down.
"""

import calendar
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from .reference import (
    CATEGORIES,
    MEDICAL_ASSISTANCE_TABLE,
    PLAN,
    STAYS,
    TINGHU,
    TINGHU_CLASS_1,
    TINGHU_CLASS_2,
    WUXI,
    YUEQING,
    ZHANGJIAGANG,
)

SETTINGS = ["outpatient", "chronic_outpatient", "inpatient", "day_surgery", "home_bed"]
NOT_OUTPATIENT = ["chronic_outpatient", "inpatient", "day_surgery", "home_bed"]
DISEASE_GROUPS = ["general", "major", "rare_regulated"]

# The layers after basic insurance in which a bill may come with a payment.
GIVEN = [
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

# The layers whose given payments count against a yearly sum of the policy.
COUNTED: dict[str, list[str]] = {
    ZHANGJIAGANG: ["serious_illness", "medical_assistance"],
    YUEQING: ["serious_illness", "medical_assistance", "high_cost_relief"],
    WUXI: ["medical_assistance", "tilt_assistance"],
    TINGHU: ["special_assistance", "special_assistance"],
    PLAN: ["medical_assistance", "rare_drug_assistance"],
}

# Yearly limits in yuan: the layer, the setting of the bills (none: all but outpatient).
LIMITS: dict[str, list[tuple[str, str | None, int]]] = {
    ZHANGJIAGANG: [
        ("medical_assistance", None, 300000),
        ("medical_assistance", "outpatient", 10000),
    ],
    YUEQING: [("medical_assistance", None, 100000)],
    WUXI: [("medical_assistance", None, 300000), ("medical_assistance", "outpatient", 10000)],
    TINGHU: [("special_assistance", None, 50000)],
    PLAN: [("medical_assistance", None, 150000), ("rare_drug_assistance", None, 300000)],
}

# The categories worth meeting often: those of the policy's tables.
TABLE: dict[str, list[str]] = {
    **MEDICAL_ASSISTANCE_TABLE,
    TINGHU: [*TINGHU_CLASS_1, *TINGHU_CLASS_2],
}

# Years that a policy is in force and years at its borders.
YEARS: dict[str, list[int]] = {
    ZHANGJIAGANG: [2023, 2024, 2024, 2024, 2025, 2025, 2026],
    YUEQING: [2021, 2022, 2022, 2023, 2024, 2024, 2025, 2025, 2026],
    WUXI: [2022, 2023, 2023, 2024, 2024, 2025, 2025, 2026],
    TINGHU: [2022, 2023, 2024, 2024, 2025],
    PLAN: [2025, 2026, 2026, 2026, 2026, 2026, 2026, 2026, 2027],
}

# Areas with a policy of their own, under a city's, unconfirmed, and with none; the second is the
# policy that shapes the request.
AREAS: list[tuple[str, str]] = [
    ("320582", ZHANGJIAGANG),
    ("330382", YUEQING),
    ("320200", WUXI),
    ("320281", WUXI),
    ("320205", WUXI),
    ("320902", TINGHU),
    ("320500", ZHANGJIAGANG),
    ("330302", YUEQING),
    ("110101", PLAN),
]

# Texts whose order as text differs from the order of their numbers, of their case-folded or
# collated form, or of their UTF-16 units.
ODD_IDS = [
    "b1", "b10", "b2", "B1", "B10", "a", "Z", "_1", "-1", "0", "00", "1", "10", "2", "001",
    "9", "b-1", "b_1", "b.1", "账单1", "账单10", "账单2", "é", "e", "z", "ß", "ｂ1", "𠀀1", "～",
    "b 1", "b/1", "#",
]  # fmt: skip


@dataclass(frozen=True)
class Pressure:
    """A sum of yearly burden, in yuan, at which a rule bites, and the bills that make it up."""

    burden: float
    settings: list[str] = field(default_factory=lambda: SETTINGS)
    group: str | None = None
    referred: bool = False  # only bills with the flags of tilt and relief
    rare_drug: bool = False  # the sum of rare-drug amounts, not of burden
    beside: bool = False  # outpatient bills of some 10,000 in all stand beside
    category: str | None = None
    also: str | None = None  # a second identity that competes


PRESSURES: dict[str, list[Pressure]] = {
    WUXI: [
        Pressure(10000, ["outpatient"], category="orphan"),
        Pressure(10000 / 0.85, ["outpatient"], category="subsistence_allowance"),
        Pressure(10000 / 0.7, ["outpatient"], category="severely_disabled"),
        Pressure(300000, NOT_OUTPATIENT, category="extreme_poverty"),
        Pressure(300000 / 0.85, NOT_OUTPATIENT, category="destitute_worker"),
        Pressure(300000 / 0.7, NOT_OUTPATIENT, category="subsistence_marginal"),
        Pressure(6000 / 0.15, NOT_OUTPATIENT, referred=True, category="entitled_veteran"),
        Pressure(6000 / 0.3, NOT_OUTPATIENT, referred=True, category="other_hardship"),
        Pressure(20000, SETTINGS, referred=True),
        Pressure(300000, NOT_OUTPATIENT, beside=True, category="unattended_child"),
        Pressure(300000 / 0.85, NOT_OUTPATIENT, beside=True, category="child_poor_family"),
    ],
    ZHANGJIAGANG: [
        Pressure(10000, ["outpatient"], category="orphan"),
        Pressure(10000 / 0.85, ["outpatient"], category="subsistence_allowance"),
        Pressure(300000, NOT_OUTPATIENT, category="child_poor_family"),
        Pressure(300000 / 0.85, SETTINGS, category="illness_impoverished"),
        Pressure(290000, NOT_OUTPATIENT, beside=True, category="extreme_poverty"),
        Pressure(295000, NOT_OUTPATIENT, beside=True, category="unattended_child"),
        Pressure(20000),
        Pressure(10000),
    ],
    YUEQING: [
        Pressure(100000 / 0.8, category="subsistence_allowance"),
        Pressure(100000 / 0.8, category="extreme_poverty"),
        Pressure(250000, referred=True, category="extreme_poverty"),
        Pressure(150000, referred=True, category="other_hardship"),
        Pressure(20000),
        Pressure(10000),
    ],
    PLAN: [
        Pressure(1200, NOT_OUTPATIENT, category="subsistence_marginal"),
        Pressure(150000 / 0.9, NOT_OUTPATIENT, beside=True, category="extreme_poverty"),
        Pressure(150000 / 0.9, NOT_OUTPATIENT, category="extreme_poverty"),
        Pressure(1500, category="subsistence_allowance"),
        Pressure(1500 + 150000 / 0.75, NOT_OUTPATIENT, category="subsistence_allowance"),
        Pressure(3000, NOT_OUTPATIENT, category="subsistence_marginal"),
        Pressure(3000 + 150000 / 0.65, NOT_OUTPATIENT, category="subsistence_marginal"),
        Pressure(16000, NOT_OUTPATIENT, category="illness_impoverished"),
        Pressure(36000, NOT_OUTPATIENT, category="illness_impoverished"),
        Pressure(36000 + 140000 / 0.6, NOT_OUTPATIENT, category="illness_impoverished"),
        Pressure(300000 / 0.7, SETTINGS, rare_drug=True),
    ],
    TINGHU: [
        Pressure(3000, group="general", category="poverty_monitored"),
        Pressure(5000, group="general", category="destitute_worker"),
        Pressure(103000, group="general", category="orphan"),
        Pressure(105000, group="general", category="child_poor_family"),
        Pressure(3000, group="major", category="expenditure_poor_seriously_ill"),
        Pressure(6000, group="major"),
        Pressure(8000, category="expenditure_poor_seriously_ill"),
        Pressure(143000, group="major", category="expenditure_poor_seriously_ill"),
        Pressure(100000 / 0.7, group="rare_regulated", category="expenditure_poor"),
        Pressure(30000),
        Pressure(200000),
    ],
}


@dataclass(frozen=True)
class Manner:
    """How the bills of one request come.

    `focused`: all but a few bills are of the kind that the pressure is about, within one year.
    `hot`: the layers often given. `short`: the room below the total of a bill is often short.
    """

    focused: bool
    hot: list[str]
    short: bool


def random_manner(rng: random.Random, policy: str) -> Manner:
    """Most requests are plain: one crowded rule hides the others."""
    hot: list[str] = []
    if chance(rng, 0.35):
        hot = [rng.choice(COUNTED[policy])]
    elif chance(rng, 0.4):
        hot = rng.sample(GIVEN, rng.choice([1, 2, 3, 6]))
    return Manner(focused=chance(rng, 0.5), hot=hot, short=chance(rng, 0.25))


def chance(rng: random.Random, probability: float) -> bool:
    """True with the probability."""
    return rng.random() < probability


def yuan(fen: int) -> str:
    """Fen as the text of yuan with two decimals."""
    return f"{fen // 100}.{fen % 100:02d}"


# --- Days ---------------------------------------------------------------------------------------


def end_of_month(day: date) -> date:
    """The last day of the calendar month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def random_day(rng: random.Random, years: Sequence[int], earlier: Sequence[date]) -> date:
    """A day of discharge: often one that is taken, or an edge of a month or of a year."""
    year = rng.choice(years)
    draw = rng.random()
    if draw < 0.2 and earlier:
        return rng.choice(earlier)
    if draw < 0.28:
        return rng.choice([date(year, 1, 1), date(year, 12, 31), end_of_month(date(year, 2, 1))])
    day = date(year, 1, 1) + timedelta(days=rng.randrange(365))
    if draw < 0.4:
        return end_of_month(day)
    if draw < 0.48:
        return day.replace(day=1)
    return day


def admission(rng: random.Random, setting: str, discharged: date) -> date:
    """The day of admission: the same day for a visit, up to some weeks earlier for a stay."""
    if setting not in STAYS or chance(rng, 0.2):
        return discharged
    if chance(rng, 0.2):  # the stay reaches back to the edge of a month
        return discharged - timedelta(days=discharged.day - rng.choice([0, 1]))
    return discharged - timedelta(days=rng.choice([1, 3, 7, 20, 31, 45, 90]))


# --- Amounts ------------------------------------------------------------------------------------


def rough(rng: random.Random, fen: int) -> int:
    """An amount near the given one whose rates often end in half a fen."""
    draw = rng.random()
    if draw < 0.2:
        return fen // 20 * 20 + 10  # 85%, 75%, 65% and 5% of it end in half a fen
    if draw < 0.4:
        return fen | 1  # 50% of it does
    if draw < 0.5:
        return fen // 100 * 100
    return fen


def split(rng: random.Random, total: int, parts: int) -> list[int]:
    """The total in so many parts, some of them often nothing."""
    cuts = sorted(rng.randint(0, total) for _ in range(parts - 1))
    edges = [0, *cuts, total]
    return [after - before for before, after in pairwise(edges)]


def pressing(rng: random.Random, target: int, count: int) -> list[int]:
    """Burdens that come close to the target with some bill, and the small ones that follow."""
    leading = rng.randint(1, count)
    aim = max(0, target + rng.choice([-100, -3, -2, -1, 0, 1, 2, 3, 100, target // 20]))
    if chance(rng, 0.3):
        aim = max(0, target + rng.randint(-target // 5, target // 3))
    small = [0, 1, 9, 333, 20000, target // 7]
    tail = [rough(rng, rng.choice(small)) for _ in range(leading, count)]
    return [*split(rng, aim, leading), *tail]


def random_burdens(rng: random.Random, target: int, count: int, focused: bool) -> list[int]:
    """The burden of each bill after basic insurance, in fen."""
    draw = rng.random()
    if focused or draw < 0.6:
        return pressing(rng, target, count)
    if draw < 0.8:
        return [rng.randrange(500) for _ in range(count)]
    return [rough(rng, int(rng.lognormvariate(13, 1.8))) for _ in range(count)]


def portion(rng: random.Random, fen: int) -> int:
    """A part of an amount: often nothing, all, or a fen beside."""
    draw = rng.random()
    if draw < 0.3:
        return 0
    if draw < 0.4:
        return fen
    if draw < 0.5:
        return max(0, fen - rng.choice([1, 2, 50, 1000]))
    return rng.randint(0, fen)


# --- Bills --------------------------------------------------------------------------------------


def given_payments(
    rng: random.Random, basic: int, burden: int, rare_drug: int, manner: Manner
) -> dict[str, int]:
    """What the layers have already paid; the layers after basic share the burden."""
    paid: dict[str, int] = {}
    if basic > 0 or chance(rng, 0.5):
        paid["basic"] = basic
    left = burden
    for layer in GIVEN:
        if not chance(rng, 0.4 if layer in manner.hot else 0.01):
            continue
        if layer == "rare_drug_assistance" and rare_drug > 0:
            paid[layer] = portion(rng, rare_drug)
        else:
            paid[layer] = portion(rng, left if chance(rng, 0.5) else left // 3)
            left -= paid[layer]
    return paid


def add_payments_beyond_scope(rng: random.Random, paid: dict[str, int], total: int) -> None:
    """Payments that leave a computed one little room below the total of the bill."""
    room = total - sum(paid.values())
    draw = rng.random()
    if draw < 0.4:
        paid["out_of_scope"] = portion(rng, room)
    elif draw < 0.7:
        paid["out_of_scope"] = max(0, room - rng.choice([0, 1, 777, room // 10, room // 3]))
    elif draw < 0.8:
        paid["high_cost_relief"] = paid.get("high_cost_relief", 0) + portion(rng, room)
    elif draw < 0.9:
        paid["basic"] = paid.get("basic", 0) + portion(rng, room)


def random_amounts(
    rng: random.Random, burden: int, rare_drug: int, manner: Manner
) -> tuple[int, int, dict[str, int]]:
    """Total, in scope and payments given, of a bill with the burden after basic insurance."""
    basic = rng.choice([0, burden // 4, burden // 2, burden, rng.randint(0, 2 * burden)])
    in_scope = basic + burden
    beyond = rng.choice([0, 0, in_scope // 20, in_scope // 4, rng.randint(0, 50000)])
    total = in_scope + rare_drug + beyond
    paid = given_payments(rng, basic, burden, rare_drug, manner)
    if manner.short and chance(rng, 0.5):
        add_payments_beyond_scope(rng, paid, total)
    elif beyond > 0 and chance(rng, 0.1):
        paid["out_of_scope"] = portion(rng, beyond)
    return total, in_scope, paid


def random_ids(rng: random.Random, count: int) -> list[str]:
    """Distinct ids whose order as text is often not that of the list."""
    if chance(rng, 0.5):
        return rng.sample(ODD_IDS, count)
    ids = [f"b{number}" for number in range(1, count + 1)]
    if chance(rng, 0.5):
        rng.shuffle(ids)
    return ids


def flag(rng: random.Random, bill: dict[str, Any], name: str, probability: float) -> None:
    """Write a flag, or leave it out where that means the same."""
    value = chance(rng, probability)
    default = name == "designated"
    if value != default or chance(rng, 0.6):
        bill[name] = value


def random_bill(
    rng: random.Random, pressure: Pressure, discharged: date, burden: int, manner: Manner
) -> dict[str, Any]:
    """One bill without its id."""
    kept = chance(rng, 0.95 if manner.focused else 0.7)  # of the kind that the pressure is about
    setting = rng.choice(pressure.settings if kept else SETTINGS)
    if pressure.beside and chance(rng, 0.35):
        setting = "outpatient"
        burden = rng.choice([1000000, 500000, 333333, rng.randrange(1200000)])
    rare_drug = burden if pressure.rare_drug else 0
    if pressure.rare_drug:
        burden = rng.choice([0, 10, 100001, burden // 3])
    elif chance(rng, 0.06):
        rare_drug = rng.choice([1, 55, 5000000, rng.randrange(60000000)])
    total, in_scope, paid = random_amounts(rng, burden, rare_drug, manner)
    bill: dict[str, Any] = {
        "setting": setting,
        "admitted_on": admission(rng, setting, discharged).isoformat(),
        "discharged_on": discharged.isoformat(),
        "total": yuan(total),
        "in_scope": yuan(in_scope),
        "paid": {layer: yuan(fen) for layer, fen in paid.items()},
    }
    often = 0.95 if pressure.referred else 0.6
    flag(rng, bill, "referred", often)
    flag(rng, bill, "in_province", often)
    flag(rng, bill, "followed_guidance", often)
    flag(rng, bill, "in_county", 0.5)
    flag(rng, bill, "designated", 0.97 if manner.focused else 0.9)
    group = pressure.group if kept and pressure.group else rng.choice(DISEASE_GROUPS)
    if group != "general" or chance(rng, 0.5):
        bill["disease_group"] = group
    if rare_drug or chance(rng, 0.2):
        bill["rare_drug"] = yuan(rare_drug)
    return bill


def random_spent(
    rng: random.Random, policy: str, group: str | None, days: Sequence[date], manner: Manner
) -> dict[str, Any]:
    """A costly bill, early, with a payment given that would nearly use up a yearly limit.

    Often it is not covered by the layer, so that the payment must not count.
    """
    layer, setting, limit = rng.choice(LIMITS[policy])
    if policy == TINGHU:
        group = group or rng.choice(DISEASE_GROUPS)
        limit = {"general": 50000, "major": 70000, "rare_regulated": 100000}[group]
    payment = limit * 100 - rng.choice([-5000, 0, 1, 500, 33333, 100000, rng.randrange(1000000)])
    uncovered = chance(rng, 0.4)
    settings = [setting] if setting is not None else NOT_OUTPATIENT
    if uncovered and policy in [PLAN, ZHANGJIAGANG]:
        settings = ["outpatient"]
    discharged = min(days) - timedelta(days=rng.choice([0, 1, 20]))
    pressure = Pressure(0, settings, group)
    bill = random_bill(rng, pressure, discharged, payment + rng.randrange(1000000), manner)
    bill["paid"] = {layer: yuan(payment)}
    if uncovered and policy == WUXI:
        bill["designated"] = False
    return bill


def random_bills(
    rng: random.Random, policy: str, pressure: Pressure, manner: Manner
) -> list[dict[str, Any]]:
    """One to twelve bills over one or two years, in any order."""
    count = rng.choice([1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12])
    year = rng.choice(YEARS[policy])
    years = [year] if manner.focused or chance(rng, 0.5) else [year, year + 1]
    days: list[date] = []
    for _ in range(count):
        days.append(random_day(rng, years, days))
    days.sort()
    burdens = random_burdens(rng, int(pressure.burden * 100), count, manner.focused)
    bills = [
        random_bill(rng, pressure, day, burden, manner)
        for day, burden in zip(days, burdens, strict=True)
    ]
    if len(bills) < 12 and chance(rng, 0.15):
        bills.append(random_spent(rng, policy, pressure.group, days, manner))
    for bill, name in zip(bills, random_ids(rng, len(bills)), strict=True):
        bill["id"] = name
    if chance(rng, 0.5):
        rng.shuffle(bills)
    return bills


# --- Identities ---------------------------------------------------------------------------------


def near(rng: random.Random, bills: Sequence[dict[str, Any]]) -> date:
    """A day at or about a bill: its first or last day, the next one, the month before or after."""
    bill = rng.choice(bills)
    day = date.fromisoformat(rng.choice([bill["admitted_on"], bill["discharged_on"]]))
    draw = rng.random()
    if draw < 0.25:
        return day + timedelta(days=rng.choice([-1, 0, 1]))
    if draw < 0.5:  # within the month of the bill, often before it
        return day.replace(day=rng.randint(1, 28))
    if draw < 0.75:  # the last day of the month before
        return day.replace(day=1) - timedelta(days=1)
    return day + timedelta(days=rng.randint(-40, 40))


def random_identity(
    rng: random.Random, category: str, bills: Sequence[dict[str, Any]], lasting: float
) -> dict[str, Any]:
    """An identity held all along (with that chance), or one that begins or ends near a bill."""
    start = date(2020, 1, 1)
    end: date | None = None
    if not chance(rng, lasting):
        shape = rng.choice(["begins", "ends", "both"])
        if shape != "ends":
            start = near(rng, bills)
        if shape != "begins":
            end = max(start, near(rng, bills))
    identity: dict[str, Any] = {"category": category, "from": start.isoformat()}
    if end is not None or chance(rng, 0.7):
        identity["to"] = None if end is None else end.isoformat()
    if chance(rng, 0.7 if category == "expenditure_poor_seriously_ill" else 0.15):
        applied = applied_on(rng, bills)
        identity["applied_on"] = applied.isoformat()
        if end is None and chance(rng, 0.6):  # recognised at the application or after it
            identity["from"] = (applied + timedelta(days=rng.choice([0, 1, 30]))).isoformat()
    elif chance(rng, 0.3):
        identity["applied_on"] = None
    return identity


def applied_on(rng: random.Random, bills: Sequence[dict[str, Any]]) -> date:
    """A day of application about twelve months after a bill; sometimes 29 February."""
    if chance(rng, 0.15):
        return date(2024, 2, 29)
    return near(rng, bills) + timedelta(days=rng.choice([364, 365, 366, 30]))


def random_identities(
    rng: random.Random,
    policy: str,
    pressure: Pressure,
    bills: Sequence[dict[str, Any]],
    focused: bool,
) -> list[dict[str, Any]]:
    """None to four identities, mostly of the policy's table, one often twice with a gap."""
    count = rng.choice([0, 1, 1, 1, 1, 2, 2, 2, 3, 4])
    if focused:
        count = max(1 if pressure.also is None else 2, count)
    lasting = rng.choice([0.5, 0.9, 1.0] if focused else [0.1, 0.5, 0.9])
    identities: list[dict[str, Any]] = []
    for position in range(count):
        category = rng.choice(TABLE[policy] if chance(rng, 0.85) else CATEGORIES)
        if position == 0 and pressure.category is not None and chance(rng, 0.9):
            category = pressure.category
        elif position == 1 and pressure.also is not None and chance(rng, 0.9):
            category = pressure.also
        elif identities and chance(rng, 0.15):
            category = identities[-1]["category"]
        identities.append(random_identity(rng, category, bills, lasting))
    if policy == TINGHU and chance(rng, 0.5):
        identities += leap_day_identities(bills)
    rng.shuffle(identities)
    return identities[:4]


def leap_day_identities(bills: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """An application on 29 February, when a bill lies on the edge of its twelve months."""
    if not any(bill["discharged_on"] == "2023-02-28" for bill in bills):
        return []
    return [
        {
            "category": "expenditure_poor_seriously_ill",
            "from": "2024-03-01",
            "to": None,
            "applied_on": "2024-02-29",
        }
    ]


# --- The request --------------------------------------------------------------------------------


def random_base(rng: random.Random) -> dict[str, str]:
    """A base of serious-illness insurance whose half is often half a fen."""
    deductible = rng.choice([2000000, 2000001, 1000000, 0, 1, 1500099, rng.randrange(4000000)])
    rate = rng.choice(["0.60", "0.50", "0.80", "0.85", "0.97", "1.00", "0.00", "0.655"])
    return {"deductible": yuan(deductible), "rate": rate}


def random_assumptions(rng: random.Random, policy: str) -> dict[str, Any]:
    """The assumptions, as often as the policy has use for them, and sometimes when it has none."""
    assumptions: dict[str, Any] = {}
    if chance(rng, 0.5 if policy in [ZHANGJIAGANG, YUEQING] else 0.1):
        assumptions["serious_illness_base"] = random_base(rng)
    if chance(rng, 0.4 if policy == PLAN else 0.05):
        incomes = [6000000, 6000004, 5000110, 4999930, 2400000, 2000010, 1000000, 1234564, 10]
        income = rng.choice([*incomes, rng.randrange(10000000)])
        assumptions["disposable_income_per_head"] = yuan(income)
    return assumptions


def pick_pressure(rng: random.Random, policy: str, assumptions: dict[str, Any]) -> Pressure:
    """A pressure of the policy; with figures assumed, often the deductible that they make."""
    base = assumptions.get("serious_illness_base")
    if base is not None and chance(rng, 0.5):
        return Pressure(float(base["deductible"]) * rng.choice([0.5, 1, 1.5]))
    income = assumptions.get("disposable_income_per_head")
    if income is not None and policy == PLAN and chance(rng, 0.7):
        if float(income) < 30000:  # 低边 may then give more than 低保
            burden = rng.choice([float(income) * 0.05, 1500, 2000, 150000 / 0.65, 150000 / 0.75])
            return Pressure(
                burden,
                NOT_OUTPATIENT,
                category="subsistence_marginal",
                also="subsistence_allowance",
            )
        if chance(rng, 0.5):
            return Pressure(float(income) * 0.05, NOT_OUTPATIENT, category="subsistence_marginal")
        excess = rng.choice([0, 10000, 30000])
        deductible = float(income) * 0.1
        return Pressure(deductible + excess, NOT_OUTPATIENT, category="illness_impoverished")
    return rng.choice(PRESSURES[policy])


def random_request(rng: random.Random) -> dict[str, Any]:
    """A valid body of POST /api/v1/estimates.

    Valid by construction: given payments never above the total, in_scope + rare_drug never above
    it, admission not after discharge, distinct ids, at most twelve bills.
    """
    request: dict[str, Any] = {}
    if chance(rng, 0.12):
        request["area"], policy = rng.choice(AREAS)
    else:
        policy = rng.choice([ZHANGJIAGANG, YUEQING, WUXI, TINGHU, PLAN])
        request["policy"] = policy
    assumptions = random_assumptions(rng, policy)
    pressure = pick_pressure(rng, policy, assumptions)
    manner = random_manner(rng, policy)
    bills = random_bills(rng, policy, pressure, manner)
    identities = random_identities(rng, policy, pressure, bills, manner.focused)
    declined = chance(rng, 0.35 if policy == TINGHU else 0.1)
    if identities or declined or chance(rng, 0.5):
        request["person"] = {"identities": identities}
        if declined or chance(rng, 0.6):
            request["person"]["declined_health_service"] = declined
    if assumptions or chance(rng, 0.1):
        request["assumptions"] = assumptions
    request["bills"] = bills
    return request
