"""A page as a person's browser reads it: its parts, links, forms, and what belongs to what."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

VOID = {"meta", "link", "input", "br", "hr", "img"}


@dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        parts = (one if isinstance(one, str) else one.text for one in self.children)
        return " ".join("".join(parts).split())

    def __getitem__(self, name: str) -> str:
        return self.attrs[name]

    def get(self, name: str, otherwise: str = "") -> str:
        return self.attrs.get(name, otherwise)

    def all(self, tag: str | None = None, **attrs: str) -> list[Element]:
        """Every element below, in order; `class_` stands for one of the classes."""
        found: list[Element] = []
        for child in self.children:
            if isinstance(child, Element):
                if tag in (None, child.tag) and child.has(attrs):
                    found.append(child)
                found += child.all(tag, **attrs)
        return found

    def one(self, tag: str | None = None, **attrs: str) -> Element:
        found = self.all(tag, **attrs)
        assert len(found) == 1, f"{len(found)} × {tag} {attrs}"
        return found[0]

    def has(self, attrs: dict[str, str]) -> bool:
        wanted = dict(attrs)
        kind = wanted.pop("class_", None)
        if kind is not None and kind not in self.get("class").split():
            return False
        return all(self.attrs.get(name) == value for name, value in wanted.items())

    def within(self, tag: str) -> Element | None:
        above = self.parent
        while above is not None and above.tag != tag:
            above = above.parent
        return above


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.open = Element("root", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.open)
        self.open.children.append(element)
        if tag not in VOID:
            self.open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.children.append(Element(tag, dict(attrs), self.open))  # type: ignore[arg-type]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.tag == tag, f"</{tag}> closes <{self.open.tag}>"
        assert self.open.parent is not None
        self.open = self.open.parent

    def handle_data(self, data: str) -> None:
        self.open.children.append(data)


def read(text: str) -> Element:
    """The whole page; every element must be closed."""
    builder = _Builder()
    builder.feed(text)
    assert builder.open is builder.root, f"<{builder.open.tag}> stays open"
    return builder.root


def filled(form: Element) -> list[tuple[str, str]]:
    """What the form would send as it stands, without its buttons."""
    sent = []
    for one in form.all("input"):
        chosen = one.get("type") not in ("checkbox", "radio") or "checked" in one.attrs
        if one.get("name") and chosen:
            sent.append((one["name"], one.get("value")))
    return sent


def label_of(page: Element, control: Element) -> str:
    """The words of the label, or nothing."""
    return " ".join(one.text for one in page.all("label", **{"for": control.get("id")}))


def query(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query))
