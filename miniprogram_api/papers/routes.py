"""/api/v1/applications/{application}/papers, /api/v1/papers: papers handed in, and looked at."""

from __future__ import annotations

from typing import Final

from flask import Response, current_app, jsonify

from backend.applications.for_papers import UnknownPaperKind, check_paper_kind
from backend.kernel import keys
from backend.papers.handing_in import (
    NoCaseForPapers,
    PaperKeyUsed,
    PaperNotWhole,
    PapersClosed,
    PaperTooLarge,
    Piece,
    PieceDiffers,
    PieceWrong,
    TooManyPapers,
    begin_paper,
    finish_paper,
    put_piece,
    remove_paper,
)
from backend.papers.keeping import read_content
from backend.papers.papers import PIECE_BYTES, UnknownPaper, show_paper
from backend.papers.store import store
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.openapi import Blueprint
from miniprogram_api.papers.schemas import NEW_PAPER, PAPER, Announced, shown
from miniprogram_api.parsing import read_bytes
from miniprogram_api.rulebook import rules

papers = Blueprint("papers", __name__, title="申请材料")

HAND_IN: Final = ("family_doctor", "village_coordinator", "cadre")
"""Of staff those who help, where they were asked to; who decides looks only."""
LOOK: Final = (*HAND_IN, "township_reviewer", "county_officer", "city_officer")
ONE: Final = f"/papers/<int(max={LARGEST_ID}):paper>"
PATH: Final = {"paper": "材料的编号"}
BINARY: Final = {"type": "string", "format": "binary"}


@papers.route(
    f"/applications/<int(max={LARGEST_ID}):application>/papers",
    methods=("POST",),
    summary="开始上传一份材料",
    description="先说明文件有多大、SHA-256 是多少；答复说明分成几块。提交以前、补正期间可以上传。",
    path={"application": "申请的编号"},
)
@access("either", roles=HAND_IN, level=2)
@papers.arguments(NEW_PAPER)
@papers.response(201, PAPER, description="已开始，接着传各块；同一个 key 重发的，为原来那份")
@papers.refuses(
    NoCaseForPapers, UnknownPaperKind, PapersClosed, TooManyPapers, PaperTooLarge, PaperKeyUsed
)
def begin(told: Announced, application: int) -> tuple[Response, int]:
    """One paper a key."""
    most = current_app.config["MAX_PAPER_BYTES"]
    with acting_transaction() as session:
        check_paper_kind(session, rules().book, application, told.kind)
        found = begin_paper(session, actor(), told.of(application), most)
    return jsonify(shown(found)), 201


@papers.route(
    f"{ONE}/pieces/<int(max=999):number>",
    methods=("PUT",),
    summary="传一块",
    description="次序不限，断了可以重传；同一块传两次算一次。",
    path=PATH | {"number": "第几块，从 1 起"},
)
@access("either", roles=HAND_IN, level=2)
@papers.takes_bytes
@papers.response(200, PAPER, description="已收到这一块")
@papers.refuses(UnknownPaper, PapersClosed, PieceWrong, PieceDiffers)
def put(paper: int, number: int) -> Response:
    """The body is the piece."""
    piece = Piece(paper, number, read_bytes(PIECE_BYTES))
    with acting_transaction() as session:
        found = put_piece(session, keys.keyring(), actor(), piece)
    return jsonify(shown(found))


@papers.route(
    f"{ONE}/finish",
    methods=("POST",),
    summary="各块都传完了",
    description="核对整个文件的 SHA-256，然后检查；几秒后再查询这份材料，看收下了没有。",
    path=PATH,
)
@access("either", roles=HAND_IN, level=2)
@papers.response(202, PAPER, description="已收齐，正在检查")
@papers.refuses(UnknownPaper, PapersClosed, PaperNotWhole)
def finish(paper: int) -> tuple[Response, int]:
    """The cleaner looks at it afterwards."""
    with acting_transaction() as session:
        found = finish_paper(session, keys.keyring(), actor(), paper)
    return jsonify(shown(found)), 202


@papers.route(ONE, summary="一份材料到了哪一步", description="查看会记入审计。", path=PATH)
@access("either", roles=LOOK, level=2)
@papers.response(200, PAPER, description="材料")
@papers.refuses(UnknownPaper)
def show(paper: int) -> Response:
    """Also why it was refused."""
    with acting_transaction() as session:
        found = show_paper(session, actor(), paper)
    return jsonify(shown(found))


@papers.route(
    f"{ONE}/content",
    summary="一份材料的内容",
    description="JPEG 或 PDF，是重新画过的，不含拍摄地点等信息。查看会记入审计。",
    path=PATH,
)
@access("either", roles=LOOK, level=2)
@papers.response(200, BINARY, description="文件", content_type="application/octet-stream")
@papers.refuses(UnknownPaper)
def show_content(paper: int) -> Response:
    """As a file to be saved: nothing of it is shown as a page of ours."""
    with acting_transaction() as session:
        found = read_content(session, keys.keyring(), store(), actor(), paper)
    answer = Response(found.data, mimetype=found.media)
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    return answer


@papers.route(ONE, methods=("DELETE",), summary="删除一份材料", path=PATH)
@access("either", roles=HAND_IN, level=2)
@papers.response(204, description="已删除")
@papers.refuses(UnknownPaper, PapersClosed)
def remove(paper: int) -> tuple[str, int]:
    """While the case is the applicant's."""
    with acting_transaction() as session:
        remove_paper(session, actor(), paper)
    return "", 204
