"""表单 (sheet): what a person typed on a form, kept as it is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final, TypeVar

from werkzeug.datastructures import MultiDict

from miniprogram_api.pages.typed import Unreadable

T = TypeVar("T")

LONGEST: Final = 40
"""Characters of a field that are read; no honest figure is longer."""


class Sheet:
    """The fields by name. `faults`: field → what to do, the first of each field, in form order."""

    def __init__(self, typed: MultiDict[str, str] | None = None) -> None:
        self._typed: MultiDict[str, str] = typed if typed is not None else MultiDict()
        self.faults: dict[str, str] = {}

    def text(self, name: str) -> str:
        """What was typed, empty where nothing was."""
        return self._typed.get(name, "").strip()[:LONGEST]

    def has(self, name: str, value: str = "1") -> bool:
        """Whether the box or button of this value was chosen."""
        return value in self._typed.getlist(name)

    def every(self) -> Iterator[tuple[str, str]]:
        """All that was typed, to be sent once more."""
        return ((name, text[:LONGEST]) for name, text in self._typed.items(multi=True))

    def fault(self, name: str, detail: str) -> None:
        """Note what is wrong with a field; the first word on it stands."""
        self.faults.setdefault(name, detail)

    def read(self, name: str, reader: Callable[[str], T], missing: str | None = None) -> T | None:
        """The value typed; None where there is none, a fault if `missing` says what to do."""
        text = self.text(name)
        if not text:
            if missing is not None:
                self.fault(name, missing)
            return None
        try:
            return reader(text)
        except Unreadable as error:
            self.fault(name, str(error))
            return None

    def chosen(self, name: str, codes: Collection[str], missing: str) -> str | None:
        """The one chosen of several; a fault where it is none of them."""
        text = self.text(name)
        if text in codes:
            return text
        self.fault(name, missing)
        return None
