"""Lambda handler of what people look at and decide: an order, or CloudWatch's widget.

`{"orden": "listar" | "ver" | "decidir" | …}` → its answer; `{"widgetContext": …}` → HTML, made of the same answers.

To invoke it is the right to act: one IAM permission, `lambda:InvokeFunction` on this function. Who decides is what the
caller says of itself; it is kept together with the request id, for which CloudTrail has the proof.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, assert_never

import boto3

from facturacion.corridas import Corridas
from facturacion.environment import Reader
from facturacion.events import Bus
from facturacion.ledger import Ledger
from facturacion.observability import Medidor, logger_for
from facturacion.tiempo import now
from operate.deciding import decide
from operate.fields import PedidoInvalido
from operate.listing import World, list_open
from operate.pausing import pause, resume
from operate.redriving import Colas, redrive
from operate.replaying import replay_hooks
from operate.requests import (
    Cuentas,
    Decidir,
    Listar,
    Pausar,
    Pruebas,
    Reanudar,
    Redirigir,
    Reproducir,
    Retirar,
    Ver,
    read_request,
)
from operate.states import mark_retired, tell_cuentas, tell_tests
from operate.story import tell_story
from operate.widget.asked import is_for_widget
from operate.widget.console import show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from facturacion.observability import Anotar

WIDGET_PATIENCE = timedelta(seconds=45)
"""Who looks at a dashboard waits no longer; TIME_TO_DECIDE and TIME_TO_LOOK are kept free of it."""

logger = logger_for("operate")
medidor = Medidor("operate")


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    table: str
    bus: str
    queue_url: str
    dlq_url: str
    rejected_queue_url: str
    default_cuenta: str | None
    state_machine_arn: str
    hook_retention: timedelta

    @staticmethod
    def from_env(env: Mapping[str, str]) -> Environment:
        read = Reader(env)
        environment = Environment(
            table=read.text("TABLE"),
            bus=read.text("BUS"),
            queue_url=read.text("QUEUE_URL"),
            dlq_url=read.text("DLQ_URL"),
            rejected_queue_url=read.text("REJECTED_QUEUE_URL"),
            default_cuenta=read.optional("DEFAULT_CUENTA"),
            state_machine_arn=read.text("STATE_MACHINE_ARN"),
            hook_retention=timedelta(days=float(read.decimal("HOOK_RETENTION_DAYS"))),
        )
        read.done()
        return environment


@dataclass(frozen=True, slots=True)
class _Process:
    ledger: Ledger
    bus: Bus
    corridas: Corridas
    colas: Colas
    clock: Callable[[], datetime]
    count: Anotar
    keep: timedelta


@cache
def _process() -> _Process:
    environment = Environment.from_env(os.environ)
    ledger = Ledger(boto3.client("dynamodb"), environment.table, clock=now)
    corridas = Corridas(
        boto3.client("stepfunctions"),
        environment.state_machine_arn,
        ledger=ledger,
        clock=now,
        new_id=lambda: uuid.uuid4().hex,
    )
    return _Process(
        ledger=ledger,
        bus=Bus(boto3.client("events"), environment.bus),
        corridas=corridas,
        colas=Colas(
            boto3.client("sqs"),
            environment.queue_url,
            environment.dlq_url,
            environment.rejected_queue_url,
            environment.default_cuenta,
        ),
        clock=now,
        count=medidor.count,
        keep=environment.hook_retention,
    )


@medidor.published
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | str:
    """What cannot be done as it was asked is an answer, `{"error": {"codigo", "mensaje"}}`, not a failure.

    For CloudWatch's widget the answer is HTML: of the same orders.
    """
    process = _process()
    for_widget = is_for_widget(event)
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    spare = max(left - WIDGET_PATIENCE, timedelta(0)) if for_widget else timedelta(0)
    world = World(
        ledger=process.ledger,
        bus=process.bus,
        corridas=process.corridas,
        colas=process.colas,
        clock=process.clock,
        remaining=lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()) - spare,
        logger=logger,
        count=process.count,
        solicitud=context.aws_request_id,
        keep=process.keep,
    )
    if for_widget:
        ask = partial(answer, world)
        arn, solicitud = context.invoked_function_arn, context.aws_request_id
        return show(event, ask, endpoint=arn, solicitud=solicitud, clock=process.clock)
    return answer(world, event)


def answer(world: World, event: dict[str, Any]) -> dict[str, Any]:
    try:
        asked = read_request(event)
        match asked:
            case Listar():
                return list_open(world, asked)
            case Decidir():
                return decide(world, asked)
            case Ver():
                return tell_story(world, asked)
            case Pausar():
                return pause(world, asked)
            case Reanudar():
                return resume(world, asked)
            case Reproducir():
                return replay_hooks(world, asked)
            case Redirigir():
                return redrive(world, asked)
            case Cuentas():
                return tell_cuentas(world, asked)
            case Pruebas():
                return tell_tests(world, asked)
            case Retirar():
                return mark_retired(world, asked)
            case _:
                assert_never(asked)
    except PedidoInvalido as error:
        return {"error": {"codigo": error.codigo, "mensaje": str(error)}}
