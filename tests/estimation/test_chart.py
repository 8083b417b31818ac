from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from backend.estimation.axis import Axis
from backend.estimation.case import Bill, Case, Identity, Person
from backend.estimation.chart import draw_cost_curve
from backend.estimation.terms import Rules
from backend.estimation.what_if import CostRange, cost_curve
from backend.kernel.money import MAX_FEN

SVG = "{http://www.w3.org/2000/svg}"
BILL = Bill(
    id="<&b1>",
    setting="inpatient",
    admitted_on=date(2024, 3, 1),
    discharged_on=date(2024, 3, 9),
    total=15_200_000,
    in_scope=14_800_000,
    paid={"basic": 3_000_000},
    referred=True,
    in_province=True,
)
WHOLE = CostRange(0, 30_000_000, 61)
PERSON = Person((Identity("subsistence_allowance", date(2023, 1, 1)),))
EVERY = (
    "basic",
    "serious_illness",
    "medical_assistance",
    "commercial",
    "mutual_aid",
    "charity",
    "out_of_scope",
)


def draw(rules: Rules, costs: CostRange = WHOLE, **changes: object) -> str:
    bill = replace(BILL, **changes)
    curve = cost_curve(Case(PERSON, (bill,), policy="wuxi-2022-98"), rules, bill.id, costs)
    return draw_cost_curve(curve, rules.book.vocabulary)


def root_of(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in root_of(picture).iter(f"{SVG}text")]


def test_the_same_curve_gives_the_same_picture(rules: Rules) -> None:
    assert draw(rules) == draw(rules)


def test_the_picture_fits_a_phone_and_no_letter_is_small(rules: Rules) -> None:
    root = root_of(draw(rules))
    _, _, width, height = root.get("viewBox", "").split()
    assert width == root.get("width") == "360"
    assert height == root.get("height")
    assert all(int(text.get("font-size", "0")) >= 14 for text in root.iter(f"{SVG}text"))


def test_a_screen_reader_is_told_the_picture_in_words(rules: Rules) -> None:
    root = root_of(draw(rules))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "自己付 14680.00 元，倾斜救助 7020.00 元，医疗救助 100300.00 元" in (
        description.text or ""
    )


def test_nothing_in_it_runs_or_comes_from_elsewhere(rules: Rules) -> None:
    root = root_of(draw(rules))
    allowed = "svg title desc defs pattern rect path text polygon line circle"
    assert {element.tag for element in root.iter()} <= {SVG + name for name in allowed.split()}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith(("on", "style")), name
            assert "href" not in name
            assert "url(" not in value or value.startswith("url(#what-if-")


def test_the_list_names_each_band_from_the_top_with_its_amount_now(rules: Rules) -> None:
    said = texts(draw(rules))
    listed = said[said.index("现在总费用 152000.00 元，其中：") + 1 :]
    assert listed == [
        *("自己付", "14680.00 元", "倾斜救助", "7020.00 元"),
        *("医疗救助", "100300.00 元", "基本医保", "30000.00 元"),
    ]


def test_the_bands_lie_on_each_other_up_to_the_total(rules: Rules) -> None:
    bands = root_of(draw(rules)).findall(f"{SVG}polygon")
    edges = []
    for band in bands:
        points = [point.split(",") for point in band.get("points", "").split()]
        half = len(points) // 2
        edges.append((points[:half], points[: half - 1 : -1]))
    for (upper, _), (_, lower) in pairwise(edges):
        assert upper == lower
    assert edges[0][1][0][1] == edges[0][1][-1][1] == "328"
    assert edges[-1][0][0] == ["50", "328"]
    assert edges[-1][0][-1] == ["342", "88"]


def test_no_two_bands_have_the_same_colour_and_pattern(rules: Rules) -> None:
    paid = dict.fromkeys(EVERY, 1_000_000)
    root = root_of(draw(rules, paid=paid))
    fills = [band.get("fill", "") for band in root.findall(f"{SVG}polygon")]
    looks = {
        pattern.get("id"): "".join(f"{part.get('fill')}{part.get('d')}" for part in pattern)
        for pattern in root.iter(f"{SVG}pattern")
    }
    drawn = [looks.get(fill[5:-1], fill) for fill in fills]
    assert len(fills) == len(EVERY) + 2
    assert len(set(drawn)) == len(drawn)


def test_a_layer_that_pays_nothing_is_not_drawn(rules: Rules) -> None:
    said = texts(draw(rules, referred=False))
    assert "倾斜救助" not in said


def test_the_present_cost_is_marked_where_the_picture_reaches_it(rules: Rules) -> None:
    assert "现在 15.2 万元" in texts(draw(rules))
    away = texts(draw(rules, CostRange(0, 1_000_000, 11)))
    assert not [text for text in away if text.startswith("现在 ")]
    assert "现在总费用 152000.00 元，其中：" in away
    small = texts(draw(rules, CostRange(0, 999_950, 11), total=800_050, in_scope=800_050, paid={}))
    assert "现在 8000.50 元" in small


@pytest.mark.parametrize(
    "costs",
    [
        CostRange(0, 1, 2),
        CostRange(0, 5, 6),
        CostRange(0, MAX_FEN, 201),
        CostRange(15_000_000, 15_250_000, 31),
        CostRange(MAX_FEN - 1, MAX_FEN, 2),
        CostRange(MAX_FEN - 2000, MAX_FEN, 201),
    ],
)
def test_any_range_stays_within_the_picture(rules: Rules, costs: CostRange) -> None:
    root = root_of(draw(rules, costs))
    for band in root.findall(f"{SVG}polygon"):
        for point in band.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 50 <= x <= 342
            assert 88 <= y <= 328
    for text in root.iter(f"{SVG}text"):
        assert all(0 <= float(text.get(name, "")) <= 700 for name in ("x", "y"))


@pytest.mark.parametrize(
    ("high", "unit", "labels"),
    [
        (30_000_000, "万元", ["0", "10", "20", "30"]),
        (1_500_000, "元", ["0", "5000", "10000", "15000"]),
        (MAX_FEN, "万元", ["0", "2000", "4000", "6000", "8000", "10000"]),
        (5, "元", ["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"]),
    ],
)
def test_an_axis_is_labelled_in_round_amounts(high: int, unit: str, labels: list[str]) -> None:
    axis = Axis(0, high, 2920, room=80)
    assert axis.unit == unit
    assert [label for _, label in axis.ticks()] == labels


def test_labels_leave_each_other_room() -> None:
    axis = Axis(MAX_FEN - 2000, MAX_FEN, 2920, room=80)
    assert [label for _, label in axis.ticks()] == ["99999980", "99999990", "100000000"]
    assert list(axis.ticks())[-1][0] == MAX_FEN


def test_places_on_an_axis_are_whole_tenths_of_a_pixel() -> None:
    axis = Axis(100, 400, 1000)
    assert [axis.at(fen) for fen in (100, 200, 300, 400)] == [0, 333, 667, 1000]
