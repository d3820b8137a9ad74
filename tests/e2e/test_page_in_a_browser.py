"""The console in a real browser, on the deployed template: from the button to the provider's books."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
from tests.e2e.browser import Page, opened_browser
from tests.e2e.company import OLD_DATES, Company
from tests.sandbox.cuentas import WEBHOOK_HEADER
from tests.sandbox.page.server import serving_page
from tests.sandbox.stack import SHORT, running_stack
from tests.sandbox.waiting import wait_until

from facturacion.asiento import Asiento, Causa
from facturacion.ledger import Ledger
from facturacion.tiempo import now

ACCOUNT = "199999999999"
OFTEN = {"ReconcileSeconds": "1", "ContrastSeconds": "1"}
EVIL = "<img src=x onerror='window.ran=1'><script>window.ran=1</script><b>&amp;"


@pytest.fixture(scope="module")
def company(emulator):
    with running_stack(emulator, ACCOUNT, parameters=SHORT | OFTEN, simulator={"plan": OLD_DATES}) as stack:
        yield Company(stack)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened_browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def page_url(company):
    with serving_page(company.stack) as url:
        yield url


def parked(company, *references, kind="DESCONOCIDO*1"):
    """In review, as the run leaves what nobody has seen before."""
    company.send([company.message(reference, comentario=f"SIM:ERROR={kind}") for reference in references])

    def in_review():
        company.reconcile()
        asientos = company.asientos()
        return all(asientos.get(r, {}).get("estado", {}).get("S") == "EN_REVISION" for r in references)

    wait_until(in_review, 120, "it was never parked")


def operations(stack):
    return [(op["metodo"], op["external_reference"]) for op in stack.simulator.audit()["operaciones"]]


def test_a_parked_comprobante_is_resent_by_its_button_and_issued(company, browser, page_url):
    stack = company.stack
    parked(company, "P-1")
    page = Page(browser, page_url)
    assert "1 espera a una persona" in page.text and "AFIP-99731" in page.text
    page.click("Reenviar", row="P-1")
    assert "Pedidos del plan\nhasta 1" in page.text
    page.fill("motivo", "se habló con ARCA")
    assert page.ask_to("Reenviar").startswith("Reenviar: 1 comprobante por 139,00, hasta 1 pedido del plan.")
    page.answer(yes=False)
    assert operations(stack) == [] and company.asientos()["P-1"]["estado"]["S"] == "EN_REVISION"
    page.ask_to("Reenviar")
    page.answer(yes=True)
    assert "1 decidido" in page.text

    def issued():
        company.reconcile()
        return company.asientos()["P-1"]["estado"]["S"] == "EMITIDO" or None

    wait_until(issued, 90, "it was never issued")
    assert operations(stack) == [("reenviar_encolado", "P-1")]
    audit = [c for c in stack.simulator.audit()["comprobantes"] if c["external_reference"] == "P-1"]
    assert [c["estado"] for c in audit] == ["EMITIDO"]
    summary = stack.simulator.summary()
    assert summary["issued_twice"] == summary["accepted_twice"] == []
    page.click("Ver su historia")
    assert "EMITIDO" in page.text and "«se habló con ARCA»" in page.text
    assert f"cuenta de AWS {ACCOUNT}" in page.text and "solicitud " in page.text


def test_markup_of_others_is_shown_and_never_run(company, browser, page_url):
    """Our references are plain; this one is written where the door would not let it in, and so is its cause."""
    parked(company, "P-2", kind="DESCONOCIDO")
    stack, cuenta = company.stack, company.cuenta
    ledger = Ledger(stack.boto("dynamodb"), stack.table, clock=now)
    assert isinstance(ledger.unknown_reference(cuenta.alias, EVIL, Causa(f"X{EVIL}", "", f"Y{EVIL}")), Asiento)
    hook = {"creado": "01/03/2026 10:00:00", "evento": "error", "recurso": "facturacion", "intento": 1}
    hook |= {"external_reference": "P-2", "msg": [f"Z{EVIL}"], "hook_id": "evil-1"}
    headers = {WEBHOOK_HEADER: cuenta.webhook_token}
    answer = httpx.post(stack.webhook_url(cuenta.alias), json=hook, headers=headers, timeout=30, trust_env=False)
    assert answer.status_code == 200

    page = Page(browser, page_url)
    assert f"Y{EVIL}" in page.text and f"[X{EVIL}]" in page.text
    page.click(f"{EVIL[:59]}…")
    assert f"{EVIL} de {cuenta.alias}" in page.text
    page.click("Desistir")
    page.fill("motivo", f"M{EVIL}")
    page.ask_to("Desistir")
    page.answer(yes=True)
    page.click("Ver su historia")
    assert f"{EVIL} de {cuenta.alias}" in page.text
    assert f"«M{EVIL}»" in page.text
    page.click("Volver a la lista")
    assert EVIL not in page.text
    page.fill("h_cuenta", cuenta.alias)
    page.fill("h_referencia", f"no{EVIL}")
    page.click("Ver historia")
    assert f"no{EVIL} de {cuenta.alias}" in page.text
    page.click("Volver a la lista")
    page.click("P-2")
    assert f"«Z{EVIL}»" in page.text
    assert page.runs("return window.ran") is None
    assert page.runs("return document.querySelectorAll('#consola :is(script, img, b)').length") == 0


def test_the_dashboards_figures_are_those_of_the_metrics_in_light_and_dark(company, browser, page_url):
    dimensions = [{"Name": "service", "Value": "reconcile"}]
    told = {"MetricName": "Abiertos", "Dimensions": dimensions, "Value": 42.0, "Timestamp": datetime.now(UTC)}
    namespace = f"Facturacion/{company.stack.deployed.name}"
    company.stack.boto("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[told])
    page = Page(browser, page_url)
    rows = page.runs(
        "return [...document.querySelectorAll('main table.series tr')].map(row => row.innerText.split(/\\s*\\t\\s*/))"
    )
    assert [row[-1] for row in rows if row[0] == "Abiertos"] == ["42"]
    assert company.stack.deployed.name + "-maquina" in page.runs("return document.querySelector('main').innerText")
    was = page.settled()
    light = page.runs("return document.documentElement.dataset.theme") == "light"
    browser.find_element("id", "theme").click()
    page.settled(was)
    assert len(page.console.find_elements("css selector", ".fac.oscuro")) == light


def test_another_site_can_do_nothing_through_the_page(page_url):
    stranger = "arn:aws:lambda:us-east-1:1:function:another"
    for headers, body, status in (
        ({"Host": "evil.example"}, {"endpoint": stranger, "event": {}}, 403),
        ({"Origin": "http://evil.example"}, {"endpoint": stranger, "event": {}}, 403),
        ({"Content-Type": "text/plain"}, {"endpoint": stranger, "event": {}}, 404),
        ({}, {"endpoint": stranger, "event": {}}, 403),
        ({}, {"event": {}}, 400),
    ):
        sent = {"Content-Type": "application/json", **headers}
        answer = httpx.post(f"{page_url}invoke", content=json.dumps(body), headers=sent, trust_env=False)
        assert answer.status_code == status, (headers, body)
