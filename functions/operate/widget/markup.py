"""HTML that cannot be broken out of: a text becomes markup here and nowhere else, escaped. Pure.

CloudWatch runs no script of a widget, and takes out what it knows to be dangerous (its user guide, «Security and
JavaScript for custom widgets»). We do not lean on that: what others wrote is shown as the text that it is.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_VOID = frozenset({"br", "input"})


class Html(str):
    """Markup that is safe as it stands."""

    __slots__ = ()


Node: TypeAlias = "str | int | Iterable[Node] | None"
"""What may stand inside an element: Html as it is, a text escaped, None not at all, many one after the other."""


def el(tag: str, *children: Node, **attributes: str | int | None) -> Html:
    """`el("td", "a < b", class_="n")`. Names of tags and attributes are ours, never somebody's text.

    An attribute that is None is left out; a final `_` of its name is dropped, another one is a hyphen.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_escaped(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{written}>" if tag in _VOID else f"<{tag}{written}>{join(*children)}</{tag}>")


def join(*children: Node) -> Html:
    return Html("".join(_rendered(child) for child in children))


def foreign(text: object) -> Html:
    """What others wrote: on its own, so that no direction mark in it reorders what stands around it."""
    return el("bdi", str(text))


def action(params: Mapping[str, Any], endpoint: str, confirmation: str | None = None) -> Html:
    """What a click on the element just before it does: call the function with `params`; its answer replaces the widget.

    CloudWatch does not say whether it reads the JSON from the parsed element or from its source. This one has no
    character that HTML would write in another way, so both are the same.
    """
    text = json.dumps(params).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    attributes = {"action": "call", "display": "widget", "event": "click"}
    return el("cwdb-action", Html(text), **attributes, endpoint=endpoint, confirmation=confirmation)


def cut(text: object, longest: int) -> str:
    """At most so many characters."""
    whole = str(text)
    return whole if len(whole) <= longest else whole[: longest - 1] + "…"


def _rendered(child: Node) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str | int):
        return _escaped(child)
    return "".join(_rendered(each) for each in child)


def _escaped(value: str | int) -> str:
    return escape(_CONTROL.sub(" ", str(value)))
