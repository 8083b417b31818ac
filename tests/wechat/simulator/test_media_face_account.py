from __future__ import annotations

import json
from http.client import HTTPConnection

from backend.kernel.settings_wechat import SIMULATOR_SECRET
from backend.wechat.simulator.face import Certificate, cert_hash
from tests.support.wechat import APPID, Json, Simulator

FACE = "/cityservice/face/identify"
HASH = "3c241f7ff324977aeb91f173bb2a7b06569e6fd784d5573db34a636d8671108b"
CERT = {"cert_type": "IDENTITY_CARD", "cert_name": "张三", "cert_no": "310101199801011234"}


def upload(sim: Simulator, content: bytes, kind: str = "image", name: str = "media") -> Json:
    head = f'Content-Disposition: form-data; name="{name}"; filename="a.png"\r\n'
    form = (
        b"--x\r\n" + head.encode() + b"Content-Type: image/png\r\n\r\n" + content + b"\r\n--x--\r\n"
    )
    connection = HTTPConnection(sim.api.removeprefix("http://"))
    connection.request(
        "POST", f"/cgi-bin/media/upload?access_token={sim.token()}&type={kind}", form,
        {"Content-Type": "multipart/form-data; boundary=x"},
    )  # fmt: skip
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def download(sim: Simulator, media_id: str) -> bytes:
    connection = HTTPConnection(sim.api.removeprefix("http://"))
    connection.request("GET", f"/cgi-bin/media/get?access_token={sim.token()}&media_id={media_id}")
    content = connection.getresponse().read()
    connection.close()
    return content


def test_a_file_is_kept_for_three_days(wechat_simulator: Simulator) -> None:
    content = bytes(range(256)) * 50
    said = upload(wechat_simulator, content)
    assert said["type"] == "image"
    assert download(wechat_simulator, said["media_id"]) == content
    wechat_simulator.advance(3 * 86400 + 1)
    assert json.loads(download(wechat_simulator, said["media_id"]))["errcode"] == 40007


def test_an_uploaded_picture_can_be_sent_as_a_card(wechat_simulator: Simulator) -> None:
    media = upload(wechat_simulator, b"picture")["media_id"]
    card = {"title": "看看政策", "pagepath": "pages/policy?id=1", "thumb_media_id": media}
    openid = wechat_simulator.openid("resident1")
    wechat_simulator.send("resident1", "政策")
    answer = wechat_simulator.call(
        "POST", "/cgi-bin/message/custom/send",
        {"touser": openid, "msgtype": "miniprogrampage", "miniprogrampage": card},
        access_token=wechat_simulator.token(),
    )  # fmt: skip
    assert answer["errcode"] == 0
    assert wechat_simulator.inbox("resident1")[0]["miniprogrampage"] == card


def test_a_file_that_is_none_is_refused(wechat_simulator: Simulator) -> None:
    wechat_simulator.expect_unexpected()
    assert upload(wechat_simulator, b"")["errcode"] == 41005
    assert upload(wechat_simulator, b"x", name="file")["errcode"] == 41005
    assert upload(wechat_simulator, b"x", kind="paper")["errcode"] == 40004
    assert upload(wechat_simulator, b"x" * 64_001, kind="thumb")["errcode"] == 45001


def test_the_official_cert_hash_comes_out() -> None:
    assert cert_hash(Certificate("IDENTITY_CARD", CERT["cert_name"], CERT["cert_no"])) == HASH


def asked(sim: Simulator, verify_id: str, hashed: str = HASH) -> Json:
    body = {"verify_id": verify_id, "out_seq_no": "seq-1", "cert_hash": hashed}
    body["openid"] = sim.openid("resident1")
    return sim.call("POST", f"{FACE}/queryverifyinfo", body, access_token=sim.token())


def begun(sim: Simulator) -> str:
    body = {"out_seq_no": "seq-1", "cert_info": CERT, "openid": sim.openid("resident1")}
    answer = sim.call("POST", f"{FACE}/getverifyid", body, access_token=sim.token())
    assert answer["expires_in"] == 3600
    return str(answer["verify_id"])


def test_a_face_is_passed_only_when_the_user_was_at_it(wechat_simulator: Simulator) -> None:
    verify_id = begun(wechat_simulator)
    assert asked(wechat_simulator, verify_id)["errcode"] == 84015
    wechat_simulator.show_face("resident1", passed=True)
    assert asked(wechat_simulator, verify_id)["verify_ret"] == 10000
    assert asked(wechat_simulator, verify_id, "0" * 64)["errcode"] == 84014
    wechat_simulator.advance(3601)
    assert asked(wechat_simulator, verify_id)["errcode"] == 84010


def test_a_face_that_is_another_one_has_another_result(wechat_simulator: Simulator) -> None:
    verify_id = begun(wechat_simulator)
    wechat_simulator.show_face("resident1", passed=False, code=10011)
    assert asked(wechat_simulator, verify_id)["verify_ret"] == 10011


def test_the_name_and_number_do_not_stand_in_the_journal(wechat_simulator: Simulator) -> None:
    begun(wechat_simulator)
    entry = wechat_simulator.journal(f"{FACE}/getverifyid")[0]
    assert entry["body"]["cert_info"]["cert_name"] == "***"
    assert "310101199801011234" not in json.dumps(wechat_simulator.journal())


def test_calls_are_counted_and_cleared_ten_times_a_month(wechat_simulator: Simulator) -> None:
    token = wechat_simulator.token()

    def used() -> int:
        body = {"cgi_path": "/wxa/msg_sec_check"}
        path = "/cgi-bin/openapi/quota/get"
        answer = wechat_simulator.call("POST", path, body, access_token=token)
        quota = answer["quota"]
        assert quota["daily_limit"] - quota["used"] == quota["remain"]
        return int(quota["used"])

    wechat_simulator.login("resident1")
    checked = {
        "content": "好",
        "version": 2,
        "scene": 1,
        "openid": wechat_simulator.openid("resident1"),
    }
    wechat_simulator.call("POST", "/wxa/msg_sec_check", checked, access_token=token)
    assert used() == 1
    clear = {"appid": APPID}
    assert (
        wechat_simulator.call("POST", "/cgi-bin/clear_quota", clear, access_token=token)["errcode"]
        == 0
    )
    assert used() == 0
    by_secret = {"appid": APPID, "appsecret": SIMULATOR_SECRET}
    found = [
        wechat_simulator.call("POST", "/cgi-bin/clear_quota/v2", by_secret)["errcode"]
        for _ in range(10)
    ]
    assert found == [0] * 9 + [48006]


def test_pushes_come_from_this_machine(wechat_simulator: Simulator) -> None:
    token = wechat_simulator.token()
    answer = wechat_simulator.call("GET", "/cgi-bin/getcallbackip", access_token=token)
    assert answer == {"ip_list": ["127.0.0.1"]}
