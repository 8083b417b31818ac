from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.estimation.case import Assumptions, Bill, Case, Identity, Person, SeriousIllnessBase
from backend.estimation.checks import FIRST_DAY
from backend.estimation.estimate import Estimate, estimate_payments
from backend.kernel.money import format_yuan
from miniprogram_api.rulebook import rules
from tests.support.html import Element, filled, label_of, query, read


@dataclass
class Walk:
    """How a person comes from the home page to an answer, and the case that it must equal."""

    title: str
    clicks: list[str]
    boxes: list[tuple[str, str]]
    typed: dict[str, str]
    case: Case
    says: list[str] = field(default_factory=list)


def one_bill(policy: str | None, area: str | None, categories: list[str], **bill: Any) -> Case:
    identities = tuple(Identity(category, FIRST_DAY) for category in categories)
    assumptions = bill.pop("assumptions", Assumptions())
    declined = bill.pop("declined", False)
    day = bill.pop("day")
    whole = Bill(id="1", admitted_on=bill.pop("admitted", day), discharged_on=day, **bill)
    return Case(Person(identities, declined), (whole,), policy, area, assumptions)


WALKS = [
    Walk(
        "Wuxi: low-income, referred within the province",
        ["无锡市"],
        [("category", "subsistence_allowance"), ("setting", "inpatient"), ("referred", "1"), ("in_province", "1")],
        {"discharged-on": "2024年3月9日", "total": "152,000", "in-scope": "１４８０００", "paid-basic": "30000元"},
        one_bill(
            None, "320200", ["subsistence_allowance"], setting="inpatient", day=date(2024, 3, 9),
            total=15_200_000, in_scope=14_800_000, paid={"basic": 3_000_000}, referred=True, in_province=True,
        ),
        ["100,300.00 元", "7,020.00 元", "85%", "按我们的理解"],
    ),
    Walk(
        "Zhangjiagang: a base of serious-illness insurance, an orphan",
        ["张家港市"],
        [("category", "orphan"), ("setting", "day_surgery")],
        {"discharged-on": "20240501", "total": "80000", "in-scope": "70000.50", "paid-basic": "20000",
         "base-deductible": "20,000", "base-rate": "60%"},
        one_bill(
            None, "320582", ["orphan"], setting="day_surgery", day=date(2024, 5, 1), total=8_000_000,
            in_scope=7_000_050, paid={"basic": 2_000_000},
            assumptions=Assumptions(SeriousIllnessBase(2_000_000, 6_000), None),
        ),
        ["大病保险"],
    ),
    Walk(
        "Yueqing: two identities, guidance followed and referred, in 2024",
        ["乐清市"],
        [("category", "subsistence_allowance"), ("category", "other_hardship"), ("setting", "inpatient"),
         ("followed_guidance", "1"), ("referred", "1")],
        {"discharged-on": "2024-12-31", "admitted-on": "2024-12-1", "total": "900000", "in-scope": "880000",
         "paid-basic": "200000", "paid-charity": "1000"},
        one_bill(
            None, "330382", ["subsistence_allowance", "other_hardship"], setting="inpatient",
            day=date(2024, 12, 31), admitted=date(2024, 12, 1), total=90_000_000, in_scope=88_000_000,
            paid={"basic": 20_000_000, "charity": 100_000}, followed_guidance=True, referred=True,
        ),
        ["高额费用化解", "实际报的可能更多"],
    ),
    Walk(
        "Tinghu: on trial by its name, health service declined, a major disease",
        ["亭湖区", "先按这份方案试算，只作参考"],
        [("category", "destitute_worker"), ("setting", "inpatient"), ("disease-group", "major"), ("declined", "1")],
        {"discharged-on": "2024-6-1", "total": "60000", "paid-basic": "30000", "paid-medical_assistance": "5000"},
        one_bill(
            "tinghu-trial", None, ["destitute_worker"], setting="inpatient", day=date(2024, 6, 1),
            total=6_000_000, in_scope=6_000_000, paid={"basic": 3_000_000, "medical_assistance": 500_000},
            disease_group="major", declined=True,
        ),
        ["施行日期还没有得到当地确认", "当作全部在范围内", "50%"],
    ),
    Walk(
        "plan-2026: a rare drug, income per head given",
        ["别的地方", "按《2026年医疗救助服务工作计划》试算"],
        [("category", "illness_impoverished"), ("setting", "inpatient")],
        {"discharged-on": "20260301", "total": "200000", "in-scope": "120000", "rare-drug": "50000",
         "paid-basic": "60000", "income": "50000"},
        one_bill(
            "plan-2026", None, ["illness_impoverished"], setting="inpatient", day=date(2026, 3, 1),
            total=20_000_000, in_scope=12_000_000, rare_drug=5_000_000, paid={"basic": 6_000_000},
            assumptions=Assumptions(None, 5_000_000),
        ),
        ["罕见病用药救助", "分档"],
    ),
]  # fmt: skip


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.title)
def test_from_the_home_page_to_the_same_answer_as_the_engine(
    app: Flask, client: FlaskClient, walk: Walk
) -> None:
    page = read(client.get("/").text)
    for words in walk.clicks:
        page = follow(client, page, words)
    answer = submit(client, page, walk.boxes, walk.typed)
    assert answer.one("h1").text == "算出来的结果"
    compare(answer, estimated(app, walk.case), walk.case.bills[0].total)
    for words in walk.says:
        assert words in answer.text, words


def test_every_step_and_note_of_the_engine_is_told(app: Flask, client: FlaskClient) -> None:
    walk = WALKS[3]
    page = read(client.get("/estimate?policy=tinghu-trial").text)
    text = submit(client, page, walk.boxes, walk.typed).text.replace(",", "")
    found = estimated(app, walk.case)
    for payment in found.bills[0].payments:
        for step in payment.explained.steps if payment.explained else ():
            assert step.text in text
        for reading in payment.explained.readings if payment.explained else ():
            assert reading.text in text
    for note in (*found.notes, *found.bills[0].notes):
        assert note in text


def test_a_citation_leads_to_the_clause_as_of_the_bill(client: FlaskClient) -> None:
    answer = submit(
        client, read(client.get("/estimate?area=320200").text), WALKS[0].boxes, WALKS[0].typed
    )
    cited = next(one for one in answer.all("a") if "锡政办发〔2022〕98号" in one.text)
    assert query(cited["href"])["on"] == "2024-03-09"
    clause = read(client.get(cited["href"]).text)
    assert "救助多少" in clause.one("h1").text


def test_what_would_change_the_result_is_said_and_drawn(client: FlaskClient) -> None:
    boxes = [one for one in WALKS[0].boxes if one[0] != "referred"]
    answer = submit(client, read(client.get("/estimate?area=320200").text), boxes, WALKS[0].typed)
    assert "如果经过规范转诊，自己少付 7,020.00 元。" in answer.text
    assert "身份换成“特困人员”" in answer.text
    picture = answer.one("svg")
    assert picture["role"] == "img"
    assert "现在总费用 152000.00 元" in picture.one("desc").text


def test_without_an_identity_the_answer_says_what_one_would_bring(client: FlaskClient) -> None:
    boxes = [("category", "none"), ("setting", "inpatient")]
    answer = submit(client, read(client.get("/estimate?area=320200").text), boxes, WALKS[0].typed)
    assert money(answer, "自己还要付") == "122,000.00 元"
    assert "没有填写救助身份" in answer.text
    details = next(one for one in answer.all("details") if "如果属于别的人群" in one.text)
    assert "open" in details.attrs
    assert "被认定为“特困人员”" in details.text


# -- what cannot be taken -------------------------------------------------------------------------


def test_an_empty_form_is_told_what_to_fill_in_first(client: FlaskClient) -> None:
    response = client.post("/estimate?area=320200", data={})
    assert response.status_code == 422
    page = read(response.text)
    summary = page.one(class_="summary")
    assert "有 4 处要改" in summary.text
    assert page.one("title").text.startswith("要改：")
    for link in summary.all("a"):
        field = page.one(id=link["href"][1:])
        assert field.tag == "input"
        assert label_of(page, field)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("total", "1万2", "写成数字"),
        ("total", "-5", "不能是负数"),
        ("total", "", "请填总费用"),
        ("in-scope", "200000", "超过了总费用"),
        ("paid-basic", "152000.01", "合计超过了总费用"),
        ("paid-basic", "abc", "只写数字"),
        ("discharged-on", "2024-2-30", "没有这一天"),
        ("discharged-on", "18500101", "日期要在"),
        ("admitted-on", "20240310", "早于入院"),
        ("held-to", "18990101", "早于开始"),
        ("paid-charity", "1,23", "只写数字"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    client: FlaskClient, name: str, text: str, word: str
) -> None:
    walk = WALKS[0]
    typed = {**walk.typed, name: text}
    response = post(client, "/estimate?area=320200", walk.boxes, typed)
    assert response.status_code == 422
    page = read(response.text)
    wrong = page.one("span", class_="fault")
    assert word in wrong.text
    at_fault = next(one for one in page.all("input") if wrong["id"] in one.get("aria-describedby"))
    assert at_fault["aria-invalid"] == "true"
    sent = filled(page.one("form"))
    assert {pair for pair in sent if pair[1]} == {
        *walk.boxes,
        *(pair for pair in typed.items() if pair[1]),
    }
    for one in page.all("details"):
        assert "open" in one.attrs or at_fault not in one.all("input")


def test_a_base_of_serious_illness_insurance_needs_both_figures(client: FlaskClient) -> None:
    walk = WALKS[1]
    typed = {**walk.typed, "base-rate": ""}
    page = read(post(client, "/estimate?area=320582", walk.boxes, typed).text)
    assert "要一起填" in page.one("span", class_="fault").text


def test_none_of_them_and_one_of_them_contradict_each_other(client: FlaskClient) -> None:
    boxes = [*WALKS[0].boxes, ("category", "none")]
    response = post(client, "/estimate?area=320200", boxes, WALKS[0].typed)
    assert response.status_code == 422
    assert "不要再选别的" in response.text


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00=\x00", b"total=" + b"9" * 5000, b"category=%00&setting=%F0%9F", b"a=1&" * 300,
        b"total=100000000.01&setting=inpatient&category=none&discharged-on=99991231",
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_form(client: FlaskClient, data: bytes) -> None:
    response = client.post(
        "/estimate?area=320200", data=data, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 422
    read(response.text)


def test_a_body_that_is_no_form_is_an_empty_form(client: FlaskClient) -> None:
    response = client.post("/estimate?area=320200", json={"total": "1"})
    assert response.status_code == 422


# -- the truth about policies -----------------------------------------------------------------------


def test_a_place_whose_policy_has_no_confirmed_days_says_so_and_offers_a_trial(
    client: FlaskClient,
) -> None:
    page = read(client.get("/estimate?area=320902").text)
    assert "当地也还没有确认" in page.text
    assert page.all("form") == []
    trial = follow(client, page, "先按这份方案试算，只作参考")
    assert "结果只供参考" in trial.text
    assert trial.one("form")["action"] == "/estimate?policy=tinghu-trial"


def test_a_bill_sent_for_such_a_place_is_not_computed_but_can_be_tried_as_typed(
    client: FlaskClient,
) -> None:
    walk = WALKS[3]
    answer = read(post(client, "/estimate?area=320902", walk.boxes, walk.typed).text)
    assert "医疗救助没有算" in answer.text
    assert answer.all("dl", class_="result") == []
    form = answer.one("form")
    trial = next(one for one in form.all("button") if "试算" in one.text)
    tried = read(client.post(trial["formaction"], data=multi(filled(form))).text)
    assert tried.one("dl", class_="result")


def test_an_expired_policy_says_so_and_still_decides_earlier_bills(client: FlaskClient) -> None:
    page = read(client.get("/estimate?area=330382").text)
    assert "已经失效" in page.one(class_="notice").text
    walk = WALKS[2]
    late = {**walk.typed, "discharged-on": "20260101", "admitted-on": ""}
    answer = submit(client, page, walk.boxes, late)
    assert "这一天已经失效：最后一天是 2025-12-31" in answer.text
    assert answer.all("dl", class_="result") == []
    assert answer.all("svg") == []


def test_a_policy_that_has_not_begun_says_so(client: FlaskClient) -> None:
    walk = WALKS[4]
    page = read(client.get("/estimate?policy=plan-2026").text)
    answer = submit(client, page, walk.boxes, {**walk.typed, "discharged-on": "20251231"})
    assert "自 2026-01-01 起施行" in answer.text
    assert answer.all("dl", class_="result") == []


def test_a_county_without_a_policy_of_its_own_is_under_its_citys(client: FlaskClient) -> None:
    page = read(client.get("/estimate?area=320281").text)
    assert "江阴市" in page.one("h1").text
    assert "无锡市的《无锡市重特大疾病医疗救助实施意见》" in page.text
    home = read(client.get("/").text)
    assert "江阴市" in next(one.text for one in home.all("a") if "无锡市" in one.text)


def test_a_place_without_any_policy_says_so_and_what_to_do(client: FlaskClient) -> None:
    for path in ("/estimate?area=110101", "/elsewhere"):
        page = read(client.get(path).text)
        assert "收录" in page.one(class_="notice").text
        assert "12393" in page.text
        assert page.all("form") == []


@pytest.mark.parametrize(
    "path", ["/estimate?area=999999", "/estimate?policy=nothing", "/estimate?area=abc"]
)
def test_a_place_or_policy_that_does_not_exist_is_absent(client: FlaskClient, path: str) -> None:
    for response in (client.get(path), client.post(path, data={"total": "1"})):
        assert response.status_code == 404
        assert "请从下面重新找" in response.text


def test_without_a_place_the_place_is_asked_first(client: FlaskClient) -> None:
    assert client.get("/estimate").headers["Location"] == "/#place"
    assert client.post("/estimate", data={"total": "1"}).status_code == 303


# -- going back, privacy ----------------------------------------------------------------------------


def test_change_and_compute_again_begins_with_what_was_typed(client: FlaskClient) -> None:
    walk = WALKS[2]
    answer = read(post(client, "/estimate?area=330382", walk.boxes, walk.typed).text)
    form = answer.one("form")
    again = client.post(form["action"], data=multi([*filled(form), ("edit", "1")]))
    assert again.status_code == 200
    page = read(again.text)
    assert {pair for pair in filled(page.one("form")) if pair[1]} == {
        *walk.boxes,
        *walk.typed.items(),
    }
    changed = submit(client, page, [], {"total": "910000"})
    assert "总费用 910,000.00 元" in changed.text


def test_the_answer_can_be_had_in_larger_print(client: FlaskClient) -> None:
    walk = WALKS[0]
    form = read(post(client, "/estimate?area=320200", walk.boxes, walk.typed).text).one("form")
    bigger = next(one for one in form.all("button") if one.text == "更大字")
    page = read(client.post(bigger["formaction"], data=multi(filled(form))).text)
    assert page.one("html")["class"] == "big"
    assert money(page, "一共能报") == "137,320.00 元"
    smaller = next(one for one in page.all("button") if one.text == "普通字")
    assert "big" not in query(smaller["formaction"])


def test_what_was_typed_is_in_no_address_no_log_and_no_cookie(
    client: FlaskClient, log_lines: io.BytesIO
) -> None:
    walk = WALKS[0]
    page = read(client.get("/estimate?area=320200").text)
    form = page.one("form")
    assert form["method"] == "post"
    assert set(query(form["action"])) == {"area"}
    response = post(client, form["action"], walk.boxes, walk.typed)
    assert "Set-Cookie" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    written = log_lines.getvalue().decode()
    assert "subsistence_allowance" not in written
    assert "152" not in "".join(line for line in written.splitlines() if '"total"' in line)
    assert all(
        "?" not in one["href"] or not {"total", "category"} & set(query(one["href"]))
        for one in read(response.text).all("a")
    )


# -- helpers ----------------------------------------------------------------------------------------


def follow(client: FlaskClient, page: Element, words: str) -> Element:
    """Follow the link that begins with these words."""
    link = next(one["href"] for one in page.all("a") if one.text.startswith(words))
    return read(client.get(link).text)


def submit(
    client: FlaskClient, page: Element, boxes: list[tuple[str, str]], typed: dict[str, str]
) -> Element:
    """Fill in the page's form as a browser would, and send it."""
    form = page.one("form")
    fields = {one["name"] for one in form.all("input", type="text")}
    values = {
        (one["name"], one["value"])
        for one in form.all("input")
        if one.get("type") in ("checkbox", "radio")
    }
    assert set(typed) <= fields
    assert set(boxes) <= values
    radios = {one["name"] for one in form.all("input") if one.get("type") == "radio"}
    kept = [
        (name, text) for name, text in filled(form)
        if name not in typed and not (name in radios and name in dict(boxes))
    ]  # fmt: skip
    response = client.post(form["action"], data=multi([*kept, *boxes, *typed.items()]))
    assert response.status_code == 200, [
        one.text for one in read(response.text).all(class_="fault")
    ]
    return read(response.text)


def post(
    client: FlaskClient, path: str, boxes: list[tuple[str, str]], typed: dict[str, str]
) -> Any:
    return client.post(path, data=multi([*boxes, *typed.items()]))


def multi(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    data: dict[str, list[str]] = {}
    for name, text in pairs:
        data.setdefault(name, []).append(text)
    return data


def estimated(app: Flask, case: Case) -> Estimate:
    with app.app_context():
        return estimate_payments(case, rules())


def money(page: Element, name: str) -> str:
    result = page.one("dl", class_="result")
    names, amounts = result.all("dt"), result.all("dd")
    return next(amount.text for one, amount in zip(names, amounts, strict=True) if one.text == name)


def compare(page: Element, estimate: Estimate, total: int) -> None:
    """To the fen: both sums, and every payment in its order."""
    bill = estimate.bills[0]
    assert plain(money(page, "自己还要付")) == format_yuan(bill.personal_burden)
    assert plain(money(page, "一共能报")) == format_yuan(total - bill.personal_burden)
    shown = [plain(one.one(class_="amount").text) for one in page.all("section", class_="payer")]
    assert shown == [format_yuan(payment.amount) for payment in bill.payments]


def plain(text: str) -> str:
    return text.removesuffix(" 元").replace(",", "")
