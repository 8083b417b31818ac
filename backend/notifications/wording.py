"""措辞 (wording): what a message says by each way, in normal and in elder wording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from backend.kernel.yaml_file import YamlFile
from backend.notifications.events import EVENTS
from backend.notifications.fields import day_text

Mode: TypeAlias = Literal["normal", "elder"]
FILE: Final = Path(__file__).with_name("templates.yaml")


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message in the inbox."""

    title: str
    text: str


class Inbox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in both wordings."""

    normal: Shown
    elder: Shown


class OnWeChat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`title`: of the template at WeChat; `fields`: its names of the fields → texts."""

    title: str
    fields: Mapping[str, str]


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said by each way; with `{day}` and `{serial}` in it."""

    wechat: OnWeChat
    inbox: Inbox
    sms: str
    tell: str


TEMPLATES: Final[Mapping[str, Template]] = YamlFile(FILE, "templates.yaml").convert(
    dict[str, Template]
)


@dataclass(frozen=True, slots=True)
class Said:
    """What makes a text whole: which event, on which day, under which number."""

    event: str
    day: date
    serial: int

    @property
    def template(self) -> Template:
        """Of its event."""
        return TEMPLATES[EVENTS[self.event].template]

    def fill(self, text: str) -> str:
        """The text with its day and number."""
        return text.format(day=day_text(self.day), serial=self.serial)


def on_wechat(said: Said) -> Mapping[str, str]:
    """The texts by WeChat's names of the fields, not cut yet."""
    return {name: said.fill(text) for name, text in said.template.wechat.fields.items()}


def as_sms(said: Said) -> str:
    """The text message."""
    return said.fill(said.template.sms)


def to_tell(said: Said) -> str:
    """What a coordinator is asked to tell."""
    return said.fill(said.template.tell)


def in_inbox(said: Said, mode: Mode) -> Shown:
    """The message as the mini-program shows it."""
    inbox = said.template.inbox
    found = inbox.elder if mode == "elder" else inbox.normal
    return Shown(said.fill(found.title), said.fill(found.text))


def titles() -> frozenset[str]:
    """The titles of all templates that must be set up at WeChat."""
    return frozenset(one.wechat.title for one in TEMPLATES.values())
