from __future__ import annotations

import json
import struct
import time
import zlib
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.support.wechat import Json, Simulator
from tests.wechat.simulator.qr_reader import read

SCENE = "t=0aB.-_~!*'()"


def picture(sim: Simulator, place: str, /, **body: Any) -> tuple[str, bytes]:
    connection = HTTPConnection(sim.api.removeprefix("http://"))
    connection.request("POST", f"{place}?access_token={sim.token()}", json.dumps(body))
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.headers["Content-Type"], content


def modules(png: bytes, width: int) -> list[list[bool]]:
    """The dark and light squares of a picture, without its white edge."""
    chunks = chunks_of(png)
    side, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (side, kind) == (height, [1, 0, 0, 0, 0]), "a square of black and white"
    rows = lines(zlib.decompress(chunks[b"IDAT"]), side)
    dark = [index for index, row in enumerate(rows) if 0 in row]
    ring = rows[dark[0]].index(1, dark[0]) - dark[0]
    step, rest = divmod(ring, 7)
    assert rest == 0, "whole squares"
    assert dark[0] == 4 * step, "four squares of white around"
    assert width - side < side // step, "as large as the width allows"
    middles = range(dark[0] + step // 2, dark[-1] + 1, step)
    return [[rows[y][x] == 0 for x in middles] for y in middles]


def chunks_of(png: bytes) -> dict[bytes, bytes]:
    """The parts of a PNG by name, each with its check sum right."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, found = 8, {}
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        content = png[place + 8 : place + 8 + length]
        check = struct.unpack(">I", png[place + 8 + length : place + 12 + length])[0]
        assert check == zlib.crc32(kind + content)
        found[kind] = content
        place += 12 + length
    return found


def lines(data: bytes, side: int) -> list[list[int]]:
    """Rows of pixels of one bit; of the filters those that matter here: none, and as above."""
    length = (side + 7) // 8
    rows: list[list[int]] = []
    for y in range(side):
        start = y * (length + 1)
        bits = "".join(f"{one:08b}" for one in data[start + 1 : start + 1 + length])
        above = rows[-1] if data[start] == 2 else [0] * side
        rows.append([int(bit) ^ up for bit, up in zip(bits[:side], above, strict=True)])
    return rows


@pytest.mark.parametrize("width", [280, 430, 1280])
def test_a_code_holds_its_scene(wechat_simulator: Simulator, width: int) -> None:
    kind, png = picture(wechat_simulator, "/wxa/getwxacodeunlimit", scene=SCENE, width=width)
    assert kind == "image/png"
    assert read(modules(png, width)) == SCENE


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"scene": "x" * 33}, 40169),
        ({"scene": ""}, 40169),
        ({"scene": "a%20b"}, 40129),
        ({"scene": "中文"}, 40129),
        ({"scene": "a", "page": "/pages/index"}, 41030),
        ({"scene": "a", "page": "pages/index?a=1"}, 41030),
        ({"scene": "a", "width": 279}, 40097),
        ({"scene": "a", "width": 1281}, 40097),
    ],
)
def test_a_code_that_cannot_be_is_refused_in_json(
    wechat_simulator: Simulator, body: dict[str, Any], code: int
) -> None:
    kind, content = picture(wechat_simulator, "/wxa/getwxacodeunlimit", **body)
    assert kind.startswith("application/json")
    assert json.loads(content)["errcode"] == code


def test_an_unknown_field_of_a_code_is_noted(wechat_simulator: Simulator) -> None:
    wechat_simulator.expect_unexpected()
    _, content = picture(wechat_simulator, "/wxa/getwxacodeunlimit", scene="a", path="pages/index")
    assert json.loads(content)["errcode"] == 40097
    assert len(wechat_simulator.unexpected()) == 1


def test_a_page_that_is_not_released_passes_only_unchecked(wechat_simulator: Simulator) -> None:
    wechat_simulator.app(
        "wxs1mulator0000001", "wechat-simulator-well-known-secret", pages=["pages/index"]
    )
    path = "/wxa/getwxacodeunlimit"
    _, refused = picture(wechat_simulator, path, scene="a", page="pages/new")
    assert json.loads(refused)["errcode"] == 41030
    kind, _ = picture(wechat_simulator, path, scene="a", page="pages/new", check_path=False)
    assert kind == "image/png"


def test_a_code_with_a_path_leads_there(wechat_simulator: Simulator) -> None:
    path = "pages/policy?id=" + "1" * 900
    _, png = picture(wechat_simulator, "/wxa/getwxacode", path=path, width=430)
    led = opened(wechat_simulator, read(modules(png, 430)))
    assert f"{led['path']}?{led['query']}" == path
    _, refused = picture(wechat_simulator, "/wxa/getwxacode", path="p" * 1025)
    assert json.loads(refused)["errcode"] == 40159


def opened(sim: Simulator, link: str) -> Json:
    return sim.control("POST", "/links/open", {"link": link})


def made(sim: Simulator, **body: Any) -> Json:
    return sim.call("POST", "/wxa/generate_urllink", body, access_token=sim.token())


def test_a_link_leads_to_its_page_until_it_ends(wechat_simulator: Simulator) -> None:
    answer = made(
        wechat_simulator, path="pages/index", query="t=abc", expire_type=1, expire_interval=2
    )
    led = opened(wechat_simulator, answer["url_link"])
    assert (led["path"], led["query"]) == ("pages/index", "t=abc")
    wechat_simulator.advance(2 * 86400 + 1)
    with pytest.raises(AssertionError, match="leads nowhere"):
        opened(wechat_simulator, answer["url_link"])


def test_a_scheme_leads_to_its_page(wechat_simulator: Simulator) -> None:
    answer = wechat_simulator.call(
        "POST", "/wxa/generatescheme", {"jump_wxa": {"path": "pages/index", "query": "a=b"}},
        access_token=wechat_simulator.token(),
    )  # fmt: skip
    assert answer["openlink"].startswith("weixin://")
    assert opened(wechat_simulator, answer["openlink"])["query"] == "a=b"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"path": "pages/index?a=b"}, 40165),
        ({"path": "/pages/index"}, 40165),
        ({"query": "x" * 1025}, 40212),
        ({"expire_type": 1, "expire_interval": 31}, 85402),
        ({"expire_type": 1}, 85402),
    ],
)
def test_a_link_that_cannot_be_is_refused(
    wechat_simulator: Simulator, body: dict[str, Any], code: int
) -> None:
    assert made(wechat_simulator, **body)["errcode"] == code


@pytest.mark.parametrize(("seconds", "code"), [(30, 85401), (120, 0), (31 * 86400, 85401)])
def test_a_link_ends_between_a_minute_and_thirty_days(
    wechat_simulator: Simulator, seconds: int, code: int
) -> None:
    assert made(wechat_simulator, expire_time=int(time.time()) + seconds)["errcode"] == code
