"""What becomes of a comprobante in the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.sandbox.simulator.plan import Plan
from tests.unit.simulator.world import NOON, TODAY, TOMORROW, YESTERDAY, World, cuenta, entrada

CON_ERROR = "ENVIADO A PROCESAR - CON ERROR"


def numbers(world: World) -> dict[str, int]:
    return {item.referencia: item.numero for item in world.proveedor.cola.items if item.estado == "EMITIDO"}


def last_msg(world: World, reference: str) -> str:
    return " ".join([hook["msg"] for hook in world.hooks if hook["external_reference"] == reference][-1])


def resend(world: World, reference: str) -> str:
    return str(world.call("facturacion/reenviar_encolado", external_reference=reference).json()["error"])


def move(world: World, reference: str, fecha: str, vencimiento: str | None) -> str:
    body = {"external_reference": reference, "fecha": fecha, "vencimiento": vencimiento}
    return str(world.call("facturacion/cambiar_fecha_encolado", **body).json()["error"])


def delete(world: World, reference: str, fecha: str = TODAY) -> str:
    body = {"external_reference": reference, "fecha": fecha}
    return str(world.call("facturacion/eliminar_encolado", **body).json()["error"])


def test_numbers_are_correlative_per_pdv_and_tipo() -> None:
    """§7: assigned at emission; the CAE has 14 digits and is nobody else's."""
    world = World(cuentas=[cuenta(), cuenta("otra")])
    world.lote(entrada("b1"), entrada("a1", tipo="FACTURA A"), entrada("b2"))
    world.lote(entrada("x1"), alias="otra")
    world.run()
    assert numbers(world) == {"b1": 1, "a1": 1, "b2": 2, "x1": 1}
    caes = [item.cae for item in world.proveedor.cola.items]
    assert len(set(caes)) == 4 and all(len(cae) == 14 and cae.isdigit() for cae in caes)


def test_a_dev_cuenta_issues_without_cae_and_without_arca() -> None:
    """§1: CAE, QR and due date empty, no ARCA validations."""
    world = World(cuentas=[cuenta(dev=True)])
    world.lote(entrada("vieja", fecha="01/01/2022", vencimiento="01/12/2021"))
    world.run()
    shown = world.ask("vieja")["comprobantes"][0]["comprobante"]
    assert shown["status"] == "EMITIDO"
    assert (shown["cae"], shown["afip_qr"], shown["vencimiento_cae"]) == (" ", "", "")


def test_a_later_date_issued_first_makes_an_earlier_one_fail() -> None:
    """§7: 10016 when fecha < last issued of that PDV and tipo; another tipo is not concerned."""
    world = World()
    world.lote(entrada("hoy"), entrada("ayer", fecha=YESTERDAY), entrada("otro", fecha=YESTERDAY, tipo="FACTURA A"))
    world.run()
    assert world.eventos("ayer") == ["encolado", "error"]
    assert "10016" in last_msg(world, "ayer")
    assert world.status("otro") == "EMITIDO"
    assert resend(world, "ayer") == "N"
    world.run()
    assert world.status("ayer") == CON_ERROR, "the date is still wrong"
    assert move(world, "ayer", TODAY, TODAY) == "N"
    assert world.status("ayer") == CON_ERROR, "a date change alone does not requeue"
    resend(world, "ayer")
    world.run()
    assert world.eventos("ayer") == ["encolado", "error", "encolado", "error", "cambio_fecha", "encolado", "emitido"]


def test_an_old_date_issued_by_hand_does_not_set_the_last_date_back() -> None:
    world = World(Plan(demora_en_cola=60))
    world.lote(entrada("hoy"))
    world.run(61)
    world.lote(entrada("forzada", fecha=YESTERDAY), entrada("ayer", fecha=YESTERDAY))
    world.proveedor.web_issue("sucursal", "forzada")
    world.run(61)
    assert (world.status("forzada"), world.status("ayer")) == ("EMITIDO", CON_ERROR)


def test_moving_fecha_alone_ends_in_10036() -> None:
    """§5 and §8: vencimiento before fecha is found at issue."""
    world = World(Plan(cambio_fecha_reencola=True))
    world.lote(entrada("nueva"), entrada("a", fecha=YESTERDAY, vencimiento=YESTERDAY))
    world.run()
    move(world, "a", TODAY, None)
    world.run()
    assert "10036" in last_msg(world, "a")
    move(world, "a", TODAY, TODAY)
    world.run()
    assert world.status("a") == "EMITIDO", "here the change requeues by itself [U]"


def test_a_change_with_vencimiento_before_fecha_may_be_refused_at_once() -> None:
    world = World(Plan(demora_en_cola=60, cambiar_valida_vencimiento=True))
    world.lote(entrada("a"))
    assert move(world, "a", TODAY, YESTERDAY) == "S"
    assert move(world, "a", "hoy", TODAY) == "S"


def test_a_future_fecha_waits_for_its_day_in_argentina() -> None:
    """§3.3: stays queued until that day, which begins at 03:00 UTC."""
    world = World()
    world.lote(entrada("manana", fecha=TOMORROW, vencimiento=TOMORROW))
    world.run(15 * 3600 - 1 - 3 * 3600)
    assert world.status("manana") == f"APROBADO Y EN COLA. SE EMITE EL {TOMORROW}"
    world.run(2)
    assert world.status("manana") == "EMITIDO"


def test_a_date_out_of_the_window_fails_where_the_window_holds() -> None:
    """§3.3: N-10..N+10 of the day of the request; the window ages while waiting."""
    world = World()
    world.lote(entrada("once", fecha="09/11/2026"), entrada("diez", fecha="10/11/2026"))
    world.run()
    assert "CbteFch" in last_msg(world, "once")
    assert world.status("diez") == "EMITIDO"
    free = World(Plan(ventana_legal=False))
    free.lote(entrada("vieja", fecha="28/03/2022"))
    free.run()
    assert free.status("vieja") == "EMITIDO"


def test_an_inverted_service_period_is_10032() -> None:
    """§8."""
    world = World()
    world.lote(entrada("a", periodo_facturado_desde=TODAY, periodo_facturado_hasta=YESTERDAY))
    world.run()
    assert "10032" in last_msg(world, "a")


@pytest.mark.parametrize(
    ("marker", "text", "cure"),
    [
        ("10016*2", "6661145.10016", "resend"),
        ("10016", "6661145.10016", "move"),
        ("10036", "6661145.10036", "move"),
        ("FECHA", "CbteFch", "move"),
        ("AFIP", "EJBTransactionRolledbackException", "resend"),
        ("AFIP*3", "EJBTransactionRolledbackException", "resend"),
        ("CONFIG", "no se encuentra habilitado para el presente WS", "fix"),
        ("DATOS", "6661145.10032", "none"),
        ("10041", "6661145.10041", "none"),
        ("DESCONOCIDO", "99731", "none"),
        ("AMBIGUO", "existe en ARCA pero no en TusFacturas", "resend"),
        ("SIN_CAE", "S1278", "resend"),
    ],
)
def test_a_marked_fate_ends_by_its_cure_and_by_nothing_less(marker: str, text: str, cure: str) -> None:
    """§8: what each class of error needs."""
    world = World()
    world.lote(entrada("a", comentario=f"nota SIM:ERROR={marker} final"))
    world.run()
    assert world.status("a") == CON_ERROR and text in last_msg(world, "a")
    times = int(marker.partition("*")[2] or 1)
    for _ in range(times):
        assert world.status("a") == CON_ERROR
        if cure == "move":
            assert resend(world, "a") == "N"
            world.run()
            assert world.status("a") == CON_ERROR, "a resend does not cure it"
            move(world, "a", TODAY, TODAY)
        elif cure == "fix":
            assert resend(world, "a") == "N"
            world.run()
            assert world.status("a") == CON_ERROR, "the account is not mended yet"
            world.proveedor.web_fix_account("sucursal")
        resend(world, "a")
        world.run()
    assert world.status("a") == (CON_ERROR if cure == "none" else "EMITIDO")


def test_fates_are_consumed_in_their_order() -> None:
    world = World()
    world.lote(entrada("a", comentario="SIM:ERROR=AFIP SIM:ERROR=DATOS"))
    world.run()
    assert "EJB" in last_msg(world, "a")
    resend(world, "a")
    world.run()
    assert "10032" in last_msg(world, "a")


def test_an_ambiguous_one_keeps_the_number_that_arca_gave_it() -> None:
    """§0.1.4: in error, yet authorised; reprocessing in the original order recovers the CAE."""
    world = World(Plan(desincroniza=True))
    world.lote(entrada("a", comentario="SIM:ERROR=AMBIGUO"), entrada("b"))
    world.run()
    assert world.summary()["authorised_unissued"] == ["sucursal#a"]
    assert world.ask("a")["comprobantes"][0]["comprobante"]["numero"] == 0
    by_number = {"tipo": "FACTURA B", "operacion": "V", "punto_venta": 3, "numero_desde": 0, "numero_hasta": 9}
    found = world.call("facturacion/consulta_avanzada", busqueda_tipo="TN", comprobante=by_number).json()
    assert found["total"] == 0
    assert "10016" in last_msg(world, "b"), "the numbering is out of step"
    resend(world, "b")
    world.run()
    assert world.status("b") == CON_ERROR, "b before a: not the original order"
    resend(world, "a")
    world.run()
    resend(world, "b")
    world.run()
    assert numbers(world) == {"a": 1, "b": 2}
    assert world.summary()["authorised_unissued"] == []


def test_an_ambiguous_one_deleted_and_submitted_again_is_two_invoices() -> None:
    """§0.1.4: delete-and-resubmit is safe only for definite data rejections."""
    world = World(Plan(desincroniza=True))
    world.lote(entrada("a", comentario="SIM:ERROR=AMBIGUO"))
    world.run()
    assert delete(world, "a") == "N"
    world.lote(entrada("a"))
    world.run()
    assert world.status("a") == CON_ERROR
    world.proveedor.web_recover_numbering("sucursal")
    resend(world, "a")
    world.run()
    assert world.summary()["issued_twice"] == ["sucursal#a"]


def test_afip_down_is_retried_a_hundred_times_and_then_told() -> None:
    """§7: recoverable impediments are retried up to 100 times, then an `error` hook."""
    world = World(Plan(afip_caida=True, segundos_entre_intentos=60))
    world.lote(entrada("a"))
    world.run(98.9 * 60)
    assert world.eventos("a") == ["encolado"]
    assert world.proveedor.cola.items[0].intentos == 99
    world.run(120)
    assert world.eventos("a") == ["encolado", "error"]
    assert world.proveedor.cola.items[0].intentos == 100
    world.plan.update(afip_caida=False)
    world.run()
    assert world.status("a") == CON_ERROR, "once errored it is not retried unless resent"
    world.plan.update(afip_caida=True)
    resend(world, "a")
    world.run(90 * 60)
    assert "APROBADO" in world.status("a"), "a resend counts anew [U]"
    world.plan.update(afip_caida=False)
    world.run()
    assert world.status("a") == "EMITIDO"


def test_after_a_short_outage_the_queue_goes_on_by_itself() -> None:
    """§7."""
    world = World(Plan(afip_caida=True, segundos_entre_intentos=60))
    world.lote(entrada("a"))
    world.run(600)
    world.plan.update(afip_caida=False)
    world.run(61)
    assert world.eventos("a") == ["encolado", "emitido"]


def test_maintenance_holds_the_queue_until_it_is_lifted() -> None:
    world = World(Plan(demora_en_cola=10))
    world.lote(entrada("a"), entrada("b"))
    world.proveedor.web_maintenance(3600)
    world.run(600)
    assert world.summary()["estados"]["EMITIDO"] == 0
    world.proveedor.web_maintenance(0)
    world.run(1)
    assert world.summary()["estados"]["EMITIDO"] == 2


def test_a_lifted_maintenance_does_not_make_a_pdv_issue_two_at_a_time() -> None:
    """§2.3: the moment that was planned for its end comes all the same, while one is being issued."""
    world = World(Plan(segundos_por_comprobante=5, demora_en_cola=0))
    world.proveedor.web_maintenance(3)
    world.proveedor.web_submit("sucursal", entrada("a"))
    world.proveedor.web_submit("sucursal", entrada("b"))
    world.run(0)
    world.proveedor.web_maintenance(0)
    world.run()
    assert [i.emitido for i in world.proveedor.cola.items] == [NOON + timedelta(seconds=s) for s in (5, 10)]


def test_a_pdv_issues_one_at_a_time_and_pdvs_in_parallel() -> None:
    """§2.3: throughput is per PDV."""
    world = World(Plan(segundos_por_comprobante=5, demora_en_cola=0), cuentas=[cuenta(), cuenta("otra")])
    for alias in ("sucursal", "otra"):
        world.lote(*[entrada(f"{alias}{n}") for n in range(3)], alias=alias)
    world.run(10)
    issued = [i for i in world.proveedor.cola.items if i.emitido]
    assert sorted(i.referencia for i in issued) == ["otra0", "otra1", "sucursal0", "sucursal1"]
    assert [i.emitido for i in issued if i.cuenta == "otra"] == [NOON + timedelta(seconds=s) for s in (5, 10)]


def test_what_is_being_issued_cannot_be_deleted() -> None:
    """§5, PARCIAL: some not deletable. Here, because the request to AFIP is on its way."""
    world = World(Plan(segundos_por_comprobante=5, demora_en_cola=0))
    world.lote(entrada("a"), entrada("a"))
    world.run(1)
    move(world, "a", TODAY, TOMORROW)
    assert [len(item.cambios_fecha) for item in world.proveedor.cola.items] == [0, 1]
    assert delete(world, "a") == "PARCIAL"
    world.run()
    assert world.summary()["estados"] == {"EN_COLA": 0, "CON_ERROR": 0, "EMITIDO": 1, "ELIMINADO": 1}


@pytest.mark.parametrize("choice", ["llegada", "azar"])
def test_the_order_of_selection_is_a_setting(choice: Any) -> None:
    """§7 [U]: submission order is not number order."""
    world = World(Plan(orden_seleccion=choice))
    references = [f"r{n:02d}" for n in range(20)]
    world.lote(*[entrada(reference) for reference in references])
    world.run()
    by_number = sorted(references, key=numbers(world).__getitem__)
    assert sorted(numbers(world).values()) == list(range(1, 21))
    assert (by_number == references) is (choice == "llegada")


def test_eliminar_takes_all_namesakes_and_the_others_only_the_first() -> None:
    """§5: with duplicates these calls are unsafe."""
    world = World(Plan(demora_en_cola=3600))
    world.lote(*[entrada("a") for _ in range(3)])
    move(world, "a", TODAY, TOMORROW)
    due = [item.vencimiento.day for item in world.proveedor.cola.items]
    assert due == [21, 20, 20]
    answer = world.call("facturacion/eliminar_encolado", external_reference="a", fecha=TODAY).json()
    assert answer["procesados_cant"] == 3
    failing = World()
    failing.lote(*[entrada("b", comentario="SIM:ERROR=AFIP") for _ in range(2)])
    failing.run()
    resend(failing, "b")
    assert [item.reenvios for item in failing.proveedor.cola.items] == [1, 0]


def test_eliminar_asks_for_the_fecha() -> None:
    """§5 [U]: the present one, the one it was submitted with, or any."""
    for which, right in (("actual", TOMORROW), ("original", TODAY), ("cualquiera", YESTERDAY)):
        world = World(Plan(eliminar_por_fecha=which, demora_en_cola=3600))
        world.lote(entrada("a"))
        move(world, "a", TOMORROW, TOMORROW)
        wrong = {TODAY, TOMORROW} - {right} if which != "cualquiera" else set()
        assert [delete(world, "a", fecha) for fecha in sorted(wrong)] == ["S"] * len(wrong)
        assert delete(world, "a", right) == "N"
        assert world.status("a") == ""


def test_an_issued_one_is_not_found_by_the_operations() -> None:
    """§5 [J], and nothing is in error while it waits."""
    world = World(Plan(demora_en_cola=60))
    world.lote(entrada("a"))
    assert resend(world, "a") == "S", "queued, not in error"
    world.run()
    assert [resend(world, "a"), move(world, "a", TODAY, TODAY), delete(world, "a")] == ["S", "S", "S"]
    assert world.eventos("a") == ["encolado", "emitido"]


def test_visibility_has_a_delay_and_a_gap() -> None:
    """§6 [U]: a query may not show yet what was accepted, nor for a moment what is being moved to issued."""
    world = World(Plan(demora_visible=10, demora_en_cola=60, hueco_emision=5))
    world.lote(entrada("a"))
    world.run(9)
    assert world.status("a") == ""
    world.run(2)
    assert world.status("a").startswith("APROBADO")
    world.run(50)
    assert world.eventos("a") == ["encolado", "emitido"]
    assert world.status("a") == ""
    world.run(5)
    assert world.status("a") == "EMITIDO"


def test_a_query_pages_newest_first_and_its_total_ignores_paging() -> None:
    """§6."""
    world = World()
    world.lote(*[entrada(f"r{n}", fecha=YESTERDAY) for n in range(5)])
    world.lote(entrada("hoy"))
    world.run()
    asked = {"busqueda_tipo": "F", "comprobante": {"fecha": YESTERDAY, "operacion": "V"}}
    pages = [world.call("facturacion/consulta_avanzada", pagina=n, limite=2, **asked).json() for n in range(4)]
    assert [page["total"] for page in pages] == [5] * 4
    shown = [c["comprobante"]["external_reference"] for page in pages for c in page["comprobantes"]]
    assert shown == ["r4", "r3", "r2", "r1", "r0"]
    numbered = {"tipo": "FACTURA B", "operacion": "V", "punto_venta": "3", "numero_desde": "2", "numero_hasta": "3"}
    found = world.call("facturacion/consulta_avanzada", busqueda_tipo="TN", comprobante=numbered).json()
    assert [c["comprobante"]["numero"] for c in found["comprobantes"]] == [3, 2]
    for broken in ({"limite": 1001}, {"pagina": -1}, {"busqueda_tipo": "X"}):
        assert world.call("facturacion/consulta_avanzada", **{**asked, **broken}).json()["error"] == "S"


def test_how_ext_ref_compares_is_a_setting() -> None:
    """§6 [U]."""
    for how, found in (("exacta", 1), ("sin_mayusculas", 2), ("parcial", 2)):
        world = World(Plan(ext_ref=how))
        world.lote(entrada("ab"), entrada("AB"), entrada("xab"))
        assert world.ask("ab")["total"] == found


def test_numeracion_is_the_last_or_the_next() -> None:
    """§6 [C]."""
    for which, number in (("ultimo", 2), ("proximo", 3)):
        world = World(Plan(numeracion_devuelve=which))
        world.lote(entrada("a"), entrada("b"))
        world.run()
        answer = world.call("facturacion/numeracion", comprobante={"tipo": "FACTURA B"}).json()
        assert answer["comprobante"]["numero"] == number


def test_what_people_do_on_the_web() -> None:
    """§4 [U]: deletions and date changes there are presumably notified too; issuing, approving, submitting by hand."""
    world = World(Plan(demora_en_cola=3600))
    world.lote(entrada("a"), entrada("b", comentario="SIM:ERROR=DATOS"), entrada("c", comentario="SIM:APROBACION"))
    web = world.proveedor
    assert web.web_delete("sucursal", "a", notify=False) == 1
    assert web.web_change_date("sucursal", "b", TODAY, TOMORROW)
    assert web.web_issue("sucursal", "b") and not web.web_issue("sucursal", "b")
    assert world.status("c") == "EN COLA, ESPERANDO APROBACION"
    assert web.web_approve("sucursal", "c") == 1
    web.web_submit("sucursal", entrada("a"))
    with pytest.raises(ValueError, match="numero"):
        web.web_submit("sucursal", entrada("d", numero=4))
    world.run(4000)
    assert world.eventos("a") == ["encolado", "encolado", "emitido"], "the deletion was silent"
    assert world.eventos("b") == ["encolado", "cambio_fecha", "emitido"]
    assert world.status("c") == "EMITIDO"
    assert world.summary()["accepted_twice"] == ["sucursal#a"]


def test_the_pdf_can_be_fetched_on_the_same_day_only() -> None:
    """§6: comprobante_pdf_url is temporary."""
    world = World()
    world.lote(entrada("a"))
    assert world.ask("a")["comprobantes"][0]["comprobante"]["comprobante_pdf_url"] == ""
    world.run()
    url = world.ask("a")["comprobantes"][0]["comprobante"]["comprobante_pdf_url"]
    token = url.rpartition("/")[2].removesuffix(".pdf")
    assert (world.proveedor.pdf(token) or b"").startswith(b"%PDF-")
    world.run(12 * 3600)
    assert world.proveedor.pdf(token) is None
    again = world.ask("a")["comprobantes"][0]["comprobante"]["comprobante_pdf_url"]
    assert again != url and world.proveedor.pdf(again.rpartition("/")[2].removesuffix(".pdf"))
