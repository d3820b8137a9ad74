"""Operating the deployed template with the command line alone: a cuenta comes, a pause, a redrive, a replay."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest
from tests.e2e.company import OLD_DATES, Company, assert_issued_once_each
from tests.sandbox.cuentas import DEMO, make_cuentas
from tests.sandbox.deploy import ROOT
from tests.sandbox.waiting import wait_until


@dataclass
class Operator:
    """Has a shell, and the file that tells where the local AWS is, or (`on_aws`) what an AWS CLI would be given."""

    stack: Any
    home: Any

    def start(self, *argv, on_aws=False, **popen):
        outputs = self.home / "outputs.json"
        outputs.write_text(json.dumps(self.stack.outputs()))
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        where = ("--stack", self.stack.deployed.name) if on_aws else ("--sandbox", outputs)
        if on_aws:
            environment |= {
                "AWS_ENDPOINT_URL": self.stack.account.endpoint_url,
                "AWS_ACCESS_KEY_ID": self.stack.account.account_id,
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1",
            }
        command = [ROOT / "functions" / "operate" / "facturacion", *argv, *where, "--json"]
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen
        )

    def __call__(self, *argv, **more):
        out, err = (ran := self.start(*argv, **more)).communicate(timeout=120)
        assert out, err
        return ran.returncode, json.loads(out)


WHY = ("--motivo", "se arregló")


@pytest.fixture
def operator(start_stack, tmp_path):
    """Its company invoices with the sandbox's own cuentas."""
    stack = start_stack(simulator={"plan": OLD_DATES}, ContrastSeconds=1, ReconcileSeconds=1)
    return Operator(stack, tmp_path)


def test_a_company_is_operated_from_the_command_line(operator):
    stack = operator.stack
    uno, company = stack.cuentas[0].alias, Company(stack)

    # A cuenta that only the provider knows.
    nueva = make_cuentas([*DEMO, "nueva"])[-1]
    known = {name: getattr(nueva, name) for name in ("alias", "apikey", "apitoken", "usertoken", "punto_venta", "cuit")}
    stack.simulator.web("add_cuenta", **known, webhook_url=None)
    with operator.start(
        "cuenta", "alta", "nueva", "--cuit", nueva.cuit, "--punto-venta", str(nueva.punto_venta), "--esperar", "60",
        stdin=subprocess.PIPE,
    ) as alta:  # fmt: skip
        alta.stdin.write(json.dumps({name: known[name] for name in ("apikey", "apitoken", "usertoken")}))
        alta.stdin.close()
        told = ""
        while "Esperando" not in told:
            line = alta.stderr.readline()
            assert line, told
            told += line
        url, token = re.search(r"webhook: (\S+)", told)[1], re.search(r"token \(TF-WebhookToken\): (\S+)", told)[1]
        stack.simulator.web("set_webhook", alias="nueva", url=url, token=token)
        stack.simulator.web("test_hook", alias="nueva")
        answer = json.loads(alta.stdout.read())
        told += alta.stderr.read()
    assert alta.returncode == 0 and answer["prueba"] and answer["consumo"]["disponibles"] > 0
    assert not any(known[name] in told + json.dumps(answer) for name in ("apikey", "apitoken", "usertoken"))
    stack.cuentas.append(nueva)
    # As on AWS: everything is found by the stack's name.
    code, again = operator("cuenta", "probar", "nueva", "--esperar", "0", on_aws=True)
    assert (code, again["url"]) == (0, f"{stack.deployed.outputs['ApiUrl']}/hooks/nueva") and again["consumo"]
    Company(stack, "nueva").send([Company(stack, "nueva").message("N-1")])

    # A pause, and thirty that wait for it to end.
    assert operator("pausar", uno, "--motivo", "cambio de precios")[0] == 0
    company.send(company.message(f"P-{n:02d}") for n in range(30))
    company.wait_for({"EMITIDO": 1})
    code, listed = operator("listar")
    assert code == 0 and [(p["cuenta"], p["motivo"]) for p in listed["pausas"]] == [(uno, "cambio de precios")]
    waiting = stack.boto("sqs").get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=["All"])["Attributes"]
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    assert sum(int(waiting[name]) for name in names) == 30
    assert {c["external_reference"] for c in stack.simulator.audit()["comprobantes"]} == {"N-1"}
    _, cuentas = operator("cuenta", "listar")
    assert [c["cuenta"] for c in cuentas["cuentas"]] == [*sorted(DEMO), "nueva"]
    assert operator("reanudar", uno)[0] == 0
    company.wait_for({"EMITIDO": 31}, timeout=120)

    # What named no cuenta was rejected; the fix is a parameter.
    orphans = [company.message(f"R-{n}") for n in range(3)]
    for message in orphans:
        del message["cuenta"]
    company.send([*orphans, "{"])
    seen = ("redirigir", "rechazados", "--todos", "--dry-run")
    wait_until(lambda: operator(*seen)[1]["mirados"] == 4, 60, "they were not rejected")
    code, early = operator("redirigir", "rechazados", "--codigo", "falta_cuenta", *WHY)
    assert (code, early["cantidad"], len(early["negados"])) == (1, 0, 3), "not before it is mended"
    stack.redeploy(DefaultCuenta=uno)
    _, rehearsed = operator(*seen)
    assert rehearsed["cantidad"] == 3
    assert [n["codigo"] for n in rehearsed["negados"]] == ["json_invalido"]
    code, redriven = operator("redirigir", "rechazados", "--todos", *WHY)
    assert (code, redriven["cantidad"], redriven["quedan"]) == (1, 3, 1), "one of them nobody can read"
    company.wait_for({"EMITIDO": 34}, timeout=120)

    # A hand changed the ledger.
    stack.boto("dynamodb").update_item(
        TableName=stack.table,
        Key={"pk": {"S": f"{uno}#P-07"}, "sk": {"S": "ESTADO"}},
        UpdateExpression="SET estado = :e",
        ExpressionAttributeValues={":e": {"S": "ENVIADO"}},
    )
    asked = ("reproducir", "P-06", "P-07", "--cuenta", uno)
    code, shown = operator(*asked, "--dry-run")
    assert (code, [(d["en_libro"], d["segun_hooks"]) for d in shown["diferencias"]]) == (0, [("ENVIADO", "EMITIDO")])
    assert company.asientos()["P-07"]["estado"]["S"] == "ENVIADO"
    whole = ("reproducir", "--desde", "2026-01-01", "--dry-run")
    assert operator(*whole)[1]["error"]["codigo"] == "HayQueRecorrer"
    assert [d["external_reference"] for d in operator(*whole, "--recorrer")[1]["diferencias"]] == ["P-07"]
    assert operator(*asked, *WHY)[0] == 0
    company.wait_for({"EMITIDO": 34})
    assert_issued_once_each(stack, ["N-1", *(f"P-{n:02d}" for n in range(30)), *(f"R-{n}" for n in range(3))])
