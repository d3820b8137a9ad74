"""What the documents tell a stranger to type, typed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from datetime import datetime

from tests.e2e.company import Company
from tests.sandbox.deploy import ROOT
from tests.sandbox.waiting import wait_until

from facturacion.tiempo import ARGENTINA

SENDING = (ROOT / "docs" / "sending.md").read_text(encoding="utf-8")


def block(kind, text=SENDING):
    return re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL)[1]


def test_the_first_comprobante_of_the_senders_guide_is_issued_by_its_own_commands(start_stack, tmp_path):
    company = Company(start_stack(ContrastSeconds=1, ReconcileSeconds=1, SenderAccounts="111122223333,444455556666"))
    told = company.stack.boto("sqs").get_queue_attributes(QueueUrl=company.stack.queue_url, AttributeNames=["Policy"])
    allowed = {s["Sid"]: s["Principal"] for s in json.loads(told["Attributes"]["Policy"])["Statement"]}
    # The sandbox leaves out that it must be over TLS.
    assert allowed == {"OtherAccountsSend": {"AWS": ["111122223333", "444455556666"]}}
    outputs = company.stack.outputs() | {"account_id": company.stack.account.account_id}
    (tmp_path / ".sandbox").mkdir()
    (tmp_path / ".sandbox" / "outputs.json").write_text(json.dumps(outputs))
    today = datetime.now(ARGENTINA).strftime("%d/%m/%Y")
    first, dated = re.subn(r'"fecha": "\d\d/\d\d/\d{4}"', f'"fecha": "{today}"', block("json"))
    assert dated == 1
    (tmp_path / "first.json").write_text(first)
    orders = re.findall(r"^\.venv/bin/facturacion (.+)$", SENDING, re.MULTILINE)
    assert [shlex.split(order)[0] for order in orders] == ["validar", "enviar", "ver"]

    def facturacion(order):
        words = shlex.split(order.replace("--sandbox", f"--sandbox {tmp_path / '.sandbox' / 'outputs.json'}"))
        command = [ROOT / "functions" / "operate" / "facturacion", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60).stdout

    assert "ninguno se rechazaría" in facturacion(orders[0])
    assert "Enviados 1." in facturacion(orders[1])

    program = block("python")
    # The account of a test is its own; the sandbox of a reader is the one whose key is `test`.
    mine = program.replace('aws_access_key_id="test"', f'aws_access_key_id="{company.stack.account.account_id}"')
    assert mine != program
    subprocess.run([sys.executable, "-c", mine], cwd=tmp_path, check=True, timeout=60)

    def issued():
        company.reconcile()
        states = {reference: a["estado"]["S"] for reference, a in company.asientos().items()}
        return states == {"FIRST-1": "EMITIDO", "FIRST-2": "EMITIDO"}

    wait_until(issued, 90, lambda: f"the ledger has {company.states()}")
    assert "estado: EMITIDO" in facturacion(orders[2])
