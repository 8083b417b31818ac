"""接口文档 (openapi): the blueprint that routes are declared on and the document made from them.

The document says what the code does: bodies and queries from the schemas that load them, refusals
from the problem tables, words in Chinese from `route(summary=…)` (docstrings never show).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from flask import Flask
from flask_smorest import Api
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema, fields

from backend.kernel.errors import DomainError
from miniprogram_api.access import NEEDED, Access, declared
from miniprogram_api.parsing import StrictParser
from miniprogram_api.problem_table import DOMAIN, Problem
from miniprogram_api.problems import (
    FRAMEWORK,
    INVALID_BODY,
    INVALID_PARAMETERS,
    MEDIA_TYPE,
    every_problem,
)
from miniprogram_api.schemas import AnswerSchema

View = TypeVar("View", bound=Callable[..., Any])
Json = dict[str, Any]

TITLE: Final = "纾困：医疗救助"
VERSION: Final = "1"
OPENAPI_VERSION: Final = "3.1.0"
DESCRIPTION: Final = (
    "查询医疗救助政策、测算待遇；工作人员查看匹配运行。"
    '金额以元为单位，写成带两位小数的文字（如 "1234.50"）；'
    "日期写成 年-月-日；出错时以 RFC 9457 的 application/problem+json 答复，"
    "说明错在哪一项、该怎么办。"
)
SESSIONS: Final = {
    "staff": {
        "type": "http",
        "scheme": "bearer",
        "description": "工作人员登录后得到的口令；15 分钟不用即失效，最长 12 小时。",
    },
    "resident": {
        "type": "http",
        "scheme": "bearer",
        "description": "小程序登录后得到的口令；最长 30 天。",
    },
}
ALWAYS: Final = (FRAMEWORK[500],)
WITH_BODY: Final = (FRAMEWORK[400], FRAMEWORK[408], FRAMEWORK[413], FRAMEWORK[415], INVALID_BODY)
WITH_QUERY: Final = (INVALID_PARAMETERS,)


class AccessUndeclared(TypeError):
    """A route does not say who may call it."""


class FaultSchema(AnswerSchema):
    """One entry of `errors`."""

    pointer = fields.String(
        required=True,
        metadata={"description": "错在哪一项（JSON 指针）", "examples": ["/bills/0/total"]},
    )
    detail = fields.String(required=True, metadata={"description": "该怎么改"})


class ProblemSchema(AnswerSchema):
    """RFC 9457; documents what `problems.body_of` writes."""

    type = fields.String(
        required=True, metadata={"format": "uri-reference", "description": "问题的种类及其说明页"}
    )
    title = fields.String(required=True, metadata={"description": "问题的种类"})
    status = fields.Integer(required=True, metadata={"description": "HTTP 状态码"})
    detail = fields.String(required=True, metadata={"description": "该怎么办"})
    instance = fields.String(metadata={"description": "本次请求的编号，报修时请提供"})
    errors = fields.List(fields.Nested(FaultSchema()), metadata={"description": "逐项的错误"})


class Blueprint(SmorestBlueprint):
    """Routes of one capability under /api/v1 (or `prefix`); `title` is its Chinese name.

    Decorators from the top: `route`, `access`, `arguments` (a schema *instance*), `response`,
    `refuses`. A view may return `flask.jsonify(…)` of plain values, which is not dumped again.
    """

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, *, title: str, prefix: str = "/api/v1") -> None:
        super().__init__(name, import_name, url_prefix=prefix, description=title)
        self._prepare_doc_cbks.append(_document_problems)

    def route(
        self,
        rule: str,
        *,
        summary: str,
        description: str | None = None,
        methods: Sequence[str] = ("GET",),
        path: Mapping[str, str] | None = None,
    ) -> Callable[[View], View]:
        """Register a view. `path`: the Chinese description of each variable of the rule."""
        words = {"summary": summary} | ({"description": description} if description else {})
        variables = [
            {"in": "path", "name": name, "description": text} for name, text in (path or {}).items()
        ]

        def register(view: View) -> View:
            if declared(view) is None:
                raise AccessUndeclared(f"{view.__module__}.{view.__name__} lacks @access(…)")
            _note(view, manual_doc={"operationId": view.__name__, **words}, access=declared(view))
            self.add_url_rule(rule, None, view, parameters=variables, methods=list(methods))
            return view

        return register

    def arguments(
        self,
        schema: Schema,
        *,
        location: str = "json",
        large: bool = False,
        examples: Json | None = None,
    ) -> Callable[[View], View]:
        """Load the body (`json`) or the query string (`query`) into the view's next argument.

        `large`: bodies up to `Settings.max_batch_body_bytes`. `examples`: OpenAPI's, by name.
        """
        options: Json = {"large": True} if large else {}
        decorate: Callable[[View], View] = super().arguments(
            schema, location=location, examples=examples, **options
        )
        return decorate

    def response(
        self, status: int, schema: Schema | Json | None = None, *, description: str, **options: Any
    ) -> Callable[[View], View]:
        """The answer on success; options as in flask-smorest."""
        decorate: Callable[[View], View] = super().response(
            status, schema, description=description, **options
        )
        return decorate

    @staticmethod
    def refuses(*refusals: type[DomainError] | int) -> Callable[[View], View]:
        """Document refusals of the view: domain errors by class, others by HTTP status."""

        def declare(view: View) -> View:
            _note(view, refuses=tuple(map(_problem, refusals)))
            return view

        return declare

    @staticmethod
    def takes_bytes(view: View) -> View:
        """Document that the body is bytes, which the view reads itself (`parsing.read_bytes`)."""
        _note(view, takes_bytes=True)
        return view

    @staticmethod
    def revalidates(view: View) -> View:
        """Document that the answer carries an ETag, and is 304 for who has it already."""
        _note(view, revalidates=True)
        return view

    def _store_endpoint_docs(self, endpoint: str, obj: Any, *args: Any, **options: Any) -> None:
        super()._store_endpoint_docs(endpoint, obj, *args, **options)
        for method, doc in self._docs[endpoint].items():
            if method != "parameters":
                doc["docstring"] = {}


class ProblemApi(Api):
    """flask-smorest without its pages, its error answers and its English."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        app.config.update(API_TITLE=TITLE, API_VERSION=VERSION, OPENAPI_VERSION=OPENAPI_VERSION)
        options = {"info": {"description": DESCRIPTION}, "servers": [{"url": "/"}]}
        super().__init__(app, spec_kwargs=options)
        self.ma_plugin.converter.add_attribute_function(own_json_schema)
        for name, scheme in SESSIONS.items():
            self.spec.components.security_scheme(name, scheme)

    def document(self) -> Json:
        """The whole OpenAPI document."""
        document: Json = self.spec.to_dict()
        return document

    def _register_error_handlers(self) -> None:
        """`app` registers ours."""

    def _register_pagination_header(self) -> None:
        """Pages of results are told in the body."""

    def _register_responses(self) -> None:
        self.spec.components.schema("Problem", schema=ProblemSchema)
        for problem in every_problem().values():
            self.spec.components.response(problem.code, _response((problem,)), lazy=True)


def document_of(blueprints: Iterable[SmorestBlueprint]) -> Json:
    """The whole OpenAPI document of what is routed by the blueprints. Takes a tenth of a second."""
    api = ProblemApi(Flask("documented"))
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    return api.document()


def own_json_schema(converter: Any, field: fields.Field[Any], ret: Json, **_: Any) -> Json:
    """apispec's hook: what our fields say of themselves, null added where it is taken."""
    describe = getattr(field, "json_schema", None)
    if describe is None:
        return {}
    schema: Json = describe()
    if field.allow_none and "type" in schema:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _problem(refusal: type[DomainError] | int) -> Problem:
    return FRAMEWORK[refusal] if isinstance(refusal, int) else DOMAIN[refusal.code]


def _note(view: Callable[..., Any], **notes: Any) -> None:
    """Add to what flask-smorest keeps on a view, without another call around it."""
    view._apidoc = {**getattr(view, "_apidoc", {}), **notes}  # type: ignore[attr-defined]


def _document_problems(doc: Json, info: Json, **_: Any) -> Json:
    """flask-smorest's hook, run last: the refusals that the view and its reader may answer."""
    problems = [*ALWAYS, *info.get("refuses", ())]
    wanted: Access | None = info.get("access")
    if wanted is not None and not wanted.open:
        shown = ("resident", "staff") if wanted.who == "either" else (wanted.who,)
        doc["security"] = [{one: []} for one in shown]
        problems += (FRAMEWORK[401], FRAMEWORK[403], FRAMEWORK[429])
        problems += [DOMAIN[one.code] for one in NEEDED[: wanted.level]]
    if info.get("takes_bytes"):
        bytes_alone = {"schema": {"type": "string", "format": "binary"}}
        doc["requestBody"] = {
            "required": True, "content": {"application/octet-stream": bytes_alone}
        }  # fmt: skip
    if "requestBody" in doc:
        problems += WITH_BODY
    if any(parameter["in"] == "query" for parameter in doc.get("parameters", ())):
        problems += WITH_QUERY
    responses = doc.setdefault("responses", {})
    if info.get("revalidates"):
        responses[304] = {"description": "和您手上的一样（If-None-Match 与 ETag 相同），没有正文"}
    for status in sorted({problem.status for problem in problems}):
        alike = tuple(problem for problem in problems if problem.status == status)
        responses[status] = alike[0].code if len(alike) == 1 else _response(alike)
    return doc


def _response(problems: Iterable[Problem]) -> Json:
    """An OpenAPI response with an example a problem."""
    problems = tuple(problems)
    examples = {problem.code: {"value": _example(problem)} for problem in problems}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    titles = "；".join(problem.title for problem in problems)
    return {"description": titles, "content": {MEDIA_TYPE: content}}


def _example(problem: Problem) -> Json:
    return {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.advice,
    }
