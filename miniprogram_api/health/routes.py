"""/healthz, /readyz and /metrics, for load balancers and Prometheus."""

from __future__ import annotations

from typing import Any, Final

from flask import Response
from marshmallow import fields
from sqlalchemy import Engine

from backend.kernel import database, jobs_upkeep, migrations
from miniprogram_api import audit_metrics, message_metrics, metrics, queue_metrics
from miniprogram_api.access import access
from miniprogram_api.openapi import Blueprint
from miniprogram_api.problems import refuse
from miniprogram_api.schemas import AnswerSchema

health = Blueprint("health", __name__, title="运行状况", prefix="")


class StatusSchema(AnswerSchema):
    """The process's own word."""

    status = fields.Constant("ok", metadata={"type": "string", "enum": ["ok"]})


STATUS: Final = StatusSchema()
TEXT: Final = {"type": "string"}


@health.route("/healthz", summary="进程是否在运行")
@access("public")
@health.response(200, STATUS, description="在运行")
def alive() -> dict[str, Any]:
    """Answers as long as the process does."""
    return {}


@health.route(
    "/readyz",
    summary="是否可以办理业务",
    description="数据库可用、已迁移到最新版本，且能交办后台任务。",
)
@access("public")
@health.response(200, STATUS, description="可以办理业务")
@health.refuses(503)
def ready() -> dict[str, Any]:
    """Whether the database answers, stands at the newest migration and takes jobs; 503 says which
    is not so.
    """
    engine = _engine()
    if engine is None or not database.ping(engine):
        raise refuse(503, "数据库连接不上：请检查数据库是否在运行、DATABASE_URL 是否正确。")
    if not migrations.migrated(engine):
        raise refuse(503, "数据库尚未迁移到最新版本：请先运行迁移，再重试。")
    if not jobs_upkeep.usable(engine):
        raise refuse(
            503, "后台任务队列不可用：请检查数据库角色 shukun_app 的权限（shukun db roles）。"
        )
    return {}


@health.route("/metrics", summary="Prometheus 指标")
@access("public")
@health.response(200, TEXT, content_type="text/plain", description="各工作进程合计的指标")
def measured() -> Response:
    """Metrics over all workers; of the queues, the audit and the messages as they are now."""
    engine = _engine()
    text = metrics.exposition() + queue_metrics.exposition(engine)
    text += audit_metrics.exposition(engine) + message_metrics.exposition(engine)
    return Response(text, content_type=metrics.CONTENT_TYPE)


def _engine() -> Engine | None:
    try:
        return database.engine()
    except database.EngineNotBound:
        return None
