"""哪一天 (day asked): the day that a page is about, from its address, as people type it."""

from __future__ import annotations

from datetime import date

from flask import request

from backend.kernel.clock import today
from miniprogram_api.pages import typed
from miniprogram_api.pages.sheet import Sheet


def day_asked() -> tuple[date, Sheet]:
    """The day, today where none is typed or it cannot be read; the sheet says what is wrong."""
    sheet = Sheet(request.args)
    return sheet.read("on", typed.day) or today(), sheet


def status_of(sheet: Sheet) -> int:
    """422 where something typed is wrong."""
    return 422 if sheet.faults else 200
