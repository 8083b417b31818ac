"""待办页 (work pages): what lies in the own list, and whom one item is about, for staff."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template

from backend.accounts.own_work import own_item, own_work
from backend.kernel import keys
from backend.worklist.items import UnknownItem
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.worklist.routes import ONE, WHO_WORKS
from miniprogram_api.worklist.schemas import KIND_NAMES

work_page = Blueprint("work_page", __name__)

MOST: Final = 200


@work_page.get("/work")
@access("staff", roles=WHO_WORKS)
def show_list() -> str:
    """Those due first in front; nobody is named."""
    with acting_transaction() as session:
        found = own_work(session, actor(), MOST)
    return render_template("work.html", items=found, kinds=KIND_NAMES, most=MOST)


@work_page.get(ONE)
@access("staff", roles=WHO_WORKS)
def show(item: int) -> str:
    """One item, and whom it is about: the look is written down."""
    with acting_transaction() as session:
        found, whom = own_item(session, keys.keyring(), actor(), item)
    return render_template("work_item.html", item=found, whom=whom, kinds=KIND_NAMES)


@work_page.errorhandler(UnknownItem)
def missing(_error: Exception) -> tuple[str, int]:
    """Where to go on."""
    return render_template("work_missing.html"), 404
