"""The answers are what the OpenAPI document says they are, and nothing besides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from miniprogram_api.estimation.routes import EXAMPLE
from tests.miniprogram_api.estimation.test_cases import CASES

Json = dict[str, Any]

ONE, BATCH = "/api/v1/estimates", "/api/v1/estimates/batch"


@pytest.fixture(scope="session")
def document(app: Flask) -> Json:
    served: Json = app.test_client().get("/openapi.json").get_json()
    return served


def closed(node: Any) -> Any:
    """The schema without leave to add fields."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    inner = {key: closed(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        inner["additionalProperties"] = False
    return inner


def validator(document: Json, path: str, status: str = "200") -> jsonschema.Draft202012Validator:
    operation = document["paths"][path]["post"]
    schema = operation["responses"][status]["content"]["application/json"]["schema"]
    whole = {**closed(schema), "components": closed(document["components"])}
    return jsonschema.Draft202012Validator(whole)


def sentences(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "text")
        for value in node.values():
            yield from sentences(value)
    elif isinstance(node, list):
        for value in node:
            yield from sentences(value)


@pytest.fixture(scope="session")
def answers(app: Flask) -> list[Json]:
    """Every golden case, answered."""
    cases = json.loads((CASES / "estimates.json").read_text(encoding="utf-8"))
    sent = {"requests": [case["request"] for case in cases]}
    found: list[Json] = app.test_client().post(BATCH, json=sent).get_json()["answers"]
    return found


def test_the_document_is_valid(document: Json) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_every_answer_is_as_documented(document: Json, answers: list[Json]) -> None:
    check = validator(document, ONE)
    for answer in answers:
        check.validate(answer)


def test_a_batch_is_answered_as_documented(
    document: Json, answers: list[Json], client: FlaskClient
) -> None:
    refused = client.post(BATCH, json={"requests": [{}, None]}).get_json()["answers"]
    validator(document, BATCH).validate({"answers": [*answers, *refused]})


def test_every_documented_field_occurs(document: Json, answers: list[Json]) -> None:
    payments = [p for answer in answers for bill in answer["bills"] for p in bill["payments"]]
    seen = {key for payment in payments for key in payment}
    assert seen == set(document["components"]["schemas"]["Payment"]["properties"])


def test_every_computed_payment_has_its_reasons(answers: list[Json]) -> None:
    for answer in answers:
        for bill in answer["bills"]:
            for payment in bill["payments"]:
                computed = payment["source"] == "computed"
                assert computed == ("steps" in payment) == ("citation" in payment)
                assert not computed or payment["steps"]
                assert not computed or all(payment["citation"].values())


def test_sentences_are_plain_chinese(answers: list[Json]) -> None:
    for answer in answers:
        for text in sentences(answer):
            assert text.endswith("。"), text
            assert "None" not in text
            assert "_" not in text


def test_the_example_of_the_document_is_true(client: FlaskClient, document: Json) -> None:
    """Where the words have changed: `shukun estimate example_request.json --json` writes it anew."""
    operation = document["paths"][ONE]["post"]
    body = operation["requestBody"]["content"]["application/json"]["examples"]["inpatient"]
    answer = operation["responses"]["200"]["content"]["application/json"]["examples"]["inpatient"]
    assert (body["value"], answer["value"]) == (EXAMPLE["request"], EXAMPLE["answer"])
    given = client.post(ONE, json=body["value"]).get_json()
    assert without_versions(given) == without_versions(answer["value"])


def without_versions(answer: Json) -> Json:
    """Versions change with every word of the catalogue."""
    for bill in answer["bills"]:
        for payment in bill["payments"]:
            payment.pop("rule_version", None)
    return answer
