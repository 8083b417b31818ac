from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from backend.matching.overview import LayerChange, RunOverview
from backend.matching.run_chart import draw_run

NAMES = {"medical_assistance": "医疗救助", "tilt_assistance": "倾斜救助"}
SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class OnlyLayers:
    layers: tuple[LayerChange, ...]


def drawn(*layers: LayerChange) -> Element:
    text = draw_run(cast(RunOverview, OnlyLayers(layers)), NAMES)
    return ElementTree.fromstring(text)


def bars(picture: Element) -> list[tuple[str, float, float]]:
    """Fill, left edge and width of the pieces, the legend aside."""
    found = [one.attrib for one in picture.iter(f"{SVG}rect") if one.get("height") == "30"]
    return [(one["fill"], float(one["x"]), float(one["width"])) for one in found]


def test_a_bar_is_what_is_kept_what_is_taken_back_and_what_is_new() -> None:
    kept, less, more = bars(
        drawn(LayerChange("medical_assistance", 6_000_000, 3_000_000, -2_000_000))
    )
    assert kept[1] == 16
    assert kept[1] + kept[2] == pytest.approx(less[1], abs=0.2)
    assert less[1] + less[2] == pytest.approx(more[1], abs=0.2)
    assert more[1] + more[2] == pytest.approx(16 + 328, abs=0.2)
    assert [kept[2], less[2], more[2]] == pytest.approx([145.8, 72.9, 109.3], abs=0.2)


def test_a_small_amount_beside_a_large_one_is_still_seen() -> None:
    large = LayerChange("medical_assistance", 0, 100_000_000, 0)
    small = LayerChange("tilt_assistance", 0, 1, 0)
    assert min(width for _, _, width in bars(drawn(large, small))) >= 3


def test_every_amount_is_told_in_words_too() -> None:
    picture = drawn(LayerChange("medical_assistance", 100_000, 0, -40_000))
    told = picture.findtext(f"{SVG}desc")
    assert told == "医疗救助：原有 1000.00 元，应退 400.00 元，现在 600.00 元。"


def test_nothing_in_it_reaches_beyond_its_edges() -> None:
    picture = drawn(
        LayerChange("medical_assistance", 123_456_789_012, 98_765_432_101, 0),
        LayerChange("tilt_assistance", 1, 0, -1),
    )
    *_, width, height = map(float, picture.attrib["viewBox"].split())
    for one in picture.iter(f"{SVG}rect"):
        if "x" in one.attrib:
            assert float(one.attrib["x"]) + float(one.attrib["width"]) <= width
            assert float(one.attrib["y"]) + float(one.attrib["height"]) <= height
    for word in picture.iter(f"{SVG}text"):
        assert 0 < float(word.attrib["y"]) < height


@pytest.mark.parametrize("layers", [(), (LayerChange("medical_assistance", 0, 0, 0),)])
def test_no_money_is_said(layers: Any) -> None:
    assert "还没有发放任何金额。" in "".join(drawn(*layers).itertext())
