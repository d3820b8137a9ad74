"""Hooks → states: each once by its `hook_id`; an issued one is asked about at once, as the provider's pages advise."""

from __future__ import annotations

import hmac
import json
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

CREDENTIALS = ("apitoken", "apikey", "usertoken")
STATES = {"encolado": "ENCOLADO", "error": "ERROR", "eliminado": "ELIMINADO", "emitido": "EMITIDO"}

logger = Logger(service="recibir")
app = APIGatewayHttpResolver()
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
config = IdempotencyConfig(
    event_key_jmespath="hook_id", raise_on_no_idempotency_key=True, expires_after_seconds=2 * 24 * 3600
)
dynamodb = boto3.client("dynamodb")
events = boto3.client("events")
http = httpx.Client(base_url=os.environ["PROVIDER_BASE_URL"], timeout=15)


def _secret(cuenta: str) -> dict[str, Any]:
    found: dict[str, Any] = parameters.get_secret(
        f"{os.environ['CUENTAS_PREFIX']}/{cuenta}", transform="json", max_age=900
    )
    return found


@idempotent_function(data_keyword_argument="hook", persistence_store=persistence, config=config)
def procesar(*, hook: dict[str, Any], cuenta: str) -> dict[str, str]:
    estado = STATES.get(hook["evento"], "ENCOLADO")
    values = {":estado": {"S": estado}}
    expression = "SET estado = :estado"
    told = {"cuenta": cuenta, "external_reference": hook["external_reference"], "estado": estado}
    if estado == "EMITIDO":
        cae = _cae(cuenta, hook["external_reference"])
        expression, values[":cae"] = f"{expression}, cae = :cae", {"S": cae}
        told["cae"] = cae
    dynamodb.update_item(
        TableName=os.environ["COMPROBANTES_TABLE"],
        Key={"id": {"S": f"{cuenta}#{hook['external_reference']}"}},
        UpdateExpression=expression,
        ExpressionAttributeValues=values,
    )
    entry = {
        "Source": "facturacion",
        "DetailType": f"Comprobante{estado.title()}",
        "Detail": json.dumps(told),
        "EventBusName": os.environ["BUS"],
    }
    events.put_events(Entries=[entry])
    return told


def _cae(cuenta: str, external_reference: str) -> str:
    secret = _secret(cuenta)
    asked = {"busqueda_tipo": "EXT_REF", "pagina": 0, "limite": 10}
    asked["comprobante"] = {"external_reference": external_reference, "operacion": "V"}
    answer = http.post("facturacion/consulta_avanzada", json={name: secret[name] for name in CREDENTIALS} | asked)
    answer.raise_for_status()
    return str(answer.json()["comprobantes"][0]["comprobante"]["cae"]).strip()


@app.post("/hooks/<cuenta>")
def recibir(cuenta: str) -> Response[str]:
    given = app.current_event.headers.get("tf-webhooktoken", "")
    if not any(hmac.compare_digest(given, token) for token in _secret(cuenta)["webhook_tokens"]):
        return Response(HTTPStatus.FORBIDDEN)
    procesar(hook=app.current_event.json_body, cuenta=cuenta)
    return Response(HTTPStatus.OK, content_type="application/json", body="{}")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    config.register_lambda_context(context)
    return app.resolve(event, context)
