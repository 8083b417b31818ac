"""微信客户端 (client): wechatpy's client, made fit for a service that many people lean on.

As it comes it asks for tokens without a lock, tries again without end, waits for ever, follows
proxies and redirects, and shows secrets in its errors. Here every call goes out by one adapter,
within a time, is tried again by the table of `retrying`, and ends in one of our errors.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

from requests import RequestException, Response
from requests.exceptions import ConnectTimeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from backend.kernel.clock import now
from backend.kernel.database import in_transaction
from backend.kernel.settings_wechat import OFFICIAL, WeChatSettings
from backend.wechat.adapter import PinnedAdapter
from backend.wechat.errors import WeChatBusy, WeChatUnavailable
from backend.wechat.retrying import (
    READ,
    SEND,
    TOKEN,
    USED_UP_TODAY,
    Course,
    Manner,
    Trouble,
    failure,
    seconds_to_midnight,
    trouble_of,
)
from backend.wechat.token import Keeper, Token, TokenStore

log = logging.getLogger(__name__)
# Their lines hold addresses, and with them secrets.
logging.getLogger("urllib3").setLevel(logging.ERROR)
logging.getLogger("wechatpy").setLevel(logging.ERROR)

Timeout = tuple[float, float]
"""Seconds to connect, and for the whole answer."""
USUAL: Final[Timeout] = (3, 8)
LOGIN: Final[Timeout] = (3, 5)
FOR_TOKEN: Final[Timeout] = (2, 4)
"""With one more try it ends before the lease does."""
LONGEST_TOKEN: Final = 2048
_IMAGES: Final = (b"\x89PNG", b"\xff\xd8\xff")
_FIELD: Final = re.compile(r"\bdata\.([a-z_]{1,20}\d{1,3})\b", re.ASCII)


class CallInTransaction(RuntimeError):
    """A network call inside a transaction: WeChat's troubles would hold locks and connections."""


class MiniProgram(WeChatClient):
    """One mini-program at WeChat. Safe for threads; made before a fork, used after it."""

    def __init__(self, chosen: WeChatSettings, store: TokenStore, timeout: Timeout = USUAL) -> None:
        super().__init__(chosen.appid, chosen.secret, timeout=timeout, auto_retry=False)
        self._keeper = Keeper(store, self._asked_token)
        self._closed: dict[str, float] = {}  # each process asks once a day in vain
        self._http.trust_env = False  # neither proxies nor passwords of the environment
        self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self._http.mount(scheme, PinnedAdapter(chosen.base))

    def close(self) -> None:
        """Let go of the connections; the next call makes new ones."""
        self._http.close()

    def ask(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str | None] | None = None,
        manner: Manner = READ,
        timeout: Timeout | None = None,
    ) -> dict[str, Any]:
        """WeChat's answer to a call: GET without a body, else POST. Raises `WeChatError`."""
        options: dict[str, Any] = {"params": dict(query or {}), "manner": manner}
        if body is not None:
            options["data"] = dict(body)
        if timeout is not None:
            options["timeout"] = timeout
        method = "get" if body is None else "post"
        found: dict[str, Any] = self._request(method, f"{OFFICIAL}/{path}", **options)
        return found

    def image(self, path: str, body: Mapping[str, Any]) -> bytes:
        """The image that WeChat draws. Raises `WeChatError`."""
        found: bytes = self._request(
            "post", f"{OFFICIAL}/{path}", data=dict(body), image=True, manner=READ
        )
        return found

    def upload(self, path: str, image: bytes) -> dict[str, Any]:
        """WeChat's answer to a PNG image: bytes, so that a second try sends it whole."""
        files = {"media": ("image.png", image, "image/png")}
        options: dict[str, Any] = {"params": {"type": "image"}, "manner": READ}
        found: dict[str, Any] = self._request("post", f"{OFFICIAL}/{path}", files=files, **options)
        return found

    @property
    def access_token(self) -> str:
        """wechatpy's name for the token of now."""
        return self._keeper.token()

    def fetch_access_token(self) -> dict[str, Any]:
        """wechatpy's name for asking WeChat: the stable token, in its normal mode."""
        known = {"appid": self.appid, "secret": self.secret}
        asked = {"grant_type": "client_credential", **known, "force_refresh": False}
        query = {"access_token": None}
        return self.ask("cgi-bin/stable_token", asked, query=query, manner=TOKEN, timeout=FOR_TOKEN)

    def _asked_token(self) -> Token:
        began = time.monotonic()
        said = self.fetch_access_token()
        value, seconds = said.get("access_token"), said.get("expires_in")
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TOKEN:
            raise WeChatUnavailable
        if not isinstance(seconds, int) or seconds <= 0:
            raise WeChatUnavailable
        return Token(value, began + seconds)

    def _request(self, method: str, url_or_endpoint: str, **options: Any) -> Any:
        """wechatpy's one way to the wire."""
        if in_transaction():
            raise CallInTransaction
        path = _path(url_or_endpoint)
        self._check_open(path)
        manner: Manner = options.pop("manner", SEND)
        course = Course(manner)
        while True:
            token = self._token(options)
            found = self._tried(method, url_or_endpoint, options, token)
            if not isinstance(found, Trouble):
                return found
            if token is not None and course.renews(found):
                self._keeper.renew(token)
            elif not course.goes_on(found):
                self._note(path, found)
                raise failure(found, manner, now())

    def _token(self, options: Mapping[str, Any]) -> str | None:
        """None for calls that say they need none."""
        return None if "access_token" in options.get("params", ()) else self._keeper.token()

    def _tried(
        self, method: str, url: str, options: Mapping[str, Any], token: str | None
    ) -> dict[str, Any] | bytes | Trouble:
        """One try. The errors of the libraries hold secrets: they end here."""
        sent = {**options, "allow_redirects": False}
        wants_image = sent.pop("image", False)
        sent["params"] = {**options.get("params", {}), "access_token": token}
        try:
            found = super()._request(method, url, **sent)
        except WeChatClientException as error:
            return _refusal(error)
        except RequestException as error:
            return Trouble("unreached" if _never_sent(error) else "unclear")
        except (HTTPError, ValueError, TypeError):
            return Trouble("unclear")
        return _as_expected(found, wants_image)

    def _check_open(self, path: str) -> None:
        left = self._closed.get(path, 0) - time.monotonic()
        if left > 0:
            raise WeChatBusy(left, USED_UP_TODAY)

    def _note(self, path: str, trouble: Trouble) -> None:
        seen = {"path": path, "meaning": trouble.meaning, "errcode": trouble.errcode}
        if trouble.meaning == "closed":
            self._closed[path] = time.monotonic() + seconds_to_midnight(now())
        loud = trouble.meaning in ("closed", "ours", "token")
        log.log(logging.ERROR if loud else logging.WARNING, "wechat call failed", extra=seen)


def _path(url: str) -> str:
    return url.removeprefix(OFFICIAL).lstrip("/").partition("?")[0]


def _refusal(error: WeChatClientException) -> Trouble:
    if error.errcode is None:
        return Trouble("failed")
    named = _FIELD.search(str(error.errmsg))
    return trouble_of(int(error.errcode), named and named[1])


def _never_sent(error: RequestException) -> bool:
    """Whether no connection came about."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    return isinstance(error, ConnectTimeout) or isinstance(
        reason, NewConnectionError | ConnectTimeoutError
    )


def _as_expected(found: Any, wants_image: bool) -> dict[str, Any] | bytes | Trouble:
    """wechatpy returns whatever is not JSON as the response itself: a proxy's page, too."""
    if wants_image:
        drawn = isinstance(found, Response) and found.content.startswith(_IMAGES)
        return found.content if drawn else Trouble("unclear")
    return found if isinstance(found, dict) else Trouble("unclear")
