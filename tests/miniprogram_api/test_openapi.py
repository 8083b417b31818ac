from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from miniprogram_api.access import access
from miniprogram_api.openapi import AccessUndeclared, Blueprint
from tests.miniprogram_api.trial import EXAMPLE


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    served: dict[str, Any] = client.get("/openapi.json").get_json()
    return served


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"


def test_bodies_are_described_as_they_are_loaded(document: dict[str, Any]) -> None:
    item = document["components"]["schemas"]["Item"]
    assert item["additionalProperties"] is False
    assert item["required"] == ["id", "on", "setting", "total"]
    properties = item["properties"]
    assert properties["rate"]["type"] == ["string", "null"]
    assert properties["setting"] == {
        "type": "string",
        "enum": ["inpatient", "outpatient"],
        "description": "就医方式：`inpatient` 住院，`outpatient` 门诊",
    }
    assert properties["paid"]["additionalProperties"] is False
    assert properties["paid"]["properties"]["basic"]["description"] == "基本医保"
    assert properties["referred"]["default"] is False
    items = document["components"]["schemas"]["Order"]["properties"]["items"]
    assert (items["minItems"], items["maxItems"]) == (1, 3)
    assert items["items"]["$ref"] == "#/components/schemas/Item"


def test_an_operation_names_its_refusals(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert set(paths["/api/v1/trial/orders"]["post"]["responses"]) == {
        "200", "400", "408", "413", "415", "422", "500",
    }  # fmt: skip
    assert set(paths["/api/v1/trial/search"]["get"]["responses"]) == {"200", "422", "500"}
    assert set(paths["/api/v1/trial/items/{item}"]["get"]["responses"]) == {
        "200", "404", "409", "500",
    }  # fmt: skip
    content = document["components"]["responses"]["too-large"]["content"]
    assert list(content) == ["application/problem+json"]


def test_an_example_is_shown_with_its_operation(document: dict[str, Any]) -> None:
    body = document["paths"]["/api/v1/trial/orders"]["post"]["requestBody"]
    examples = body["content"]["application/json"]["examples"]
    assert examples["one"]["value"] == EXAMPLE


def test_english_docstrings_do_not_show(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for method, operation in path.items():
            if method != "parameters":
                assert not operation["summary"].isascii()
                assert not operation.get("description", "总").isascii()


def test_a_route_that_does_not_declare_access_is_refused() -> None:
    blueprint = Blueprint("careless", __name__, title="疏忽")
    with pytest.raises(AccessUndeclared, match="open_to_whom"):

        @blueprint.route("/open", summary="谁可以用？")
        def open_to_whom() -> str:
            return ""


def test_access_survives_the_other_decorators(app: Flask) -> None:
    blueprint = Blueprint("careful", __name__, title="细心")

    @blueprint.route("/open", summary="公开")
    @blueprint.response(200, {"type": "string"}, description="文字")
    @access("public")
    def open_to_all() -> str:
        return ""

    assert blueprint.name == "careful"
