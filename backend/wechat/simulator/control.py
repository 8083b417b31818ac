"""控制端口 (control): `/__sim/…`, where a tester is the phone, the operator and the bad luck."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from backend.wechat.simulator import control_platform, control_users
from backend.wechat.simulator.api import Reply
from backend.wechat.simulator.control_shapes import Asked, Refused
from backend.wechat.simulator.push_engine import PushEngine
from backend.wechat.simulator.state import NotThere, World
from backend.wechat.simulator.wire import Answer, Request, as_json

PREFIX: Final = "/__sim"


@dataclass(frozen=True)
class _Line:
    method: str
    pattern: re.Pattern[str]
    deed: Callable[[Asked], Any]


_TABLE: Final = tuple(
    _Line(method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", PREFIX + path)), deed)
    for module in (control_platform, control_users)
    for method, path, deed in module.ROUTES
)


class Control:
    """The control port's side of a world."""

    def __init__(self, world: World, engine: PushEngine) -> None:
        self._world: Final = world
        self._engine: Final = engine

    def answer(self, request: Request) -> Reply:
        """Answer a request: 200 with a result, 400 with a reason, 404."""
        for line in _TABLE:
            found = line.pattern.fullmatch(request.path)
            if found is not None and line.method == request.method:
                asked = Asked(self._world, self._engine, request, found.groupdict())
                return Reply(self._done(line, asked), None)
        return Reply(as_json({"error": f"no {request.method} {request.path}"}, 404), None)

    def _done(self, line: _Line, asked: Asked) -> Answer:
        try:
            result = line.deed(asked)
        except NotThere as error:
            return as_json({"error": f"there is no {error.args[0]}"}, 404)
        except (msgspec.DecodeError, Refused) as error:
            return as_json({"error": str(error)}, 400)
        with self._world.lock:
            return as_json(result)
