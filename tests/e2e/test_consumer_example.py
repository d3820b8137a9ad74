"""The worked example of a consumer, deployed beside the stack: what its table says is what became of each."""

from __future__ import annotations

import json

from tests.e2e.company import OLD_DATES, Company
from tests.sandbox.deploy import ROOT, deploy
from tests.sandbox.waiting import wait_until


def test_a_consumer_by_the_example_knows_how_each_comprobante_ended_whatever_comes_twice_or_late(start_stack):
    company = Company(start_stack(simulator={"plan": OLD_DATES}, ContrastSeconds=1, ReconcileSeconds=1))
    stack = company.stack
    events = stack.boto("events")
    mine = deploy(stack.account, "consumer", {"BusName": stack.bus}, ROOT / "events" / "consumer" / "template.yaml")
    dynamodb = stack.boto("dynamodb")

    def known():
        items = dynamodb.scan(TableName=mine.outputs["TableName"])["Items"]
        return {
            i["pk"]["S"].partition("#")[2]: {name: value.get("S") for name, value in i.items()}
            for i in items
            if not i["pk"]["S"].startswith("EVENTO#")
        }

    company.send([company.message("A-1"), company.message("A-2"), company.message("A-3", numero=7)])

    def ended():
        company.reconcile()
        return {r: a["estado"] for r, a in known().items()} == {
            "A-1": "EMITIDO",
            "A-2": "EMITIDO",
            "A-3": "RECHAZADO",
        }

    wait_until(ended, 90, lambda: f"the consumer knows {known()}")
    assert known()["A-1"]["cae"] and known()["A-1"]["numero"]
    assert known()["A-3"]["codigo"] == "numero_no_cero"

    # Late, and of another kind; then one that is new, to see that both were worked through.
    before = known()["A-1"]
    late = {"evento_id": "late", "cuenta": company.cuenta.alias, "external_reference": "A-1", "estado": "ENCOLADO"}
    new = {**late, "evento_id": "new", "external_reference": "A-9"}
    for detail in (late, late, new):
        entry = {"Source": "facturacion", "DetailType": "ComprobanteEncolado", "Detail": json.dumps(detail)}
        assert events.put_events(Entries=[{**entry, "EventBusName": stack.bus}])["FailedEntryCount"] == 0
    wait_until(lambda: "A-9" in known(), 60, lambda: f"the consumer knows {known()}")
    assert known()["A-1"] == before
