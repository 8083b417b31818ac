"""/api/v1/letters, /api/v1/letter-checks: letters read, signed and fetched; codes checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Response, jsonify, request

from backend.accounts.staff_tables import DECIDERS, VISITORS
from backend.kernel import keys
from backend.kernel.database import transaction
from backend.letters.content import Size
from backend.letters.handwriting import SignatureWrong
from backend.letters.letters import (
    LetterDeedImpossible,
    LetterMoved,
    UnknownLetter,
    UnknownLetterCode,
    letter_seen,
)
from backend.letters.presenting import refuse_letter
from backend.letters.reading import check_code, copy_of, file_of, show_letter
from backend.letters.rendering import LetterUnprintable, render
from backend.letters.signing import (
    Environment,
    LetterOutdated,
    LetterUnread,
    Signing,
    finish_reading,
    open_letter,
    sign_letter,
)
from miniprogram_api import credentials
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.letters.schemas import (
    CHECKED,
    LETTER,
    PDF_QUERY,
    SIGNATURE,
    STEP,
    Step,
    checked,
    shown,
)
from miniprogram_api.openapi import Blueprint

letters = Blueprint("letters", __name__, title="承诺书")

ONE: Final = f"/letters/<int(max={LARGEST_ID}):letter>"
PATH: Final = {"letter": "文书的编号"}
APPLICANTS: Final = access("either", roles=VISITORS, level=2)
"""Residents known by name, and staff who visit, for those who delegated it to them."""
READERS: Final = access("either", roles=(*VISITORS, *DECIDERS), level=2)
BINARY: Final = {"type": "string", "format": "binary"}
_LONGEST: Final = 200


@letters.route(
    ONE,
    summary="一份文书：全文、朗读的文字、sha256",
    description="签名前须给签名人看 sha256；签名时送回 sha256 和 nonce。查看会记入审计。",
    path=PATH,
)
@READERS
@letters.response(200, LETTER, description="文书")
@letters.refuses(UnknownLetter)
def read_letter(letter: int) -> Response:
    """To be read on the screen."""
    return _answer(letter)


@letters.route(
    f"{ONE}/pdf",
    summary="文书的 PDF",
    description="盖过章的，为盖章以后的文件，本人一方取到的算已领取；查看会记入审计。",
    path=PATH,
)
@READERS
@letters.arguments(PDF_QUERY, location="query")
@letters.response(200, BINARY, description="PDF", content_type="application/pdf")
@letters.refuses(UnknownLetter, LetterUnprintable, LetterMoved)
def fetch_letter(asked: dict[str, Size | None], letter: int) -> Response:
    """The letter itself, or a copy for reading."""
    size = asked["size"]
    if size is None:
        with acting_transaction() as session:
            pdf = file_of(session, keys.keyring(), actor(), letter)
    else:
        with acting_transaction() as session:
            drawn_from = copy_of(session, keys.keyring(), actor(), letter, size)
        pdf = render(*drawn_from).pdf
    answer = Response(pdf, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="letter-{letter}.pdf"'
    return answer


@letters.route(
    f"{ONE}/opened",
    methods=("POST",),
    summary="告知打开了文书，或者看到了最后",
    description="时间以服务器收到时为准；没有看到最后、看得太快的，不能签名。",
    path=PATH,
)
@APPLICANTS
@letters.arguments(STEP)
@letters.response(200, LETTER, description="文书")
@letters.refuses(UnknownLetter, LetterUnread, LetterDeedImpossible, LetterMoved)
def note_reading(told: Step, letter: int) -> Response:
    """Opened, then read to the end."""
    deed = open_letter if told.step == "opened" else finish_reading
    with acting_transaction() as session:
        deed(session, actor(), letter_seen(session, letter), told.reading)
    return _answer(letter)


@letters.route(
    f"{ONE}/signature",
    methods=("POST",),
    summary="手写签名",
    description="没有收到答复的，原样重发，只算一次。签名以后由后台盖章，几秒后再取 PDF。",
    path=PATH,
)
@APPLICANTS
@letters.arguments(SIGNATURE)
@letters.response(200, LETTER, description="已签名")
@letters.refuses(
    UnknownLetter, SignatureWrong, LetterOutdated, LetterUnread, LetterDeedImpossible, LetterMoved
)
def sign_by_hand(told: Signing, letter: int) -> Response:
    """By hand, after reading."""
    came_from = Environment(
        credentials.address(), (request.user_agent.string or "")[:_LONGEST],
        told.environment.wechat, told.environment.device,
    )  # fmt: skip
    with acting_transaction() as session:
        found = letter_seen(session, letter)
        sign_letter(session, keys.keyring(), actor(), found, replace(told, environment=came_from))
    return _answer(letter)


@letters.route(
    f"{ONE}/refusal",
    methods=("POST",),
    summary="本人不签",
    description="可以到柜台签纸质的。以后想签的，从申请里重新出一份。",
    path=PATH,
)
@APPLICANTS
@letters.response(204, description="已记下")
@letters.refuses(UnknownLetter, LetterDeedImpossible, LetterMoved)
def refuse_to_sign(letter: int) -> tuple[str, int]:
    """It stays unsigned."""
    with acting_transaction() as session:
        refuse_letter(session, actor(), letter_seen(session, letter))
    return "", 204


@letters.route(
    "/letter-checks/<string(length=16):code>",
    summary="按编号核对一份文书",
    description="不必登录；只说有没有这份文书、到了哪一步，不含任何个人信息。",
    path={"code": "印在文书上的编号，16 位"},
)
@access("public")
@letters.response(200, CHECKED, description="有这份文书")
@letters.refuses(UnknownLetterCode)
def check_letter(code: str) -> Response:
    """Nothing of the person."""
    with transaction() as session:
        return jsonify(checked(check_code(session, code)))


def _answer(letter: int) -> Response:
    with acting_transaction() as session:
        found = show_letter(session, keys.keyring(), actor(), letter)
    return jsonify(shown(found))
