"""People decide with the command line, on the deployed template."""

from __future__ import annotations

import json
import os
import subprocess

from tests.e2e.company import OLD_DATES, Company
from tests.sandbox.deploy import ROOT
from tests.sandbox.waiting import wait_until


def test_what_is_parked_is_listed_and_deleted_from_the_command_line(start_stack, tmp_path):
    company = Company(
        start_stack(simulator={"plan": OLD_DATES}, ContrastSeconds=1, ReconcileSeconds=1, ResendWaitSeconds=1)
    )
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(company.stack.outputs()))

    def facturacion(orden, *argv, where=("--sandbox", outputs), **more):
        """The exit code and the answer, as any program would have them; this machine's credentials are not there."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **more}
        command = [ROOT / "functions" / "operate" / "facturacion", orden, *where, "--json", *argv]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def parked():
        company.reconcile()
        return facturacion("listar")[1]["comprobantes"]

    company.send([company.message("P-1", comentario="SIM:ERROR=DESCONOCIDO"), company.message("OK-1")])
    (one,) = wait_until(parked, 120, "nothing was parked")
    assert one["external_reference"] == "P-1" and one["causas"][0]["codigo"] == "AFIP-99731"
    cuenta = ("--cuenta", company.cuenta.alias)

    code, rehearsal = facturacion("decidir", "eliminar", "--codigo", "AFIP-99731", "--dry-run")
    assert (code, rehearsal["cantidad"], rehearsal["pedidos"]) == (0, 1, 1)
    assert company.asientos()["P-1"]["estado"]["S"] == "EN_REVISION"

    code, answer = facturacion("decidir", "eliminar", "P-1", "X-9", *cuenta, "--motivo", "no se entiende")
    assert (code, answer["cantidad"], answer["negados_por_codigo"]) == (1, 1, {"NoExiste": 1})
    wait_until(lambda: company.asientos()["P-1"]["estado"]["S"] == "ELIMINADO", 90, "it was never deleted")

    # As on AWS: the function is found by the stack's name.
    account = company.stack.account
    on_aws = {
        "AWS_ENDPOINT_URL": account.endpoint_url,
        "AWS_ACCESS_KEY_ID": account.account_id,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    code, story = facturacion("ver", "P-1", *cuenta, where=("--stack", company.stack.deployed.name), **on_aws)
    assert code == 0
    (decision,) = [linea for linea in story["historia"] if linea["clase"] == "decision"]
    assert account.account_id in decision["quien"] and decision["motivo"] == "no se entiende"
    assert decision["solicitud"] and decision["resultado"] == "Decidido"
    assert [linea["accion"] for linea in story["historia"] if linea["clase"] == "accion"] == ["eliminar"]
    deleted = [c for c in company.stack.simulator.audit()["comprobantes"] if c["external_reference"] == "P-1"]
    assert [c["estado"] for c in deleted] == ["ELIMINADO"]
