"""The published schemas, as the code has them. `PYTHONPATH=shared python -m tests.schemas` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path

from facturacion import mensaje

CARPETA = Path(__file__).parents[1] / "events" / "schemas"
ESQUEMAS = {"mensaje.schema.json": mensaje.esquema}
"""File in `events/schemas` → what generates it."""


def written(nombre: str) -> str:
    return json.dumps(ESQUEMAS[nombre](), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    CARPETA.mkdir(parents=True, exist_ok=True)
    for nombre in ESQUEMAS:
        (CARPETA / nombre).write_text(written(nombre), encoding="utf-8")
        print(CARPETA / nombre)
