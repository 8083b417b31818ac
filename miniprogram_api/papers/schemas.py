"""Papers as they are announced and answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import fields

from backend.papers.handing_in import NewPaper
from backend.papers.papers import PIECE_BYTES, Paper
from backend.papers.reasons import REASONS
from backend.papers.tables import STATES
from miniprogram_api.fields import LARGEST_ID, Code, Int, Text
from miniprogram_api.matching.schemas import count
from miniprogram_api.policies.parts import perhaps, words
from miniprogram_api.schemas import AnswerSchema, StrictSchema

MOST_BYTES: Final = 20 * 1024 * 1024
"""That any deployment may take; `Settings.max_paper_bytes` is less."""


@dataclass(frozen=True, slots=True)
class Announced:
    """A file, before it is known for which case."""

    kind: str
    size: int
    sha256: bytes
    key: str

    def of(self, application: int) -> NewPaper:
        """For this case."""
        return NewPaper(application, self.kind, self.size, self.sha256, self.key)


class NewPaperSchema(StrictSchema):
    kind = Text(
        "哪一种材料：办理程序里的代码", longest=40, pattern="^[a-z][a-z0-9_]*$", required=True,
        example="diagnosis_certificate",
    )  # fmt: skip
    size = Int("整个文件多少字节", least=1, most=MOST_BYTES, required=True, example=812345)
    sha256 = Text(
        "整个文件的 SHA-256，64 个小写十六进制数字", shortest=64, longest=64,
        pattern="^[0-9a-f]*$", required=True, example="0" * 64,
    )  # fmt: skip
    key = Text(
        "这份材料的编号，由小程序随机生成；没有收到答复的，用同一个重发",
        shortest=16, longest=64, pattern="^[0-9A-Za-z_-]*$", required=True,
        example="8b1d0e6c5b2f4d0d",
    )  # fmt: skip

    def make(self, taken: dict[str, Any]) -> Announced:
        """The file."""
        return Announced(**taken | {"sha256": bytes.fromhex(taken["sha256"])})


class PaperSchema(AnswerSchema):
    id = count("材料的编号")
    application = Int(
        "申请的编号", least=1, most=LARGEST_ID, required=True, attribute="application_id"
    )
    kind = words("哪一种材料")
    state = Code("到了哪一步", STATES, required=True)
    size = count("文件多少字节")
    pieces = count("分成几块上传，从第 1 块起")
    piece_bytes = count("除最后一块外，每块多少字节")
    missing = fields.List(
        fields.Integer(), required=True, metadata={"description": "还没有收到的块的编号"}
    )
    media = words("收下以后是什么文件：image/jpeg 或 application/pdf；还没有收下的为空")
    pages = count("收下以后有几页")
    refused_why = perhaps("为什么退回、该怎么办；没有退回的为 null")


NEW_PAPER: Final = NewPaperSchema()
PAPER: Final = PaperSchema()


def shown(paper: Paper) -> dict[str, Any]:
    """The answer about a paper."""
    plain = {name: getattr(paper, name) for name in Paper.__slots__}
    why = REASONS.get(paper.refused_why)
    dumped: dict[str, Any] = PAPER.dump(plain | {"piece_bytes": PIECE_BYTES, "refused_why": why})
    return dumped
