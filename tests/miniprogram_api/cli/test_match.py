from __future__ import annotations

import pytest

from miniprogram_api.cli import run

Output = pytest.CaptureFixture[str]


def test_a_year_that_is_far_away_is_not_matched(capsys: Output) -> None:
    assert run(["match", "--area", "320281", "--year", "2100"]) == 2
    assert "2100 年还没有到，请核对年度。" in capsys.readouterr().err
