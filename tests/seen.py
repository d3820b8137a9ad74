"""A widget's HTML as a browser would see it: which elements, which text, and what each button would ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

VOID = {"br", "input"}


@dataclass(frozen=True, slots=True)
class Button:
    """`params`: what a click calls the function with."""

    label: str
    params: dict[str, Any]
    endpoint: str
    confirmation: str | None

    @property
    def consola(self) -> dict[str, Any]:
        return self.params["consola"]


def a_row(**more: Any) -> dict[str, Any]:
    """Of `listar`: a comprobante that waits for a person."""
    return {
        "cuenta": "norte",
        "external_reference": "A-1",
        "estado": "EN_REVISION",
        "desde": "2026-03-02T12:00:00.000Z",
        "tipo": "FACTURA B",
        "fecha": "2026-03-02",
        "total": "139.00",
        "horas": 30,
        "causas": [{"codigo": "AFIP-99731", "mensaje": "Un texto que nadie vio."}],
        "de_otro_sistema": False,
        "decision": None,
        "espera": None,
        "hasta": None,
        **more,
    }


class Seen(HTMLParser):
    """`tags`: each element with its attributes. `text`: what is read; an action's JSON and the style are not."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.buttons: list[Button] = []
        self.odd: list[str] = []
        self._open: list[str] = []
        self._last = ""
        self._inside = ""
        self._action: dict[str, str | None] = {}
        self.feed(html)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def names(self) -> set[str]:
        return {tag for tag, _ in self.tags}

    def button(self, label: str, **about: Any) -> Button:
        """The only one of this label (and about this)."""
        found = [b for b in self.buttons if b.label == label and all(b.consola.get(k) == v for k, v in about.items())]
        assert len(found) == 1, (label, about, [b.label for b in self.buttons])
        return found[0]

    def fields(self) -> dict[str, str]:
        return {a["name"]: a.get("value") or "" for tag, a in self.tags if tag == "input" and a["name"]}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = ""
        if tag == "cwdb-action":
            self._action = dict(attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"{tag} closes nothing"
        if tag == "a":
            self._last = self._inside
        if tag == "cwdb-action":
            of = self._action
            self.buttons.append(
                Button(self._last, json.loads(self._inside), of["endpoint"] or "", of.get("confirmation"))
            )

    def handle_data(self, data: str) -> None:
        self._inside += data
        if not {"style", "cwdb-action"} & set(self._open):
            self.pieces.append(data)

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def handle_decl(self, decl: str) -> None:
        self.odd.append(decl)

    def handle_pi(self, data: str) -> None:
        self.odd.append(data)
