"""组装 (app): the composition root, where settings, database, routes and pages are put together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache, partial
from types import TracebackType
from typing import Any, BinaryIO, Final

import msgspec
from flask import Blueprint, Flask, Response
from flask.globals import request_ctx
from flask.json.provider import JSONProvider
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from backend.kernel import database, keys
from backend.kernel.errors import DomainError
from backend.kernel.pool_checks import check_before_use
from backend.kernel.settings import Settings
from backend.letters import seals
from backend.letters.seal_keys import files_of
from backend.papers import store as papers_store
from backend.policies.catalogue import load_catalogue
from backend.wechat import connection
from miniprogram_api import edge, limiting, observability, problems, rulebook
from miniprogram_api.access import access, guard
from miniprogram_api.accounts.acting_routes import consents, delegations, family
from miniprogram_api.accounts.audit_routes import audits
from miniprogram_api.accounts.people_routes import people
from miniprogram_api.accounts.resident_routes import residents
from miniprogram_api.accounts.staff_routes import staff_sessions
from miniprogram_api.applications.desk_routes import cases
from miniprogram_api.applications.money_routes import case_money
from miniprogram_api.applications.routes import applications
from miniprogram_api.assistant.routes import chats
from miniprogram_api.estimation.routes import estimation
from miniprogram_api.estimation.what_if_routes import what_if
from miniprogram_api.health.routes import health
from miniprogram_api.letters.routes import letters
from miniprogram_api.matching.routes import runs
from miniprogram_api.notifications.routes import messages
from miniprogram_api.openapi import Blueprint as ApiBlueprint
from miniprogram_api.openapi import document_of
from miniprogram_api.pages.estimate_page import estimate_page
from miniprogram_api.pages.home import home
from miniprogram_api.pages.letter_page import letter_page
from miniprogram_api.pages.notices_page import notices_page
from miniprogram_api.pages.policy_pages import policy_pages
from miniprogram_api.pages.progress_page import progress_page
from miniprogram_api.pages.routes import pages
from miniprogram_api.pages.runs_page import runs_page
from miniprogram_api.pages.search_page import search_page
from miniprogram_api.pages.staff_page import staff_page
from miniprogram_api.pages.work_page import work_page
from miniprogram_api.papers.routes import papers
from miniprogram_api.policies.procedure_routes import procedures
from miniprogram_api.policies.routes import policies
from miniprogram_api.policies.search_routes import search
from miniprogram_api.progress.routes import progress
from miniprogram_api.public_notices.routes import public_notices
from miniprogram_api.wechat.routes import wechat_push
from miniprogram_api.worklist.routes import work

log = logging.getLogger(__name__)

API_BLUEPRINTS: Final[tuple[ApiBlueprint, ...]] = (
    health,
    policies,
    search,
    procedures,
    estimation,
    what_if,
    runs,
    staff_sessions,
    audits,
    residents,
    family,
    consents,
    delegations,
    people,
    work,
    messages,
    chats,
    papers,
    letters,
    applications,
    cases,
    case_money,
    public_notices,
    progress,
)
PAGE_BLUEPRINTS: Final[tuple[Blueprint, ...]] = (
    home,
    estimate_page,
    policy_pages,
    search_page,
    staff_page,
    runs_page,
    work_page,
    letter_page,
    progress_page,
    notices_page,
    pages,
)
OTHER_BLUEPRINTS: Final[tuple[Blueprint, ...]] = (wechat_push,)
"""Neither of our API nor pages: the form is another's."""


class CompactJson(JSONProvider):
    """JSON without spaces or escapes, in the order given."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """The value as text."""
        return msgspec.json.encode(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """The value of the text."""
        return msgspec.json.decode(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """The answer that carries the value."""
        value = self._prepare_response_obj(args, kwargs)
        return Response(msgspec.json.encode(value), mimetype="application/json")


class Application(Flask):
    """Flask whose log line for a crash is constant and names no path."""

    json_provider_class = CompactJson

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: nothing here is asynchronous, and asking costs at every call."""
        return func

    def log_exception(
        self, exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]
    ) -> None:
        """Log what was not caught, with the traceback."""
        log.error("unhandled error", exc_info=exc_info)


def create_app(settings: Settings, *, log_stream: BinaryIO | None = None) -> Flask:
    """The application. Without `settings.database_url` the engine is the one bound before, if any.

    `log_stream`: where log lines go instead of stderr. Raises `CatalogueError` for a bad file.
    """
    app = Application(
        "miniprogram_api", template_folder="pages/templates", static_folder="pages/static"
    )
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_BATCH_BODY_BYTES=settings.max_batch_body_bytes,
        MAX_PAPER_BYTES=settings.max_paper_bytes,
        PROXIES=settings.proxies,
        SITE=settings.site,
        PROPAGATE_EXCEPTIONS=False,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.url_map.merge_slashes = False
    if url := settings.database_app_url or settings.database_url:
        _connect(app, url, settings.threads)
    observability.observe(app, observability.configure(settings.log_level, log_stream))
    keys.bind(settings.key_file)
    papers_store.bind(papers_store.FolderStore(settings.papers_folder))
    seals.bind(files_of(settings))
    connection.bind(settings.wechat)
    rulebook.install(app, load_catalogue(settings.catalogue))
    limiting.install(app, settings.account_requests)
    guard(app)
    app.after_request(edge.drain)
    _answer_errors(app)
    _register(app)
    return app


def _connect(app: Flask, url: str, threads: int) -> None:
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = database.engine_options(threads=threads, role="app")
    database.db.init_app(app)
    with app.app_context():
        database.bind(check_before_use(database.db.engine))


def _register(app: Flask) -> None:
    access("public")(app.view_functions["static"])
    parts: tuple[Blueprint, ...] = (*API_BLUEPRINTS, *PAGE_BLUEPRINTS, *OTHER_BLUEPRINTS)
    for part in parts:
        app.register_blueprint(part)
    app.extensions["openapi"] = cache(partial(document_of, API_BLUEPRINTS))


def _answer_errors(app: Flask) -> None:
    app.register_error_handler(problems.Refused, _refused)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)


def _refused(error: problems.Refused) -> Response:
    return problems.respond(error.occurrence, error.headers)


def _domain_error(error: DomainError) -> Response:
    return problems.respond(problems.occurrence_of(error))


def _http_error(error: HTTPException) -> Any:
    if isinstance(error, MethodNotAllowed) and not _path_exists(error):
        error = NotFound()
    if error.code is None or error.code < 400 or error.response is not None:
        return error
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return problems.respond(problems.Occurrence(problems.for_status(error.code)), headers)


def _path_exists(error: MethodNotAllowed) -> bool:
    """Whether the path is one for another method: a number too large in it is none for any."""
    adapter = request_ctx.url_adapter
    if adapter is None:
        return True
    for method in error.valid_methods or ():
        try:
            adapter.match(method=method)
        except RequestRedirect:
            return True
        except HTTPException:
            continue
        return True
    return False
