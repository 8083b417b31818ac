"""图形 (svg): elements of SVG pictures. Lengths are tenths of a pixel in integers, so that the same
picture is always the same text. Nothing comes from elsewhere: no script, font or style sheet.
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement

INK: Final = "#1A1A1A"
PAPER: Final = "#FFFFFF"
FONT: Final = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Noto Sans SC, sans-serif"


def picture(name: str, size: tuple[int, int], title: str, description: str) -> Element:
    """An empty sheet with what a screen reader says of it; `name` begins every id in it."""
    width, height = map(px, size)
    root = Element("svg", {
        "xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width} {height}",
        "width": width, "height": height, "role": "img", "lang": "zh-CN",
        "aria-labelledby": f"{name}-title {name}-desc", "font-family": FONT, "fill": INK,
    })  # fmt: skip
    SubElement(root, "title", {"id": f"{name}-title"}).text = title
    SubElement(root, "desc", {"id": f"{name}-desc"}).text = description
    return root


def pattern(defs: Element, name: str, ground: str, path: dict[str, str]) -> None:
    """A fill to be named as `url(#name)`: a path over the ground, on squares of 12 pixels."""
    found = SubElement(
        defs,
        "pattern",
        {"id": name, "width": "12", "height": "12", "patternUnits": "userSpaceOnUse"},
    )
    SubElement(found, "rect", {"width": "12", "height": "12", "fill": ground})
    SubElement(found, "path", path)


def px(tenths: int) -> str:
    """A length in pixels."""
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else str(whole)


def text(root: Element, words: str, x: int, y: int, *, size: int = 14, **look: str) -> None:
    """`look`: anchor, weight, fill, and halo, the width of a white edge around the letters."""
    attributes = {"x": px(x), "y": px(y), "font-size": str(size)}
    names = {"anchor": "text-anchor", "weight": "font-weight", "halo": "stroke-width"}
    attributes |= {names.get(name, name): value for name, value in look.items()}
    if "halo" in look:
        attributes |= {"stroke": PAPER, "paint-order": "stroke", "stroke-linejoin": "round"}
    SubElement(root, "text", attributes).text = words


def line(
    root: Element, start: tuple[int, int], end: tuple[int, int], colour: str, *style: str
) -> None:
    """`style`: the width, then the dashes."""
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    attributes = {name: px(value) for name, value in ends.items()} | {"stroke": colour}
    names = ("stroke-width", "stroke-dasharray")
    SubElement(root, "line", attributes | dict(zip(names, style, strict=False)))


def box(root: Element, at: tuple[int, int], size: tuple[int, int], fill: str, **more: str) -> None:
    """A rectangle; `more`: stroke and the like, `_` for `-`."""
    lengths = dict(zip(("x", "y", "width", "height"), map(px, (*at, *size)), strict=True))
    look = {name.replace("_", "-"): value for name, value in more.items()}
    SubElement(root, "rect", lengths | {"fill": fill} | look)


def dot(root: Element, centre: tuple[int, int], radius: int) -> None:
    """A filled circle."""
    x, y = centre
    SubElement(root, "circle", {"cx": px(x), "cy": px(y), "r": px(radius), "fill": INK})
