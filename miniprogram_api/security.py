"""安全响应头 (security): what browsers are told about every answer; a view may say otherwise."""

from __future__ import annotations

from typing import Final

from flask import Response, request

MACHINE: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
PAGE: Final = (
    *MACHINE[:2],
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
    ),
    *MACHINE[3:],
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
TRANSPORT: Final = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


def protect(answer: Response) -> None:
    """Add what the answer does not say itself. HSTS only over https, where it means something."""
    headers = answer.headers
    said = {name.lower() for name, _ in headers}
    for name, value in PAGE if answer.mimetype == "text/html" else MACHINE:
        if name.lower() not in said:
            headers.add(name, value)
    if request.is_secure:
        headers.add(*TRANSPORT)
