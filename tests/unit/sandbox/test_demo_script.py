"""What the demo sends is what it says it sends: each message meets the rules, or breaks just the one it is to break."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sandbox.cuentas import make_cuentas
from tests.sandbox.demo import bodies
from tests.sandbox.demo.balance import Fin
from tests.sandbox.demo.script import COUNT, COUNT_MIN, Role, write_script
from tests.sandbox.simulator.plan import OUTCOMES, CuentaSim, Plan
from tests.sandbox.simulator.rules import faults

from facturacion.mensaje import Ininteligible, Mensaje, leer
from tusfacturas.models import ComprobanteListo, Reglas, preparar

TODAY = date(2026, 11, 22)
CUENTAS = make_cuentas()
PUNTOS = {cuenta.alias: cuenta.punto_venta for cuenta in CUENTAS}


def script(seed=1, count=COUNT):
    return write_script(CUENTAS, seed=seed, count=count, today=TODAY)


def prepared(envio):
    mensaje = leer(envio.body, cuenta_por_defecto=None)
    assert isinstance(mensaje, Mensaje), mensaje
    assert (mensaje.cuenta, mensaje.external_reference) == (envio.cuenta, envio.reference)
    reglas = Reglas(punto_venta=PUNTOS[envio.cuenta], permite_fce=False, tolerancia_total=Decimal("0.01"))
    return preparar(mensaje.cliente, mensaje.comprobante, reglas)


def at_the_door(envio):
    sim = CuentaSim(envio.cuenta, "1", "2", "3", PUNTOS[envio.cuenta], None)
    return faults(json.loads(json.dumps(prepared(envio).peticion, default=str)), sim, Plan())


def test_the_same_seed_writes_the_same_script():
    assert script(7) == script(7)
    assert [envio.body for envio in script(7).envios] != [envio.body for envio in script(8).envios]


@given(st.integers(COUNT_MIN, 500), st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_there_are_as_many_messages_as_asked_for_and_every_act_has_some(count, seed):
    written = script(seed, count)
    assert len(written.envios) == count
    assert all(act.envios for act in written.acts)
    assert all(act.outcome in {*OUTCOMES, "whole refusal"} for act in written.acts)


def test_too_few_messages_have_no_room_for_every_trouble():
    with pytest.raises(ValueError, match=str(COUNT_MIN)):
        script(count=COUNT_MIN - 1)


def test_what_is_to_be_issued_meets_the_rules_here_and_at_the_providers_door():
    written = script()
    sent = [e for e in written.envios if e.role in {Role.COMPROBANTE, Role.CORRECTION}]
    issued = [e for e in sent if written.expected[e.cuenta, e.reference].fin is not Fin.RECHAZADO_AQUI]
    good = [e for e in issued if isinstance(prepared(e), ComprobanteListo)]
    assert {e.reference for e in issued} == {e.reference for e in good}  # some only in their correction
    for envio in good:
        expected = written.expected[envio.cuenta, envio.reference]
        refused = "SIM:RECHAZAR" in envio.body
        assert bool(at_the_door(envio)) == refused
        if not expected.corrected:
            assert refused == (expected.fin is Fin.RECHAZADO_ALLA)
            assert prepared(envio).total == expected.total
    assert len({prepared(envio).tipo for envio in good}) >= 8


def test_what_we_refuse_is_refused_for_the_one_reason_it_is_to_show():
    written = script()
    wrong = [e for e in written.envios if e.reference.startswith("MAL") and e.role is Role.COMPROBANTE]
    codes = {e.reference: {falla.codigo for falla in prepared(e)} for e in wrong}
    assert codes == {e.reference: {written.expected[e.cuenta, e.reference].codigo} for e in wrong}
    assert len(wrong) == 6


def test_what_nobody_can_read_is_unreadable_for_the_reason_it_is_to_show():
    unreadable = [e for e in script().envios if e.role is Role.UNREADABLE]
    known = set(PUNTOS)
    for envio in unreadable:
        read = leer(envio.body, cuenta_por_defecto=None)
        if envio.codigo == "cuenta_desconocida":
            assert read.cuenta not in known
        else:
            assert isinstance(read, Ininteligible) and read.codigo == envio.codigo
    assert len({e.codigo for e in unreadable}) == 9


def test_a_repeat_is_the_same_message_and_a_conflict_another_content():
    written = script()
    first = {}
    for envio in written.envios:
        if envio.role is Role.COMPROBANTE:
            first.setdefault((envio.cuenta, envio.reference), envio)
    hashes = {key: leer(envio.body, cuenta_por_defecto=None).hash for key, envio in first.items()}
    for envio in written.envios:
        same = envio.role in {Role.REPEAT, Role.COMPROBANTE}
        if envio.role is not Role.UNREADABLE:
            found = leer(envio.body, cuenta_por_defecto=None).hash
            assert (found == hashes[envio.cuenta, envio.reference]) == same
    roles = Counter(envio.role for envio in written.envios)
    assert roles[Role.CONFLICT] == roles[Role.CORRECTION] == 2 and roles[Role.REPEAT] >= 12


def test_every_comprobante_is_sent_once_and_has_an_end():
    written = script()
    sent = Counter((e.cuenta, e.reference) for e in written.envios if e.role is Role.COMPROBANTE)
    assert set(sent) == set(written.expected) and set(sent.values()) == {1}
    assert {expected.fin for expected in written.expected.values()} == set(Fin) - {Fin.DOS_VECES}


def test_some_messages_carry_the_credentials_of_their_cuenta():
    """Else the search for secrets at the end would prove nothing: readable ones, and ones that nobody can read."""
    carrying = [e for e in script().envios if CUENTAS[0].apitoken in e.body]
    assert {e.role for e in carrying} >= {Role.COMPROBANTE, Role.UNREADABLE}
    assert any(e.codigo == "json_invalido" for e in carrying)


def test_a_note_for_a_period_names_it_and_a_total_is_the_providers_sum():
    body = bodies.comprobante("nd_c", "R-1", punto_venta=10, today=TODAY, rng=random.Random(3))
    asked = body["comprobante"]
    assert asked["tipo"] == "NOTA DE DEBITO C"
    assert asked["comprobantes_asociados_periodo"]["fecha_hasta"] == bodies.text_of(TODAY)
    assert asked["comprobantes_asociados_periodo"]["fecha_desde"] == bodies.text_of(TODAY - timedelta(days=30))
    lines = sum(Decimal(str(r["cantidad"] * r["producto"]["precio_unitario_sin_iva"])) for r in asked["detalle"])
    assert abs(Decimal(str(bodies.total_of(asked))) - lines) < Decimal("0.02")
