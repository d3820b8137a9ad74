"""The promises of the house, on the deployed template: each comprobante is issued once, whatever happens on the way."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.e2e.company import OLD_DATES, Company, assert_issued_once_each
from tests.sandbox.waiting import wait_until

QUICK = {"ContrastSeconds": 1, "ReconcileSeconds": 1}


def test_a_thousand_reach_the_provider_once_each_in_at_most_12_posts_and_get_their_cae(start_stack):
    """50 that cannot be understood among them end in the rejected queue with their reasons, and hold up nobody."""
    company = Company(
        start_stack(simulator={"plan": OLD_DATES}, LoteWindowSeconds=10, ProviderTimeoutSeconds=20, **QUICK)
    )
    valid = [company.message(f"VTA-{n:04d}") for n in range(1000)]
    malformed = [["{", "[]", '"x"', json.dumps(company.message(""))][n % 4] for n in range(48)]
    malformed += [json.dumps({**company.message("X-1"), "cuenta": alias}) for alias in ("nadie", "MAL ALIAS")]
    mixed = [
        m for n, message in enumerate(valid) for m in ([message, malformed[n // 20]] if n % 20 == 0 else [message])
    ]
    company.send(mixed)
    company.wait_for({"EMITIDO": 1000}, timeout=240)
    summary = assert_issued_once_each(company.stack, [f"VTA-{n:04d}" for n in range(1000)])
    assert summary["lotes"]["posts"] <= 12, summary["lotes"]
    assert all(asiento["cae"]["S"].isdigit() for asiento in company.asientos().values())
    rejected = company.drain(company.stack.rejected_queue_url, 50)
    assert all(m["MessageAttributes"]["codigo"]["StringValue"] for m in rejected)
    assert all(m["MessageAttributes"]["motivo"]["StringValue"] for m in rejected)
    # CAEs come by date pages: far fewer queries than comprobantes.
    assert summary["llamadas"]["facturacion/consulta_avanzada"] <= 100


ENDINGS = ["524_accepted", "524_dropped", "reset_accepted", "500_before", "html_200_accepted", "hang_accepted"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_post_without_a_trustworthy_answer_is_never_repeated_blindly(start_stack, ending):
    """Nothing is sent twice that the provider has, and everything is there once the quiet period is over."""
    plan = {**OLD_DATES, "lotes": [ending], "demora_fondo": 1.0, "hooks_prob": {"lost": 1.0}}
    company = Company(start_stack(simulator={"plan": plan}, **QUICK))
    references = [f"VTA-{n:02d}" for n in range(12)]
    company.send(company.message(reference) for reference in references)
    company.wait_for({"EMITIDO": 12}, timeout=120)
    summary = assert_issued_once_each(company.stack, references)
    assert summary["lotes"]["desenlaces"][ending] == 1


@pytest.mark.parametrize("form", ["parcial", "seed", "ilegible"])
def test_in_every_form_of_refusal_the_offenders_are_refused_and_the_rest_goes_through(start_stack, form):
    plan = {**OLD_DATES, "forma_rechazo": form}
    company = Company(start_stack(simulator={"plan": plan}, **QUICK))
    messages = [company.message(f"VTA-{n:02d}", comentario="SIM:RECHAZAR" if n in {3, 11} else "") for n in range(16)]
    company.send(messages)
    company.wait_for_issued(14, timeout=120)
    # Where nobody is named, one that is left alone is only known by the next that is accepted after it.
    company.send([company.message("VTA-99")])
    company.wait_for({"EMITIDO": 15, "RECHAZADO": 2}, timeout=200)
    good = [f"VTA-{n:02d}" for n in (*range(16), 99) if n not in {3, 11}]
    assert_issued_once_each(company.stack, good)
    asientos = company.asientos()
    assert {r for r, a in asientos.items() if a["estado"]["S"] == "RECHAZADO"} == {"VTA-03", "VTA-11"}
    assert asientos["VTA-03"]["causas"]["L"]


def test_hooks_shuffled_doubled_and_before_the_providers_own_answer_change_nothing(start_stack):
    plan = {
        **OLD_DATES,
        "lotes_prob": {"hook_first": 1.0},
        "hooks_prob": {"doubled": 0.3, "doubled_new_id": 0.3, "late": 0.1},
        "segundos_tarde": 2.0,
        "barajar_hooks": 1.0,
    }
    company = Company(start_stack(simulator={"plan": plan}, **QUICK))
    references = [f"VTA-{n:03d}" for n in range(150)]
    company.send(company.message(reference) for reference in references)
    company.wait_for({"EMITIDO": 150}, timeout=150)
    assert_issued_once_each(company.stack, references)


def test_with_every_hook_lost_the_reconciliation_alone_finds_the_truth_in_few_queries(start_stack):
    plan = {**OLD_DATES, "hooks_prob": {"lost": 1.0}}
    company = Company(start_stack(simulator={"plan": plan}, **QUICK))
    references = [f"VTA-{n:03d}" for n in range(150)]
    company.send(company.message(reference) for reference in references)
    company.wait_for({"EMITIDO": 150}, timeout=150)
    summary = assert_issued_once_each(company.stack, references)
    assert summary["llamadas"]["facturacion/consulta_avanzada"] <= 30


def hook(evento="encolado", reference="VTA-1", hook_id="h-1"):
    return {
        "creado": "22/11/2026 15:58:11",
        "evento": evento,
        "recurso": "facturacion",
        "external_reference": reference,
        "intento": 1,
        "msg": [],
        "hook_id": hook_id,
    }


def stored_hooks(company):
    return [item for item in company.items() if item["sk"]["S"].startswith("HOOK#")]


def test_the_webhook_stores_an_authentic_hook_once_and_of_others_nothing(stack):
    company = Company(stack)
    url, token = stack.webhook_url(company.cuenta.alias), company.cuenta.webhook_token
    with httpx.Client(timeout=60) as http:

        def deliver(body, given=token):
            headers = {"TF-WebhookToken": given} if given else {}
            return http.post(url, content=body, headers=headers).status_code

        whole = json.dumps(hook())
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(deliver, [whole] * 20)) == {200}
        assert len(stored_hooks(company)) == 1
        assert [deliver(whole, given) for given in ("", "otro", token[:-1])] == [403, 403, 403]
        assert (
            http.post(stack.webhook_url("nadie"), content=whole, headers={"TF-WebhookToken": token}).status_code == 403
        )
        assert len(stored_hooks(company)) == 1
        for odd in (b"", b"{", b"\xff\xfe", b"[]", b'"x"', b"null", whole[:-9].encode(), b'{"hook_id": 1e400}'):
            assert deliver(odd) == 200
        assert deliver(b"x" * 300_000) == 413


def test_emitido_encolado_error_in_that_order_leave_it_emitido(stack):
    company = Company(stack)
    company.send([company.message("VTA-1")])
    wait_until(
        lambda: company.states()["ENVIADO"] + company.states()["ENCOLADO"] + company.states()["EMITIDO"] == 1, 60
    )
    url, token = stack.webhook_url(company.cuenta.alias), company.cuenta.webhook_token
    for evento in ("emitido", "encolado", "error"):
        body = json.dumps(hook(evento, hook_id=f"mine-{evento}"))
        assert httpx.post(url, content=body, headers={"TF-WebhookToken": token}, timeout=30).status_code == 200
    wait_until(lambda: company.states()["EMITIDO"] == 1, 60)
    mine = {item["hook_id"]["S"] for item in stored_hooks(company) if item["hook_id"]["S"].startswith("mine-")}
    assert mine == {"mine-emitido", "mine-encolado", "mine-error"}
    assert company.states()["EMITIDO"] == 1
