"""What most would do: the Idempotency utility of Powertools around the POST, and the queue's redelivery as the retry.

It is the utility itself with its DynamoDB persistence, used as its documentation shows: keyed by what is sent, its
context registered, a failure raised. It forgets a call that raised, and one that never ended once the invocation's
time is over; both may have been a POST that the provider took.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    base,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from aws_lambda_powertools.utilities.idempotency.persistence import base as persistence
from aws_lambda_powertools.utilities.idempotency.persistence import datarecord, dynamodb
from aws_lambda_powertools.utilities.idempotency.serialization.custom_dict import CustomDictSerializer

from pack_lotes.ventanilla import Ventanilla
from tests.explore import dynamo, scenarios
from tests.explore.instrument import plain_client, watched_client, world
from tests.explore.mutants.mutant import Mutant
from tests.explore.mutants.posting import claim_uncertain_again
from tusfacturas import outcomes
from tusfacturas.outcomes import LoteProcesado, SinConexion

if TYPE_CHECKING:
    from tests.explore.mutants.mutant import Patch

STORE = "idempotency"


class _NotDone(Exception):
    """The call did not end well, as an SDK would raise it."""

    def __init__(self, answer: Any) -> None:
        super().__init__(answer.detalle)
        self.answer = answer


def _idempotent_post() -> list[Patch]:
    if not dynamo.exists(STORE):
        plain_client("dynamodb").create_table(
            TableName=STORE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    post = Ventanilla._send_lote
    config = IdempotencyConfig(expires_after_seconds=24 * 3_600)

    @idempotent_function(
        data_keyword_argument="references",
        persistence_store=DynamoDBPersistenceLayer(STORE, boto3_client=watched_client("dynamodb")),
        config=config,
        output_serializer=CustomDictSerializer(_as_dict, _as_answer),
    )
    def once(*, references: list[str], window: Any, pedidos: Any) -> Any:
        del references
        answer = post(window, pedidos)
        if not isinstance(answer, LoteProcesado):
            raise _NotDone(answer)
        return answer

    def send(self: Any, pedidos: Any) -> Any:
        remaining = self._w.remaining
        config.register_lambda_context(
            SimpleNamespace(get_remaining_time_in_millis=lambda: int(remaining().total_seconds() * 1_000))
        )
        try:
            return once(references=[p.external_reference for p in pedidos], window=self, pedidos=pedidos)
        except IdempotencyAlreadyInProgressError as error:
            return SinConexion(str(error))
        except _NotDone as error:
            return error.answer

    clock = SimpleNamespace(
        datetime=SimpleNamespace(now=lambda: world().now, fromtimestamp=datetime.fromtimestamp), timedelta=timedelta
    )
    clocks: list[Patch] = [(module, "dt", clock) for module in (base, persistence, datarecord, dynamodb)]
    return [*clocks, *claim_uncertain_again(), (Ventanilla, "_send_lote", send)]


def _as_dict(answer: LoteProcesado) -> dict[str, Any]:
    return {ref: [type(r).__name__, getattr(r, "detalle", ref)] for ref, r in answer.resultados.items()}


def _as_answer(stored: dict[str, Any]) -> LoteProcesado:
    return LoteProcesado({ref: getattr(outcomes, kind)(text) for ref, (kind, text) in stored.items()})


MUTANTS = (
    Mutant(
        "Powertools Idempotency around the POST",
        "plain",
        _idempotent_post,
        (scenarios.one_slow_hooks_lost, scenarios.one),
        quick=True,
    ),
)
