"""消息推送 (push engine): brings each push to the app's server, in three attempts at most."""

from __future__ import annotations

import http.client
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from backend.wechat.simulator.faults import PUSH, Met, Rule
from backend.wechat.simulator.push_cipher import signature
from backend.wechat.simulator.push_format import Push, Stamp, accepted, push
from backend.wechat.simulator.state import App, PushTarget, World

SENDERS: Final = 8
KEPT: Final = 100_000
LARGEST_REPLY: Final = 1_000_000


@dataclass
class Attempt:
    """`error`: why it counts as failed, None when it was received. `ms`: how long it took."""

    at: float
    query: dict[str, str]
    body: str
    ms: int = 0
    status: int | None = None
    reply: str = ""
    error: str | None = None
    fault: str | None = None


@dataclass
class Delivery:
    """A push and its attempts. `state`: waiting, received or given up."""

    appid: str
    openid: str
    message: dict[str, Any]
    state: str = "waiting"
    attempts: list[Attempt] = field(default_factory=list)


class PushEngine:
    """Takes what is outgoing and brings it to the servers. `stopping` cuts waits short."""

    def __init__(self, world: World, stopping: threading.Event) -> None:
        self.deliveries: Final[deque[Delivery]] = deque(maxlen=KEPT)
        self._world: Final = world
        self._stopping: Final = stopping
        self._ended: Final = threading.Condition()
        self._count = 0

    @contextmanager
    def running(self) -> Iterator[PushEngine]:
        """Deliver for the length of the block; what is on its way then is lost."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            for _ in threads:
                self._world.outgoing.put(None)
            for thread in threads:
                thread.join(1)

    def check(self, target: PushTarget) -> str | None:
        """The check of the URL that the console does: None when right, else what is wrong."""
        with self._world.lock:
            at, nonce = str(int(self._world.now())), str(self._nonce())
            echo = str(int.from_bytes(self._world.made_bytes("echo", 8), "big"))
        query = {"signature": signature(target.token, at, nonce), "timestamp": at}
        query |= {"nonce": nonce, "echostr": echo}
        try:
            status, body = _asked(target, "GET", Push(query, b"", ""))
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        if 200 <= status < 300 and body == echo.encode():
            return None
        return f"status {status}, {len(body)} bytes that are not the echostr"

    def _work(self) -> None:
        while (outgoing := self._world.outgoing.get()) is not None:
            with self._world.lock:
                if outgoing.age != self._world.age:
                    continue
                app = self._world.app(outgoing.appid)
                delivery = Delivery(app.appid, outgoing.openid, outgoing.message)
                self.deliveries.append(delivery)
                target = app.push
            if target is not None:
                self._deliver(app, target, delivery, outgoing.age)

    def _deliver(self, app: App, target: PushTarget, delivery: Delivery, age: int) -> None:
        for number in range(target.attempts):
            if number and self._stopping.wait(target.pause):
                return
            if age != self._world.age:
                return
            if self._tried(app, target, delivery):
                delivery.state = "received"
                break
        else:
            delivery.state = "given up"
        with self._ended:
            self._count += 1
            self._ended.notify_all()

    def _tried(self, app: App, target: PushTarget, delivery: Delivery) -> bool:
        """One attempt, and what a fault adds to it; whether it was received."""
        rule = self._met(delivery)
        self._hold(rule)
        made = self._made(app, target, delivery.message, rule)
        received = self._sent(app, target, delivery, made, rule)
        if received and rule is not None and rule.action == "duplicate":
            again = self._made(app, target, delivery.message, None)
            self._sent(app, target, delivery, again, rule)
        if received and rule is not None and rule.action == "replay":
            self._stopping.wait(rule.ms / 1000)
            self._sent(app, target, delivery, made, rule)
        return received

    def _met(self, delivery: Delivery) -> Rule | None:
        message = delivery.message
        event = str(message.get("Event", message["MsgType"]))
        with self._world.lock:
            return self._world.faults.meet(Met(PUSH, delivery.appid, delivery.openid, None, event))

    def _hold(self, rule: Rule | None) -> None:
        """delay: by the clock; reorder: until another one has overtaken it, or the time is over."""
        if rule is not None and rule.action == "delay":
            self._stopping.wait(rule.ms / 1000)
        if rule is not None and rule.action == "reorder":
            with self._ended:
                seen = self._count
                self._ended.wait_for(lambda: self._count > seen, rule.ms / 1000)

    def _made(
        self, app: App, target: PushTarget, message: dict[str, Any], rule: Rule | None
    ) -> Push:
        action = rule.action if rule is not None else None
        with self._world.lock:
            skew = rule.seconds if rule is not None and action == "clock_skew" else 0
            prefix = self._world.made("prefix", 16).encode()
            stamp = Stamp(int(self._world.now()) + skew, self._nonce(), prefix)
        if rule is not None and action == "oversize":
            message = {**message, "Padding": "大" * (rule.bytes // 3)}
        appid = "wx" + "0" * 16 if action == "other_appid" else app.appid
        made = push(target, appid, message, stamp)
        if action == "wrong_signature":
            name = "signature" if target.mode == "plain" else "msg_signature"
            made.query[name] = signature(made.query[name])
        return made

    def _nonce(self) -> str:
        return str(int.from_bytes(self._world.made_bytes("nonce", 4), "big"))

    def _sent(
        self, app: App, target: PushTarget, delivery: Delivery, made: Push, rule: Rule | None
    ) -> bool:
        attempt = Attempt(self._world.now(), made.query, made.body.decode())
        attempt.fault = rule.action if rule is not None else None
        delivery.attempts.append(attempt)
        began = time.monotonic()
        try:
            attempt.status, reply = _asked(target, "POST", made)
            attempt.reply = reply.decode("utf-8", "replace")
            attempt.error = accepted(target, app.appid, attempt.status, reply)
        except (OSError, http.client.HTTPException) as error:
            attempt.error = type(error).__name__
        attempt.ms = int((time.monotonic() - began) * 1000)
        return attempt.error is None


def _asked(target: PushTarget, method: str, made: Push) -> tuple[int, bytes]:
    """Status and body, all within the limit. Raises `OSError`, `HTTPException`."""
    deadline = time.monotonic() + target.limit
    url = urlsplit(target.url)
    place = f"{url.path or '/'}?{urlencode(made.query)}"
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=target.limit)
    with closing(connection):
        connection.connect()
        sock = connection.sock
        connection.request(method, place, made.body or None, {"Content-Type": made.content_type})
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
        with connection.getresponse() as response:
            content = b""
            while not response.isclosed() and len(content) < LARGEST_REPLY:
                sock.settimeout(max(deadline - time.monotonic(), 0.001))
                part = response.read1(65536)
                if not part:
                    break
                content += part
            return response.status, content
