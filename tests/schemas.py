"""The published schemas, as the code has them. `PYTHONPATH=shared python -m tests.schemas` writes them anew."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from facturacion import mensaje
from facturacion.events import SOURCE, TIPOS, Detalle, estados_of

CARPETA = Path(__file__).parents[1] / "events" / "schemas"


def evento(tipo: str) -> dict[str, Any]:
    """The JSON Schema of an event as a consumer gets it from EventBridge; only what is ours of the envelope."""
    detail = TypeAdapter(Detalle).json_schema(mode="serialization")
    causa = detail.pop("$defs")["Causa"]
    told = dict(re.findall(r"^    ([a-z_, ]+): (.+)$", Detalle.__doc__ or "", re.MULTILINE))
    notes = {name.strip(): text for names, text in told.items() for name in names.split(",")}
    properties: dict[str, Any] = {}
    for name, schema in detail["properties"].items():
        # What does not apply is left out of an event, never null.
        (kind,) = (k for k in schema.get("anyOf", [schema]) if k.get("type") != "null")
        properties[name] = {k: v for k, v in kind.items() if k not in {"title", "default"}}
        if name in notes:
            properties[name]["description"] = notes[name]
    properties["estado"] = {"enum": [str(estado) for estado in estados_of(tipo)], "description": notes["estado"]}
    properties["causas"]["items"] = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in causa["properties"]},
        "required": causa["required"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": tipo,
        "type": "object",
        "properties": {
            "source": {"const": SOURCE},
            "detail-type": {"const": tipo},
            "detail": {
                "type": "object",
                "properties": properties,
                "required": detail["required"],
            },
        },
        "required": ["source", "detail-type", "detail"],
    }


ESQUEMAS = {
    "mensaje.schema.json": mensaje.esquema,
    **{f"{tipo}.schema.json": partial(evento, tipo) for tipo in TIPOS},
}
"""File in `events/schemas` → what generates it."""


def written(nombre: str) -> str:
    return json.dumps(ESQUEMAS[nombre](), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    CARPETA.mkdir(parents=True, exist_ok=True)
    for nombre in ESQUEMAS:
        (CARPETA / nombre).write_text(written(nombre), encoding="utf-8")
        print(CARPETA / nombre)
