"""The website with a fault built in, for the control of the test of revocation."""

from __future__ import annotations

from flask import Flask, g

from backend.accounts.scope import Actor
from miniprogram_api import access, credentials, serving

_KNOWN: dict[str, Actor] = {}


def application() -> Flask:
    """Each process remembers whom it let in once."""
    ask = access.signed_in

    def remembered() -> Actor | None:
        token = credentials.sent_token() or ""
        if token not in _KNOWN and (found := ask()) is not None:
            _KNOWN[token] = found
        g.actor, g.token = _KNOWN.get(token), token
        return _KNOWN.get(token)

    access.signed_in = remembered
    return serving.application()
