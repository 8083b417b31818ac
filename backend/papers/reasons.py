"""退回的原因 (reasons): why a file is not taken, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MOST_PAGES: Final = 30
"""Of one PDF."""
REASONS: Final[Mapping[str, str]] = {
    "empty": "文件是空的：请重新选一张照片或一个文件。",
    "not_a_paper": "这种文件不能用：请直接拍照，或上传 JPG、PNG 图片或 PDF 文件。",
    "not_an_office_file": "压缩包和 Word、Excel 文件不能用：请直接拍照，或另存为 PDF 再上传。",
    "unreadable": "文件打不开，可能已经损坏：请重新拍照，或换一个文件上传。",
    "locked": "PDF 加了密码或限制，打不开：请去掉密码再上传，或把每一页拍成照片。",
    "too_many_pages": f"PDF 的页数太多：请分成几个文件上传，每个不超过 {MOST_PAGES} 页。",
    "too_large": "照片的尺寸太大：请用手机的普通模式重新拍照。",
    "too_small": "照片太小，看不清：请靠近一些，重新拍照。",
    "too_heavy": "文件太复杂，处理不了：请把每一页拍成照片上传。",
}
"""Reason → what the person is told."""


class NotTaken(Exception):
    """A file is not taken. `reason`: a code of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
