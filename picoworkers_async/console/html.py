"""HTML as values: elements hold elements and texts, and `render` is the only place that writes any of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

_EMPTY = frozenset({"input", "link", "meta"})
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


@attrs.frozen
class Element:
    """An element. An attribute that is True has no value; one that is False or None is left out."""

    tag: str
    attributes: dict[str, str | bool | None]
    children: tuple[Node, ...]


Node = Element | str


def element(tag: str, *children: Node, **attributes: str | bool | None) -> Element:
    """An element; `_` in an attribute's name is `-`, one at its end is dropped: `class_`, `aria_label`."""
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return Element(tag, named, children)


def page(*children: Node) -> bytes:
    """A whole document, in UTF-8. A lone half of a surrogate pair becomes a question mark."""
    text = "<!doctype html>\n" + render(element("html", *children, lang="en"))
    return text.encode("utf-8", "replace")


def render(node: Node) -> str:
    """The HTML of a node. Every text and every value of an attribute is escaped."""
    return "".join(_parts(node))


def _parts(node: Node) -> Iterator[str]:
    if isinstance(node, str):
        yield _escaped(node)
        return
    yield f"<{node.tag}{''.join(_attributes(node.attributes.items()))}>"
    if node.tag not in _EMPTY:
        for child in node.children:
            yield from _parts(child)
        yield f"</{node.tag}>"


def _attributes(pairs: Iterable[tuple[str, str | bool | None]]) -> Iterator[str]:
    for name, value in pairs:
        if value is True:
            yield f" {name}"
        elif isinstance(value, str):
            yield f' {name}="{_escaped(value)}"'


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
