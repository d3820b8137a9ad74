"""What the door lets in, what it refuses, and how a call can end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.sandbox.simulator.plan import OUTCOMES, Plan
from tests.sandbox.simulator.rules import parse_date, parse_number, recompute_total
from tests.unit.simulator.world import NOON, TODAY, TOMORROW, YESTERDAY, World, cuenta, entrada, example

VECTORS = [vector for vector in example("total-vectors") if vector["reproduced"]]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_total_is_recomputed_as_the_docs_print_it(vector: Any) -> None:
    """§3.4: the formula gives 12 of the 13 printed totals."""
    assert len(VECTORS) == 12
    detalle = [
        {
            "cantidad": item["cantidad"],
            "bonificacion_porcentaje": item["bonificacion_porcentaje"],
            "producto": {k: item[k] for k in ("precio_unitario_sin_iva", "alicuota")},
        }
        for item in vector["items"]
    ]
    comprobante = {
        "tipo": "FACTURA C" if vector["name"] == "factura_c" else "FACTURA A",
        "detalle": detalle,
        "bonificacion": vector["bonificacion"],
        "impuestos_internos": vector["impuestos_internos"],
        "tributos": [{"total": vector["tributos_total"]}],
    }
    assert recompute_total(comprobante) == Decimal(vector["expected_total"])


def test_the_total_discounts_the_first_taxed_group_and_rounds_each_group() -> None:
    """§3.4: IVA is rounded per group, half-even; the bonificacion goes off the first taxed one."""

    def total(*lines: tuple[str, str], bonificacion: str = "0") -> Decimal:
        detalle = [{"cantidad": 1, "producto": {"precio_unitario_sin_iva": p, "alicuota": a}} for p, a in lines]
        return recompute_total({"tipo": "FACTURA A", "detalle": detalle, "bonificacion": bonificacion})

    assert total(("50", "-1"), ("100", "21"), ("40", "0"), bonificacion="10") == Decimal("198.90")
    assert total(("0.50", "21"), ("1.00", "10.5")) == Decimal("1.70"), "0.105 twice, each to 0.10"
    assert total(("50", "-1"), ("40", "-2"), bonificacion="10") == Decimal("80.00")


@pytest.mark.parametrize("name", ["factura_a", "factura_a.rg5329", "factura_a.usd", "factura_b", "factura_b.anonimo"])
@pytest.mark.parametrize("more", ["factura_c", "fce_a", "nc_a.asociados", "nc_fce_a", "nd_a.periodo"])
def test_the_providers_own_comprobantes_are_accepted(name: str, more: str) -> None:
    """§2.1: a lote may mix tipos, as since the first day, and fechas, as since 2022-03-30."""
    world = World()
    answer = world.lote(example(f"comprobante.{name}"), example(f"comprobante.{more}")).json()
    assert answer["error"] == "N", answer


def test_the_seeds_own_lote_is_refused_for_its_numero_alone() -> None:
    """§2.1 [C]: SEED's example has one item with 1 and no vencimiento; numbers and flags come as strings."""
    lote = example("lotes_encola.request.legacy-credentials")["requests"]
    world = World(Plan(exige_vencimiento=False))
    bad = [entry for entry in lote if entry["comprobante"].get("numero")]
    answer = world.lote(*lote).json()
    assert len(world.proveedor.cola.items) == len(lote) - len(bad)
    assert all("numero de comprobante" in entry["errores"][0] for entry in answer["response"] if entry["error"] == "S")


@pytest.mark.parametrize(
    "bad",
    [
        {"numero": 7},
        {"external_reference": "con espacio"},
        {"external_reference": "x" * 256},
        {"external_reference": None},
        {"total": 139.02},
        {"total": 0},
        {"tipo": "FACTURA E"},
        {"tipo": "FACTURA NO VALIDA EN AFIP"},
        {"tipo": "NOTA DE CREDITO B"},
        {"vencimiento": None},
        {"fecha": "2026-11-20"},
        {"fecha": "31/02/2026"},
        {"detalle": []},
        {"detalle": [{"cantidad": 1, "producto": {"descripcion": "sin precio", "alicuota": 21}}]},
        {"tributos": ["nada"]},
        {"operacion": "C"},
        {"punto_venta": 4},
        {"comentario": "SIM:RECHAZAR"},
        {"cliente": {"condicion_iva": "XX"}},
        {"cliente": {"documento_tipo": "CARNET"}},
        {"cliente": {"razon_social": ""}},
        {"cliente": {"documento_nro": "307122938412"}},
    ],
    ids=str,
)
def test_a_bad_request_is_refused_alone(bad: dict[str, Any]) -> None:
    """§2.1, partial: the others are queued, and this one never is."""
    world = World()
    reference = bad.get("external_reference", "mala")
    fields = {k: v for k, v in bad.items() if k != "external_reference"}
    answer = world.lote(entrada("buena"), entrada(reference, **fields)).json()
    assert answer["error"] == "S"
    assert [entry["error"] for entry in answer["response"]] == ["N", "S"]
    assert answer["response"][1]["external_reference"] == (reference or "")
    assert [item.referencia for item in world.proveedor.cola.items] == ["buena"]
    assert world.summary()["rechazados"] == 1


@pytest.mark.parametrize("junk", [None, 3, "texto", [], {}, {"cliente": {}, "comprobante": []}])
def test_a_request_that_is_no_comprobante_is_refused_alone(junk: Any) -> None:
    world = World()
    assert world.lote(junk, entrada("buena")).json()["response"][1]["error"] == "S"
    assert world.summary()["aceptados"] == 1


def test_a_misspelt_marker_is_the_tests_own_error() -> None:
    with pytest.raises(ValueError, match="DTAOS"):
        World().lote(entrada("a", comentario="SIM:ERROR=DTAOS"))


def test_more_than_a_cent_of_difference_is_tolerated_when_told_so() -> None:
    """§3.4 [U]: the tolerance is not known, so it is a setting."""
    world = World(Plan(tolerancia_total=Decimal("0.05")))
    assert world.lote(entrada("a", total=139.05)).json()["error"] == "N"


@pytest.mark.parametrize("form", ["seed", "ilegible"])
def test_a_whole_refusal_in_the_background_is_silent(form: Any) -> None:
    """SEED: such an error is told at once and not by a webhook; after a 524 nobody hears of it."""
    world = World(Plan(forma_rechazo=form, lotes=["524_accepted"]))
    world.lote(entrada("a"), entrada("b", numero=1))
    world.run()
    assert (world.summary()["aceptados"], world.hooks) == (0, [])
    assert world.proveedor.audit()["posts"][0]["rechazo_total"] != []


@pytest.mark.parametrize("form", ["seed", "ilegible"])
def test_the_other_refusals_take_nothing(form: Any) -> None:
    """§2.1: SEED's names the first bad position; the third form names none. No hook tells of either."""
    world = World(Plan(forma_rechazo=form))
    answer = world.lote(entrada("a"), entrada("b", numero=1), entrada("c")).json()
    assert "response" not in answer
    assert ("en el orden 1 " in answer["errores"][0]) is (form == "seed")
    world.run()
    assert (world.summary()["aceptados"], world.hooks) == (0, [])
    assert world.lote(entrada("a"), entrada("c")).json()["error"] == "N"


def test_when_all_are_refused_the_response_may_or_may_not_list_them() -> None:
    """§2.1 [U]."""
    for listed in (True, False):
        answer = World(Plan(rechazados_en_respuesta=listed)).lote(entrada("a", numero=1)).json()
        assert answer["errores"][0].endswith("Se enviaron a procesar: 1 requests y se aceptaron procesar: 0. ")
        assert len(answer["response"]) == listed


def test_an_empty_lote_and_a_pdv_without_webhook_are_refused_whole() -> None:
    """§2.1."""
    world = World(cuentas=[cuenta(), cuenta("muda", webhook_url=None)])
    for answer in (world.lote().json(), world.lote(entrada("a"), alias="muda").json()):
        assert (answer["error"], answer["response"]) == ("S", [])
    assert world.summary()["aceptados"] == 0


def test_the_same_reference_submitted_twice_is_two_comprobantes() -> None:
    """§0.1.3: uniqueness is never checked. That is the danger."""
    world = World()
    for _ in range(2):
        assert world.lote(entrada("a")).json()["error"] == "N"
    world.run()
    summary = world.summary()
    assert summary["accepted_twice"] == summary["issued_twice"] == ["sucursal#a"]
    assert world.ask("a")["total"] == 2
    carried = world.proveedor.audit()["posts_by_reference"]["sucursal#a"]
    assert [post["queued"] for post in carried] == [1, 1]


def test_credentials_decide_which_pdv_is_seen() -> None:
    """§1: operations and queries see only the PDV of the credentials; apikey as a number or a string."""
    world = World(cuentas=[cuenta(), cuenta("otra")])
    world.lote(entrada("a"))
    assert world.ask("a")["total"] == 1
    assert world.ask("a", alias="otra")["total"] == 0
    erase = {"external_reference": "a", "fecha": TODAY}
    assert world.call("facturacion/eliminar_encolado", "otra", **erase).json()["error"] == "S"
    who = world.cuentas[0]
    body = {"apikey": 1134, "apitoken": who.apitoken, "usertoken": who.usertoken}
    assert world.proveedor.handle("micuenta/consumo", body).status == 200
    assert world.proveedor.handle("micuenta/consumo", {**body, "usertoken": "otro"}).status == 401


def test_what_cannot_be_read_is_400_and_an_unknown_method_404() -> None:
    """§1."""
    world = World()
    assert world.proveedor.handle("facturacion/lotes_encola", b"{no es JSON").status == 400
    assert world.proveedor.handle("facturacion/lotes_encola", b"[]").status == 400
    assert world.call("facturacion/inventado").status == 404


def test_the_quota_is_asked_for_the_whole_lote() -> None:
    """§2.1: subscription with quota for the whole lote; lotes count one per comprobante (§1)."""
    world = World(cuentas=[cuenta(cupo=3)])
    assert world.lote(entrada("a"), entrada("b")).json()["error"] == "N"
    refused = world.lote(entrada("c"), entrada("d")).json()
    assert (refused["error"], refused["response"]) == ("S", [])
    assert world.call("micuenta/consumo").json()["comprobantes_disponibles"] == 1
    assert world.call("facturacion/nuevo_encola", **entrada("c")).json()["error"] == "N"
    assert world.call("facturacion/nuevo_encola", **entrada("d")).json()["error"] == "S"
    assert world.call("facturacion/reenviar_encolado", external_reference="a").json()["errores"] == [
        "No se han encontrado comprobantes."
    ], "each method has its own counter"
    assert world.summary()["aceptados"] == 3


def test_the_quota_can_end_at_once() -> None:
    """§1: out of quota every counted call errs; queries go on."""
    world = World(Plan(demora_en_cola=60))
    world.lote(entrada("a"))
    world.plan.update(cupo_agotado=True)
    assert world.lote(entrada("b")).json()["error"] == "S"
    assert world.call("facturacion/eliminar_encolado", external_reference="a", fecha=TODAY).json()["error"] == "S"
    assert world.call("micuenta/consumo").json()["comprobantes_disponibles"] == 0
    assert world.ask("a")["total"] == 1


@pytest.mark.parametrize("name", sorted(OUTCOMES))
def test_every_outcome_does_and_shows_what_its_name_says(name: str) -> None:
    """§2.1: a 524 or a broken connection says nothing of the effect."""
    world = World(Plan(lotes=[name], omitidas=1))
    respuesta = world.lote(entrada("a"), entrada("b"))
    world.run()
    accepted = world.summary()["aceptados"]
    assert accepted == (2 if OUTCOMES[name].trabaja else 0)
    seen = {
        "524": (524, ""), "500": (500, ""), "html_200": (200, ""), "429": (429, ""),
        "reset": (200, "reset"), "cut": (200, "cut"), "hang": (200, "hang"),
    }  # fmt: skip
    status, effect = seen.get(OUTCOMES[name].vista, (200, ""))
    assert (respuesta.status, respuesta.effect) == (status, effect)
    if name == "mention_missing":
        assert len(respuesta.json()["response"]) == 1
    elif name in ("ok", "slow", "hook_first"):
        assert len(respuesta.json()["response"]) == 2
    elif OUTCOMES[name].vista == "html_200":
        assert respuesta.headers["Content-Type"].startswith("text/html") and respuesta.body.startswith(b"<html>")
    assert world.lote(entrada("c")).json()["error"] == "N", "the queue of outcomes is consumed"


def test_a_524_goes_on_in_the_background_and_tells_by_hook() -> None:
    """§2.1: after a 524 the result of each queueing arrives by hook, of the refused ones too; B and D are settings."""
    world = World(Plan(lotes=["524_accepted"], demora_fondo=90, demora_visible=30, demora_en_cola=600))
    world.plan.update(hook_por_rechazado=False)
    assert world.lote(entrada("a"), entrada("b", numero=1)).status == 524
    world.run(89)
    assert (world.summary()["aceptados"], world.hooks) == (0, [])
    world.run(2)
    assert (world.eventos("a"), world.eventos("b")) == (["encolado"], ["error"])
    assert world.status("a") == ""
    world.run(30)
    assert world.status("a").startswith("APROBADO Y EN COLA")
    assert world.status("b") == ""


def test_hooks_can_come_before_the_answer() -> None:
    """§4: no order is guaranteed."""
    world = World(Plan(lotes=["hook_first"], segundos_lenta=2, demora_hook=60))
    respuesta = world.lote(entrada("a"))
    assert respuesta.demora == 2
    world.run(1)
    assert world.eventos("a") == ["encolado"]


def test_a_refused_entry_may_be_told_by_hook_too() -> None:
    """§2.1 [C]: LOTE says not by hook, its own example shows one. Without reference there is none (§2.2)."""
    for told in (True, False):
        world = World(Plan(hook_por_rechazado=told))
        world.lote(entrada("mala", numero=1), entrada("", numero=1))
        world.call("facturacion/nuevo_encola", **entrada("otra", numero=1))
        world.run()
        assert [hook["external_reference"] for hook in world.hooks] == (["mala", "otra"] if told else [])


def test_outages_and_maintenance_take_nothing() -> None:
    """§1: 5xx and no connection at all; maintenance blocks everything until it ends."""
    world = World(Plan(caida="sin_conexion"))
    assert world.lote(entrada("a")).effect == "refuse"
    world.plan.update(caida="503")
    assert world.lote(entrada("a")).status == 503
    world.plan.update(caida="")
    world.proveedor.web_maintenance(60)
    assert world.lote(entrada("a")).json()["mantenimiento"] == 1
    assert world.summary()["aceptados"] == 0
    world.run(61)
    assert world.lote(entrada("a")).json()["error"] == "N"


def test_queries_and_operations_can_fail_too() -> None:
    """An operation's effect may come though its answer was lost."""
    world = World(Plan(consultas=["500", "hang", "524"], operaciones=["hang_accepted", "500_before"]))
    world.plan.update(demora_en_cola=600)
    world.lote(entrada("a"), entrada("b"))
    asked = [world.call("facturacion/numeracion", comprobante={"tipo": "FACTURA B"}) for _ in range(4)]
    assert [(r.status, r.effect) for r in asked] == [(500, ""), (200, "hang"), (524, ""), (200, "")]
    for reference in ("a", "b"):
        world.call("facturacion/eliminar_encolado", external_reference=reference, fecha=TODAY)
    assert (world.status("a"), world.status("b") != "") == ("", True)


def test_a_429_is_answered_over_so_many_calls_a_second() -> None:
    """§1, N25: too many requests per second; per cuenta here."""
    world = World(Plan(maximo_por_segundo=2), cuentas=[cuenta(), cuenta("otra")])
    calls = [world.call("micuenta/consumo").status for _ in range(3)]
    assert (calls, world.call("micuenta/consumo", "otra").status) == ([200, 200, 429], 200)
    world.run(1)
    assert world.call("micuenta/consumo").status == 200


def test_probabilities_are_drawn_from_the_seed() -> None:
    """The same seed gives the same outcomes; the share is near its probability."""

    def outcomes(seed: int) -> list[int]:
        world = World(Plan(lotes_prob={"500_before": 0.3, "429": 0.1}), seed=seed)
        return [world.lote(entrada(f"r{n}")).status for n in range(300)]

    first = outcomes(7)
    assert first == outcomes(7)
    assert first != outcomes(8)
    assert 60 <= first.count(500) <= 120 and 10 <= first.count(429) <= 55


def test_the_plan_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="nada"):
        Plan(lotes=["nada"])
    with pytest.raises(ValueError, match="sum"):
        Plan(hooks_prob={"lost": 0.7, "late": 0.7})
    plan = Plan()
    with pytest.raises(ValueError, match="no_field"):
        plan.update(no_field=1, afip_caida=True)
    with pytest.raises(ValueError, match="zone"):
        plan.update(mantenimiento_hasta=NOON.replace(tzinfo=None))
    assert plan == Plan(), "all or none"


def test_numeric_references_come_back_as_numbers_if_at_all() -> None:
    """§2.1 trap, §6: numbers in answers, leading zeros perhaps lost; hooks show strings."""
    expected = {
        "texto": ["17", "007", "1e5", "a1"],
        "numeros": [17, "007", "1e5", "a1"],
        "json_numeric_check": [17, 7, 100000.0, "a1"],
    }
    for how, references in expected.items():
        world = World(Plan(referencias=how))
        answer = world.lote(*[entrada(reference) for reference in ("17", "007", "1e5", "a1")]).json()
        assert [entry["external_reference"] for entry in answer["response"]] == references
        assert world.ask("007")["comprobantes"][0]["comprobante"]["external_reference"] == references[1]
        world.run()
        assert {hook["external_reference"] for hook in world.hooks} == {"17", "007", "1e5", "a1"}


def test_dates_and_numbers_are_read_as_the_contract_says() -> None:
    """§3: dd/mm/aaaa with two digits, numbers or numeric strings."""
    assert [parse_date(d) is not None for d in (TODAY, YESTERDAY, TOMORROW, "1/1/2026", 5, "00/01/2026")] == (
        [True] * 3 + [False] * 3
    )
    assert [parse_number(n) for n in (1, "2.50", 3.5, True, "x", None, "NaN")] == [
        Decimal(1), Decimal("2.50"), Decimal("3.5"), None, None, None, None,
    ]  # fmt: skip
