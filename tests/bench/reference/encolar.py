"""Queue → provider: one `nuevo_encola` for each message, at most once by its idempotency record."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

RETENTION = 14 * 24 * 3600
"""The queue's: a repeat cannot come later than that."""
CREDENTIALS = ("apitoken", "apikey", "usertoken")

logger = Logger(service="encolar")
processor = BatchProcessor(event_type=EventType.SQS)
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
config = IdempotencyConfig(
    event_key_jmespath="[cuenta, comprobante.external_reference]",
    raise_on_no_idempotency_key=True,
    expires_after_seconds=RETENTION,
)
dynamodb = boto3.client("dynamodb")
http = httpx.Client(base_url=os.environ["PROVIDER_BASE_URL"], timeout=110)


class RechazadoError(Exception):
    """The provider refused it: tried again like every failure, and in the end in the dead-letter queue."""


@idempotent_function(data_keyword_argument="pedido", persistence_store=persistence, config=config)
def encolar(*, pedido: dict[str, Any]) -> dict[str, str]:
    cuenta, comprobante = pedido["cuenta"], pedido["comprobante"]
    secret = parameters.get_secret(f"{os.environ['CUENTAS_PREFIX']}/{cuenta}", transform="json", max_age=900)
    body = {name: secret[name] for name in CREDENTIALS} | {"cliente": pedido["cliente"], "comprobante": comprobante}
    answer = http.post("facturacion/nuevo_encola", json=body)
    answer.raise_for_status()
    told = answer.json()
    if told["error"] == "S":
        raise RechazadoError(told["errores"])
    reference = comprobante["external_reference"]
    dynamodb.put_item(
        TableName=os.environ["COMPROBANTES_TABLE"],
        Item={
            "id": {"S": f"{cuenta}#{reference}"},
            "cuenta": {"S": cuenta},
            "external_reference": {"S": reference},
            "estado": {"S": "ENVIADO"},
            "total": {"S": str(comprobante["total"])},
        },
    )
    return {"estado": "ENVIADO"}


def record_handler(record: SQSRecord) -> dict[str, str]:
    return encolar(pedido=record.json_body)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    config.register_lambda_context(context)
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
