"""The published schemas of the events: what is told satisfies them, and what they promise is there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import jsonschema
import pytest
from tests.schemas import CARPETA, ESQUEMAS

from facturacion.asiento import Asiento, Causa, Datos
from facturacion.estado import Estado
from facturacion.events import SOURCE, event_for, tipo_for

FULL = Asiento(
    cuenta="sucursal-centro",
    external_reference="VTA-1",
    estado=Estado.ENVIADO,
    version=3,
    datos=Datos("h", "FACTURA A", date(2026, 11, 22), date(2026, 12, 22), Decimal("121.00")),
    lote_id="L",
    causas=(Causa("AFIP-10016", "", "El número o fecha no es el próximo."),),
    reemplaza="VTA-0",
    cae="75123456789012",
    numero=7,
    cae_vencimiento=date(2026, 12, 2),
    pdf="sucursal-centro/VTA-1.pdf",
)
BARE = Asiento(cuenta="c", external_reference="r", estado=Estado.ENVIADO, version=1, datos=Datos("h"), sin_validez=True)


def published(tipo):
    return json.loads((CARPETA / f"{tipo}.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("asiento", [FULL, BARE], ids=["full", "bare"])
@pytest.mark.parametrize("estado", [e for e in Estado if tipo_for(e)])
def test_every_event_satisfies_its_published_schema(estado, asiento):
    evento = event_for(replace(asiento, estado=estado))
    as_received = {"source": SOURCE, "detail-type": evento.tipo, "detail": json.loads(json.dumps(evento.detail))}
    schema = published(evento.tipo)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(as_received, schema)


def test_a_schema_knows_every_field_that_an_event_can_have():
    evento = event_for(replace(FULL, estado=Estado.EMITIDO, sin_validez=True), [Causa("c", "", "t")] * 60)
    assert set(evento.detail) <= set(published(evento.tipo)["properties"]["detail"]["properties"])
    assert "causas_total" in evento.detail


@pytest.mark.parametrize("nombre", sorted(ESQUEMAS))
def test_every_schema_is_published_and_none_is_left_over(nombre):
    assert {p.name for p in CARPETA.iterdir()} == set(ESQUEMAS)
    assert (CARPETA / nombre).is_file()


def test_an_event_of_another_state_is_not_of_this_kind():
    evento = event_for(replace(FULL, estado=Estado.RECHAZADO))
    wrong = {"source": SOURCE, "detail-type": "ComprobanteEmitido", "detail": evento.detail}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, published("ComprobanteEmitido"))
