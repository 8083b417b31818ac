"""A catalogue whose references are good may still compute wrongly: refused, with file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.policies.catalogue import HOME, CatalogueError, load_catalogue

BASE = (
    '  - {area: "320582", from: 2024-01-01, to: %s, deductible: "1.00", rate: "0.5", source: 甲}\n'
)


def refused(home: Path) -> str:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([home])
    assert all(fault.line > 1 for fault in caught.value.faults)
    return str(caught.value)


@pytest.mark.parametrize(
    ("policy", "file", "old", "new", "reason"),
    [
        (
            "plan-2026",
            "parameters",
            'value: "10000.00"',
            'value: "40000.00"',
            "分档的起点要从低到高写",
        ),
        (
            "zhangjiagang-2024",
            "benefits",
            "      - code: outpatient\n",
            "      - code: total\n",
            "两个限额用了同一个 code",
        ),
        (
            "tinghu-trial",
            "benefits",
            "name: 有省市规范救助政策的罕见病\n        covers: {disease_groups: [rare_regulated]}",
            "name: 有省市规范救助政策的罕见病\n        covers: {}",
            "管到同样的费用",
        ),
        (
            "tinghu-trial",
            "benefits",
            "      months: identity.retroactive.months\n      clause: 三(一)2",
            "      months: identity.retroactive.months\n      clause: 九",
            "没有这一条：九",
        ),
        (
            "tinghu-trial",
            "benefits",
            "reading: seriously-ill-category",
            "reading: nobody-wrote-it",
            "readings.yaml 里没有 nobody-wrote-it",
        ),
    ],
)
def test_benefits_that_compute_wrongly(
    tmp_path: Path, policy: str, file: str, old: str, new: str, reason: str
) -> None:
    shutil.copytree(HOME / policy, tmp_path / policy)
    place = tmp_path / policy / f"{file}.yaml"
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert reason in refused(tmp_path)


@pytest.mark.parametrize(
    ("adoptions", "bases", "reason"),
    [
        (
            '  - {area: "320900", policy: wuxi-2022-98, from: 2026-01-01, to: 2026-12-31}\n',
            "",
            "不是模板",
        ),
        (
            '  - {area: "320900", policy: plan-2026, from: 2026-01-01, to: 2026-06-30}\n'
            '  - {area: "320900", policy: plan-2026, from: 2026-06-30, to: 2026-12-31}\n',
            "",
            "320900 同一天有两条",
        ),
        ("", BASE % "null" + BASE % "2025-01-01", "320582 同一天有两条"),
    ],
)
def test_two_decisions_for_one_day(tmp_path: Path, adoptions: str, bases: str, reason: str) -> None:
    text = "# 地方设定\n"
    text += f"adoptions:\n{adoptions}" if adoptions else "adoptions: []\n"
    text += f"serious_illness_bases:\n{bases}" if bases else "serious_illness_bases: []\n"
    (tmp_path / "localities.yaml").write_text(text, encoding="utf-8")
    assert reason in refused(tmp_path)
