"""What a demo is served with, before it is served."""

from __future__ import annotations

from threading import Event

import pytest

from backend.kernel.settings import Settings
from miniprogram_api.cli.serve import _Demo, _Manner

HERE = "http://127.0.0.1:35953"


@pytest.mark.parametrize(
    ("manner", "chosen", "named"),
    [
        (_Demo(migrate=True), Settings(), HERE),
        (_Demo(migrate=True), Settings(site="https://demo.example"), "https://demo.example"),
        (_Manner(migrate=False), Settings(), Settings().site),
    ],
    ids=["demo", "demo with an address", "site"],
)
def test_letters_of_a_demo_name_the_port_at_which_it_listens(
    manner: _Manner, chosen: Settings, named: str
) -> None:
    assert manner.connected(chosen, HERE, Event()).site == named
