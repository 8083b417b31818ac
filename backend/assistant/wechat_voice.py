"""经微信说 (the voice): says things in the chat through WeChat's customer-service messages."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

from backend.wechat import connection
from backend.wechat.calls import Card, send_card, send_text, upload_image
from backend.wechat.errors import WeChatRefused

_PICTURE: Final = Path(__file__).parent / "card.png"
PICTURE_GONE: Final = 40007
KEPT_SECONDS: Final = 60 * 60 * 60.0
"""WeChat keeps a picture for three days: this is twelve hours less."""


class WeChatVoice:
    """`Speak` by the mini-program of this process. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._picture: tuple[str, float] | None = None

    def text(self, openid: str, text: str) -> None:
        """As `Speak` says."""
        send_text(connection.mini_program(), openid, text)

    def card(self, openid: str, title: str, path: str) -> None:
        """As `Speak` says; the picture is uploaded anew when WeChat has dropped the last one."""
        try:
            self._send(openid, title, path)
        except WeChatRefused as error:
            if error.errcode != PICTURE_GONE:
                raise
            self._picture = None
            self._send(openid, title, path)

    def _send(self, openid: str, title: str, path: str) -> None:
        send_card(connection.mini_program(), openid, Card(title, path, self._uploaded()))

    def _uploaded(self) -> str:
        with self._lock:
            if self._picture is None or time.monotonic() - self._picture[1] > KEPT_SECONDS:
                found = upload_image(connection.mini_program(), _PICTURE.read_bytes())
                self._picture = (found, time.monotonic())
            return self._picture[0]
