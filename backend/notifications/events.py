"""事件 (events): which event is told to whom, by which text and by which ways."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from backend.kernel.yaml_file import YamlFile

Channel: TypeAlias = Literal["subscribe", "sms", "task"]
"""WeChat's subscribe message, a text message, or a coordinator who tells the person."""
Told: TypeAlias = Literal["person", "guardian", "family", "delegate", "former"]
"""Whose account. `former`: the person's until staff replaced it, some hours ago at most."""
FILE: Final = Path(__file__).with_name("events.yaml")


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of news. `audience`, `channels`: in the order in which they are tried."""

    name: str
    template: str
    audience: tuple[Told, ...]
    channels: tuple[Channel, ...]
    urgent: bool = False
    visited: bool = False

    def after(self, channel: Channel) -> Channel | None:
        """The channel that follows; None: there is none."""
        later = self.channels[self.channels.index(channel) + 1 :]
        return later[0] if later else None


EVENTS: Final[Mapping[str, Event]] = YamlFile(FILE, "events.yaml").convert(dict[str, Event])
"""By name: `notice_due.kind`, `message.event`."""
