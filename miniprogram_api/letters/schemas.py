"""Letters as they are signed and answered."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import fields

from backend.letters.content import SIZES
from backend.letters.handwriting import Drawing, Point
from backend.letters.moves import STATES
from backend.letters.reading import Checked, Shown
from backend.letters.signing import Environment, Reading, Signing
from miniprogram_api.fields import Bool, Code, Day, Int, Text
from miniprogram_api.matching.schemas import count
from miniprogram_api.policies.parts import texts, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema

STEPS: Final = {"opened": "打开了页面", "end": "看到了最后"}
DRAWN_BY: Final = {"applicant": "申请人本人", "proxy": "代办的人"}
SIZE_NAMES: Final = dict(zip(SIZES, ("一般字号", "大字"), strict=True))
_PARTS: Final = (3, 4)
_HASH: Final[dict[str, Any]] = {
    "shortest": 64, "longest": 64, "pattern": "^[0-9a-f]*$", "required": True, "example": "0" * 64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """Where the reader is. `reading`: how it is read."""

    step: str
    reading: Reading


class ReadingStepSchema(StrictSchema):
    step = Code("到了哪里：先 opened，看到最后再 end", STEPS, required=True)
    read_aloud = Bool("是否由程序念", load_default=False)
    elder_mode = Bool("是否用长辈版", load_default=False)

    def make(self, taken: dict[str, Any]) -> Step:
        """The step."""
        return Step(taken.pop("step"), Reading(**taken))


class LetterSignatureSchema(StrictSchema):
    png = Text("签名图：PNG，base64，原图不超过 256 KB", longest=350_000, required=True)
    strokes = Text(
        "笔画：每点写作 x,y,毫秒,压力（0 至 1000，没有的不写），点之间用空格，笔画之间用分号",
        longest=240_000, pattern=r"^[0-9,; ]*$", required=True,
        example="50,200,0,500 60,196,30,500;300,60,900",
    )  # fmt: skip
    width = Int("画布宽，像素", least=1, most=10_000, required=True)
    height = Int("画布高，像素", least=1, most=10_000, required=True)
    attempts = Int("第几次写成的，擦掉的也算", least=1, most=99, load_default=1)
    shown_sha256 = Text("给签名人看的文书的 sha256", **_HASH)
    nonce = Text("答复里的 nonce", **_HASH)
    drawn_by = Code("谁写的", DRAWN_BY, load_default="applicant")
    wechat = Text("微信的版本", shortest=0, longest=20, load_default="")
    device = Text("手机型号", shortest=0, longest=60, load_default="")

    def make(self, taken: dict[str, Any]) -> Signing:
        """The signature; from where it comes the route adds."""
        drawing = Drawing(
            _bytes(taken["png"]), _strokes(taken["strokes"]), taken["width"], taken["height"],
            taken["attempts"],
        )  # fmt: skip
        environment = Environment(wechat=taken["wechat"], device=taken["device"])
        return Signing(
            drawing, taken["shown_sha256"], taken["nonce"], taken["drawn_by"], environment
        )


class LetterPdfQuerySchema(StrictSchema):
    size = Code(
        "要一份没有印章的阅读本，用什么字号；不写的，为文书本身", SIZE_NAMES, load_default=None
    )


class LetterSchema(AnswerSchema):
    id = count("文书的编号", attribute="letter.id")
    application = count("申请的编号", attribute="letter.application_id")
    template = words("哪一种文书", attribute="letter.template")
    name = words("文书的名称")
    state = Code("到了哪一步", STATES, required=True, attribute="letter.state")
    code = words("印在文书上的编号，验真用", attribute="letter.code")
    day = Day("出具的日期", required=True, attribute="letter.day")
    size = Code("文书的字号", SIZE_NAMES, required=True, attribute="letter.size")
    sha256 = words("文书（PDF）的 sha256，签名前给人看，签名时送回")
    nonce = words("签名时送回")
    least_seconds = count("从打开到签名，至少多少秒")
    text = words("全文，一行一段")
    aloud = texts("念的时候一句一句念这些")


class LetterCheckedSchema(AnswerSchema):
    code = words("编号")
    name = words("文书的名称")
    version = count("第几版")
    state = Code("到了哪一步", STATES, required=True)
    day = Day("出具的日期", required=True)
    document = words("签名前原文的 sha256，前 16 位")
    sealed = words("盖章以后文件的 sha256，前 16 位；还没有盖章的为空")
    superseded = fields.Boolean(required=True, metadata={"description": "是否已由新签的一份代替"})


STEP: Final = ReadingStepSchema()
SIGNATURE: Final = LetterSignatureSchema()
PDF_QUERY: Final = LetterPdfQuerySchema()
LETTER: Final = LetterSchema()
CHECKED: Final = LetterCheckedSchema()


def shown(found: Shown) -> dict[str, Any]:
    """The answer about a letter."""
    letter = found.letter
    hashes = {"sha256": letter.document_sha256.hex(), "nonce": letter.nonce.hex()}
    plain = {name: getattr(found, name) for name in Shown.__slots__} | hashes
    dumped: dict[str, Any] = LETTER.dump(plain)
    return dumped


def checked(found: Checked) -> dict[str, Any]:
    """The answer about a code."""
    dumped: dict[str, Any] = CHECKED.dump(found)
    return dumped


def _bytes(text: str) -> bytes:
    """Nothing where it is no base64: nothing is no picture."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _strokes(text: str) -> tuple[tuple[Point, ...], ...]:
    """None where they are not written as they should be: without strokes there is no signature."""
    try:
        return tuple(
            tuple(_point(point) for point in stroke.split())
            for stroke in text.split(";")
            if stroke.split()
        )
    except ValueError:
        return ()


def _point(text: str) -> Point:
    numbers = [int(one) for one in text.split(",")]
    if len(numbers) not in _PARTS or any(one > 10_000_000 for one in numbers):
        raise ValueError(text)
    return Point(*numbers)
