"""What the tests of the simulator share: a template of our own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.wechat import Json, Simulator

TEMPLATE = "TEMPLATE-OF-A-TEST"
CONTENT = "事项:{{thing1.DATA}}\n进度:{{phrase2.DATA}}"


@dataclass
class Sender:
    """Sends subscribe messages of one template to `resident1`."""

    sim: Simulator
    openid: str
    token: str

    def send(self, **other: Json) -> Json:
        """The answer; `other` replaces or adds fields, None leaves one out."""
        data = {"thing1": {"value": "材料已收到"}, "phrase2": {"value": "办理中"}}
        body = {"touser": self.openid, "template_id": TEMPLATE, "data": data, **other}
        body = {key: value for key, value in body.items() if value is not None}
        path = "/cgi-bin/message/subscribe/send"
        return self.sim.call("POST", path, body, access_token=self.token)

    def errcode(self, **other: Json) -> int:
        """What stands in errcode."""
        return int(self.send(**other)["errcode"])


@pytest.fixture
def sender(wechat_simulator: Simulator) -> Sender:
    wechat_simulator.template(TEMPLATE, CONTENT)
    wechat_simulator.subscribe("resident1", {TEMPLATE: "accept"})
    openid = wechat_simulator.openid("resident1")
    return Sender(wechat_simulator, openid, wechat_simulator.token())
