"""异议表单 (objection form): what somebody typed against an entry of a list, and what is wrong with
it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Mapping
from typing import Final

from backend.public_notices.objections import Objecting
from miniprogram_api.pages.sheet import Sheet

MOST_WORDS: Final = 1000
MOST_CONTACT: Final = 100
LABELS: Final = {"entry": "对哪一条", "words": "哪里不对、为什么", "contact": "怎样找到您"}
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_ENTRY: Final = re.compile(r"[0-9]{1,18}", re.ASCII).fullmatch
_KEY: Final = re.compile(r"[0-9a-f]{32}", re.ASCII).fullmatch


class ObjectionSheet(Sheet):
    """The form as it was sent. `page`: drawn when the form was shown, so that sending the same once
    more, as by the button pressed twice, is one objection and what was changed is another.
    """

    def __init__(self, typed: Mapping[str, str] | None = None) -> None:
        super().__init__()
        said = typed or {}
        words = said.get("words", "").replace("\r\n", "\n").replace("\r", "\n")
        self.entry = said.get("entry", "").strip()
        self.words = _CONTROL.sub(" ", words).strip()
        self.contact = _CONTROL.sub(" ", said.get("contact", "")).replace("\n", " ").strip()
        key = said.get("key", "")
        self.page = key if _KEY(key) else secrets.token_hex(16)

    def objecting(self, notice: int, entries: Collection[int]) -> Objecting | None:
        """What is objected to a list with these entries; None where something is wrong, which is
        then on the sheet.
        """
        entry = int(self.entry) if _ENTRY(self.entry) else 0
        self._check(entry, entries)
        if self.faults:
            return None
        return Objecting(notice, entry, self._key(), self.words, self.contact)

    def _check(self, entry: int, entries: Collection[int]) -> None:
        if not entry:
            self.fault("entry", "请选名单里的一条。")
        elif entry not in entries:
            self.fault("entry", "这一条已经不在名单里：请重新选，或者看看是不是选错了。")
        if not self.words:
            self.fault("words", "请写哪里不对、为什么。")
        elif len(self.words) > MOST_WORDS:
            self.fault("words", f"最多 {MOST_WORDS} 个字，现在有 {len(self.words)} 个：请写短些。")
        if len(self.contact) > MOST_CONTACT:
            self.fault("contact", f"最多 {MOST_CONTACT} 个字：请只写电话，或者别的联系方式。")

    def _key(self) -> str:
        said = "\0".join((self.page, self.entry, self.words, self.contact))
        return hashlib.sha256(said.encode()).hexdigest()
