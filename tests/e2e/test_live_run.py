"""The acceptance run, against the simulated provider: it reports of the unknown what the provider was told to do."""

from __future__ import annotations

import httpx
import pytest
from tests.e2e.company import Company
from tests.live.__main__ import looker, run, sender
from tests.live.listener import Listener
from tests.live.site import Recorder, Site

from operate.cli.client import connect
from tusfacturas.client import Cliente, Credenciales

PREFIX = "live-202611250042-"
SHORT_TABLE = {"escala": 0.004, "intentos_maximos": 1}
"""The first retry of a hook after 1.2 s, the second after 7.2 s."""


@pytest.fixture
def accepted(start_stack, tmp_path, monkeypatch):
    """Runs it with the provider's `plan`; the report, whether all was well, and the provider."""

    def accepted(budget=30, **plan):
        stack = start_stack(simulator={"plan": SHORT_TABLE | plan}, ContrastSeconds=1, ReconcileSeconds=1)
        company = Company(stack)
        cuenta = company.cuenta
        for name, value in {
            "AWS_ENDPOINT_URL": stack.account.endpoint_url,
            "AWS_ACCESS_KEY_ID": stack.account.account_id,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        on_aws = connect(stack=stack.deployed.name, region=None, sandbox=None)
        recorder = Recorder()
        cliente = Cliente(
            stack.simulator.api_url,
            Credenciales(cuenta.apikey, cuenta.apitoken, cuenta.usertoken),
            timeout=10,
            transport=recorder,
        )
        look = looker(on_aws, cuenta.alias)

        def looked(reference):
            company.reconcile()  # what the schedule does each minute
            return look(reference)

        with (
            cliente,
            Listener(0, [cuenta.webhook_token], stack.webhook_url(cuenta.alias), f"{PREFIX}q-") as listener,
        ):
            stack.simulator.web(
                "set_webhook", alias=cuenta.alias, url=f"http://127.0.0.1:{listener.port}/", token=cuenta.webhook_token
            )
            site = Site(
                cuenta=cuenta.alias,
                punto_venta=cuenta.punto_venta,
                tipo="FACTURA B",
                prefix=PREFIX,
                cliente=cliente,
                recorder=recorder,
                listener=listener,
                send=sender(on_aws),
                look=looked,
                tell=print,
                budget=budget,
                patience=12,
            )
            text, well = run(site)
            stranger = httpx.post(f"http://127.0.0.1:{listener.port}/", content=b"{}", trust_env=False).status_code
            assert stranger == 403
        print(text)
        return rows(text), well, stack.simulator

    return accepted


def rows(text):
    """The answers by their question."""
    cells = [[c.strip() for c in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("| ")]
    return {cell[0]: cell[1] for cell in cells if cell[0] != "question"}


def test_the_run_reports_what_the_provider_does_and_leaves_nothing_behind(accepted):
    answers, well, provider = accepted()
    assert well
    assert answers[f"Is `{PREFIX}a-1` issued?"].startswith("yes, number ")
    assert answers["Is the one that was sent twice there once?"] == "yes"
    assert answers["Is what breaks the rules refused by us, and never sent?"] == "yes"
    assert answers["Do queries count against the plan?"] == "no"
    assert answers["Does EXT_REF match a part of the reference?"] == "no"
    assert answers["`hook_id` in the retry"] == "the same"
    assert answers["`intento` in the retry"] == "another"
    assert answers["Is a 204 an acknowledgement?"] == "no: it was delivered again"
    assert answers["Is a second comprobante of a reference refused?"] == "no"
    assert answers["Does deleting by it delete both?"] == "yes"
    assert answers["Which fecha does eliminar_encolado want after a change of date?"] == "the old one is refused"
    assert answers["Is the refused one listed?"] == "yes"
    assert answers["How does a numeric reference come back?"] == "as int"
    assert answers["Does cambiar_fecha_encolado requeue one in error?"] == "no: reenviar_encolado does"
    waiting = [c for c in provider.audit()["comprobantes"] if c["estado"] not in {"ELIMINADO", "EMITIDO"}]
    assert waiting == []


def test_of_another_provider_it_reports_the_other_answers_and_never_passes_its_budget(accepted):
    answers, well, provider = accepted(
        budget=13,
        ext_ref="parcial",
        hook_id_por_intento=True,
        intento_cuenta="siempre_1",
        eliminar_por_fecha="cualquiera",
        cambio_fecha_reencola=True,
        referencias="texto",
    )
    assert well
    assert answers["Does EXT_REF match a part of the reference?"] == "yes"
    assert answers["Which fecha does eliminar_encolado want after a change of date?"] == "the old one is taken"
    assert answers["How does a numeric reference come back?"] == "as str"
    assert answers["Does cambiar_fecha_encolado requeue one in error?"] == "yes"
    assert "not asked" in answers["what a retry of a hook is like"]
    assert [c for c in provider.audit()["comprobantes"] if c["estado"] not in {"ELIMINADO", "EMITIDO"}] == []
