"""What became of each comprobante, kept by the company that sent it.

Events come at least once and in any order. So each does its effect in one transaction with a note of its `evento_id`
(a repeat finds the note, and does nothing), and an older one never takes back what a newer one said.
"""

import json
import os
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

NOTE_LASTS_SECONDS = 400 * 24 * 3600
FINAL = ("EMITIDO", "ELIMINADO")
"""Nothing comes after these. RECHAZADO is not among them: it may be corrected under its own reference."""
KEPT = ("estado", "codigo", "cae", "cae_vencimiento", "numero", "pdf", "reemplaza", "total")

dynamodb = boto3.client("dynamodb")


def handler(event, _context):
    failed = []
    for record in event["Records"]:
        try:
            apply(json.loads(record["body"]))
        except (BotoCoreError, ClientError, KeyError, ValueError) as error:
            # This one comes again by itself, ten times, and then waits in the dead-letter queue.
            print(f"not applied: {record['messageId']}: {type(error).__name__}")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def apply(event):
    detail, table = event["detail"], os.environ["TABLE"]
    told = {name: detail[name] for name in KEPT if name in detail}
    names = {f"#{name}": name for name in (*told, "desde", "estado")}
    values = {f":{name}": {"S": str(value)} for name, value in told.items()}
    values |= {":desde": {"S": event["time"]}, ":emitido": {"S": FINAL[0]}, ":eliminado": {"S": FINAL[1]}}
    note = {
        "pk": {"S": f"EVENTO#{detail['evento_id']}"},
        "vence": {"N": str(int(time.time()) + NOTE_LASTS_SECONDS)},
    }
    change = {
        "TableName": table,
        "Key": {"pk": {"S": f"{detail['cuenta']}#{detail['external_reference']}"}},
        "UpdateExpression": "SET #desde = :desde, " + ", ".join(f"#{name} = :{name}" for name in told),
        "ConditionExpression": "attribute_not_exists(pk) OR "
        "(NOT #estado IN (:emitido, :eliminado) AND #desde <= :desde)",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    put = {"TableName": table, "Item": note, "ConditionExpression": "attribute_not_exists(pk)"}
    try:
        dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"Update": change}])
    except dynamodb.exceptions.TransactionCanceledException as cancelled:
        codes = {reason["Code"] for reason in cancelled.response["CancellationReasons"]}
        if codes - {"None", "ConditionalCheckFailed"}:
            raise
        # A repeat, or older than what is known: there is nothing to do.
