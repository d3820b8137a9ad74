"""The whole house in process: moto's queues, table, stream and bus, the provider's simulator, and one clock for all.

The handlers run as they are deployed; the drivers here are what AWS is around them. `pack` is the event source of the
queue, `follow` that of the stream, `reconcile` the schedule, and `deliver` the provider who posts its hooks.
"""

from __future__ import annotations

import copy
import io
import json
import logging
import random
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends
from tests.integration.around import Context, as_lambda_has_it, http_event, is_hook
from tests.sandbox.simulator.plan import CuentaSim, Plan
from tests.sandbox.simulator.provider import Proveedor
from tests.sandbox.simulator.transport import as_transport
from tests.seen import Seen
from tests.template import default

from facturacion import contraster
from facturacion.contraster import ContrastEnvironment, Contraster
from facturacion.corridas import Corridas
from facturacion.emission import Finishing, Pdfs
from facturacion.events import Bus
from facturacion.observability import Medidor
from follow_hooks import app as following
from operate import app as operating
from operate.redriving import Colas
from pack_lotes import app as packing
from pack_lotes.inbox import registros
from pack_lotes.sending import send
from pack_lotes.world import Settings
from pack_lotes.world import World as Outside
from receive_webhook import app as receiving
from reconcile import app as reconciling
from reconcile.redriving import Queues
from resolve_errors import app as resolving
from resolve_errors.running import Outside as ResolvingOutside
from resolve_errors.running import Terms as ResolvingTerms
from tusfacturas.catalogue import built_in
from tusfacturas.client import Cliente, Credenciales

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from facturacion.metricas import Metrica

TABLE, BUS, PREFIX, PDFS = "ledger", "facturacion", "facturacion/cuentas", "pdfs"
PROVIDER = "https://provider.test/app/api/v2/"
_LOGGERS = (packing.logger, following.logger, receiving.logger, reconciling.logger, resolving.logger, operating.logger)
_EXAMPLES = Path(__file__).parents[1] / "provider_examples"
_FACTURA_B = json.loads((_EXAMPLES / "comprobante.factura_b.json").read_text(encoding="utf-8"))


class Noted(Medidor):
    """Keeps what is measured instead of writing it: `sums` by name, `values` in their order, `own` by cuenta."""

    def __init__(self) -> None:
        super().__init__("house")
        self.sums: Counter[str] = Counter()
        self.values: dict[str, list[float]] = defaultdict(list)
        self.own: dict[tuple[str, str], list[float]] = defaultdict(list)

    def measure(self, metrica: Metrica, valor: float, *, cuenta: str | None = None) -> None:
        self.sums[metrica.nombre] += valor
        self.values[metrica.nombre].append(valor)
        if cuenta:
            self.measure_cuenta(metrica, valor, cuenta)

    def measure_cuenta(self, metrica: Metrica, valor: float, cuenta: str) -> None:
        self.own[metrica.nombre, cuenta].append(valor)


@dataclass
class House:
    """`plan`: what the provider does wrong. `log`: what the functions wrote. `medidor`: their metrics. `waits`: seconds
    for which a message was hidden, each time that pack_lotes said so.
    """

    aws: Any
    clock: Any
    queues: Any
    ledger: Any
    bus: Any
    published: Any
    put_secret: Any
    cuentas: Any
    monkeypatch: Any
    plan: Plan = field(default_factory=Plan)
    log: io.StringIO = field(default_factory=io.StringIO)
    medidor: Noted = field(default_factory=Noted)
    secrets: list[str] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)
    hooks_reach_us: bool = True

    def __post_init__(self) -> None:
        self.rng = random.Random(7)
        self.proveedor = Proveedor(clock=self.clock, rng=random.Random(1), cuentas=[], plan=self.plan)
        self.proveedor.base_url = "https://provider.test"
        self.transport = as_transport(self.proveedor, dormir=self._sleep, entregar=self._deliver)
        self.settings = Settings(
            queue_url=self.queues.queue,
            rejected_queue_url=self.queues.rejected,
            provider_timeout=_seconds("ProviderTimeoutSeconds"),
            quiet=_seconds("QuietPeriodSeconds"),
            settle=_seconds("SettleSeconds"),
            retry_delay=_seconds("RetryDelaySeconds"),
            default_cuenta=None,
            queue_fce=False,
            total_tolerance=Decimal(default("TotalTolerance")),
        )
        self._marks = 0
        self._runs: dict[str, tuple[str, int, Any]] = {}
        self.contraster = self._contraster()
        self._streamed = self._lotes = 0
        self._again: list[dict[str, Any]] = []
        self._catch_logs()
        self._stand_in()

    # -- what a deployed house is made of

    def _contraster(self) -> Contraster:
        self.aws("s3").create_bucket(Bucket=PDFS)
        s = self.settings
        environment = ContrastEnvironment(
            table=TABLE,
            bus=BUS,
            cuentas_prefix=PREFIX,
            provider_base_url=PROVIDER,
            provider_timeout=s.provider_timeout,
            quiet=s.quiet,
            settle=s.settle,
            every=_seconds("ContrastSeconds"),
            due=_seconds("ReconcileSeconds"),
            state_machine_arn=self._state_machine(),
            pdf_bucket=PDFS,
        )
        finishing = Finishing(
            ledger=self.ledger,
            bus=self.bus,
            pdfs=Pdfs(self.aws("s3"), PDFS, httpx.Client(transport=httpx.MockTransport(self._fetch))),
            clock=self.clock,
            settle=s.settle,
            logger=following.logger,
            count=self.medidor.count,
            measure=self.medidor.measure,
        )
        self.corridas = Corridas(
            self.aws("stepfunctions"),
            environment.state_machine_arn,
            ledger=self.ledger,
            clock=self.clock,
            new_id=self._new_mark,
        )
        return Contraster(environment, finishing, self.cuentas, self.corridas)

    def _state_machine(self) -> str:
        """Moto notes what is started; `run_errors` does what Step Functions would."""
        definition = json.dumps({"StartAt": "x", "States": {"x": {"Type": "Succeed"}}})
        role = "arn:aws:iam::123456789012:role/flow"
        made = self.aws("stepfunctions").create_state_machine(name="errores", definition=definition, roleArn=role)
        return made["stateMachineArn"]

    def _new_mark(self) -> str:
        self._marks += 1
        return f"marca-{self._marks}"

    def _stand_in(self) -> None:
        """The clients that each process makes once, and the roads out of it; everything else is what is deployed."""
        patch = self.monkeypatch.setattr
        self.deployed = {
            "receive_webhook": receiving._process,
            "follow_hooks": following._contraster,
            "reconcile": reconciling._process,
            "resolve_errors": resolving._outside,
            "operate": operating._process,
        }

        def cliente(*args: Any, **kwargs: Any) -> Cliente:
            return Cliente(*args, **kwargs, transport=self.transport)

        patch(contraster, "Cliente", cliente)
        patch(following, "_contraster", lambda: self.contraster)
        queues = Queues(self.aws("sqs"), self.queues.queue, self.queues.dead, None)
        patch(reconciling, "_process", lambda: reconciling._Process(self.contraster, queues, self.medidor))
        patch(reconciling, "now", self.clock)
        environment = receiving.Environment(TABLE, PREFIX, timedelta(days=400))
        patch(receiving, "_process", lambda: receiving._Process(environment, self.ledger, self.cuentas))
        patch(receiving, "now", self.clock)
        patch(receiving, "count", self.medidor.count)
        patch(receiving, "measure", self.medidor.measure)
        patch(resolving, "_outside", self._resolving)
        patch(operating, "_process", self._operating)
        # SQS in moto asks the machine's clock when a message may be seen again.
        patch("moto.sqs.models.unix_time_millis", lambda: self.clock().timestamp() * 1000)
        patch("moto.sqs.models.unix_time", lambda: self.clock().timestamp())
        # The 12 hours that a message may be hidden count from its receive; moto counts them from its sending.
        patch("moto.sqs.models.SQSBackend.change_message_visibility", self._hide)

    def _resolving(self) -> ResolvingOutside:
        s = self.settings
        return ResolvingOutside(
            ledger=self.ledger,
            bus=self.bus,
            cuentas=self.cuentas,
            corridas=self.corridas,
            connect=self.connect,
            catalogo=built_in(),
            clock=self.clock,
            logger=resolving.logger,
            count=self.medidor.count,
            terms=ResolvingTerms(
                quiet=s.quiet, settle=s.settle, resend_wait=_seconds("ResendWaitSeconds"), keep=timedelta(days=400)
            ),
        )

    def _operating(self) -> operating._Process:
        q = self.queues
        # Nobody waits for a message with a clock that stands still.
        colas = Colas(self.aws("sqs"), q.queue, q.dead, q.rejected, None, wait=0)
        return operating._Process(
            self.ledger, self.bus, self.corridas, colas, self.clock, self.medidor.count, timedelta(days=400)
        )

    def _catch_logs(self) -> None:
        handler = logging.StreamHandler(self.log)
        for logger in _LOGGERS:
            handler.setFormatter(logger.registered_handler.formatter)
            logger.addHandler(handler)
        self._handler = handler

    def _hide(self, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        messages = sqs_backends["123456789012"]["us-east-1"].get_queue(queue_name)._messages
        next(m for m in messages if m.had_receipt_handle(receipt_handle)).change_visibility(visibility_timeout)
        self.waits.append(visibility_timeout)

    def close(self) -> None:
        for logger in _LOGGERS:
            logger.removeHandler(self._handler)
        self.contraster.finishing.pdfs.http.close()

    def _fetch(self, request: httpx.Request) -> httpx.Response:
        return self.transport.handle_request(request)

    @property
    def counts(self) -> Counter[str]:
        """What the metrics come to, summed, by name."""
        return self.medidor.sums

    def answer_with(self, change: Callable[[httpx.Request, httpx.Response], httpx.Response]) -> None:
        """From now on, what the provider answers is what `change` makes of it."""
        provider = self.transport.handle_request
        self.transport = httpx.MockTransport(lambda request: change(request, provider(request)))

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    # -- the company and its cuentas

    def add_cuenta(self, alias: str = "norte", *, modo: str = "lotes", dev: bool = False, **secret: Any) -> CuentaSim:
        """A cuenta that works, here and at the provider."""
        number = len(self.proveedor.cuentas)
        cuenta = CuentaSim(
            alias=alias,
            apikey=f"7{number}98120463",
            apitoken=f"apitoken0of0{alias}0{'x' * 12}",
            usertoken=f"usertoken0of0{alias}0{'y' * 12}",
            punto_venta=3,
            webhook_url=f"https://api.test/hooks/{alias}",
            webhook_token=f"webhooktoken0of0{alias}",
            dev=dev,
        )
        self.proveedor.web_add_cuenta(cuenta)
        self.secret(alias, modo=modo, **secret)
        self.secrets += [cuenta.apikey, cuenta.apitoken, cuenta.usertoken, cuenta.webhook_token, f"llave0of0{alias}"]
        return cuenta

    def secret(self, alias: str, **changes: Any) -> None:
        """The secret of a cuenta, as it should be but for `changes`."""
        cuenta = self.proveedor.cuentas[alias]
        whole = {
            "apikey": cuenta.apikey,
            "apitoken": cuenta.apitoken,
            "usertoken": cuenta.usertoken,
            "webhook_tokens": [cuenta.webhook_token],
            "llave": f"llave0of0{alias}",
        }
        self.put_secret(alias, **{**whole, **changes})

    def message(self, reference: str, cuenta: str | None = "norte", **fields: Any) -> dict[str, Any]:
        """A valid message of today. Keywords are fields of `comprobante`; `precio` makes another content."""
        body = copy.deepcopy(_FACTURA_B)
        today = f"{self.clock() - timedelta(hours=3):%d/%m/%Y}"
        body["comprobante"] |= {"fecha": today, "vencimiento": today, "external_reference": reference}
        if precio := fields.pop("precio", None):
            body["comprobante"]["detalle"][0]["producto"]["precio_unitario_sin_iva"] = precio
            del body["comprobante"]["total"]
        if reemplaza := fields.pop("reemplaza", None):
            body["reemplaza"] = reemplaza
        body["comprobante"] |= fields
        return body if cuenta is None else {"cuenta": cuenta, **body}

    def send(self, *references: str, **fields: Any) -> list[str]:
        """Puts a message for each reference on the queue; gives their ids."""
        return [self.put(self.message(reference, **fields)) for reference in references]

    def put(self, body: Any, queue_url: str | None = None, **attributes: Any) -> str:
        text = body if isinstance(body, str) else json.dumps(body)
        url = queue_url or self.queues.queue
        return self.aws("sqs").send_message(QueueUrl=url, MessageBody=text, **attributes)["MessageId"]

    # -- pack_lotes and its event source

    def pack(self, *, most: int = 100, seconds: float = 300.0, **outside: Any) -> list[str]:
        """One invocation with what can be seen on the queue; gives the ids that it returned.

        `outside` replaces parts of the world that `send` is given; the whole batch comes again if it raises.
        """
        event = self.receive(most)
        if not event["Records"]:
            return []
        again = send(registros(event), replace(self.outside(seconds), **outside), self.settings)
        assert len(again) == len(set(again)) and set(again) <= {r["messageId"] for r in event["Records"]}
        for record in event["Records"]:
            if record["messageId"] not in again:
                self.aws("sqs").delete_message(QueueUrl=self.queues.queue, ReceiptHandle=record["receiptHandle"])
        return again

    def outside(self, seconds: float = 300.0) -> Outside:
        return Outside(
            ledger=self.ledger,
            bus=self.bus,
            cuentas=self.cuentas,
            sqs=self.aws("sqs"),
            connect=self.connect,
            clock=self.clock,
            new_id=self._new_lote,
            rng=self.rng,
            remaining=self.remaining(seconds),
            together=map,
            logger=packing.logger,
            count=self.medidor.count,
            measure=self.medidor.measure,
        )

    def _new_lote(self) -> str:
        self._lotes += 1
        return f"{self._lotes:08d}-lote"

    def connect(self, cuenta: Any, transport: httpx.BaseTransport | None = None) -> Cliente:
        """A client of the simulator, or of whoever answers on `transport`."""
        credenciales = Credenciales(cuenta.apikey, cuenta.apitoken, cuenta.usertoken)
        timeout = self.settings.provider_timeout.total_seconds()
        return Cliente(PROVIDER, credenciales, timeout=timeout, transport=transport or self.transport)

    def bus_without(self, *references: str) -> Bus:
        """A bus that does not take what tells of these: PutEvents answers with a FailedEntryCount."""
        events = self.aws("events")

        class Events:
            @staticmethod
            def put_events(Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
                failed = [json.loads(e["Detail"])["external_reference"] in references for e in Entries]
                kept = [e for e, out in zip(Entries, failed, strict=True) if not out]
                if kept:
                    events.put_events(Entries=kept)
                said = [{"ErrorCode": "ThrottlingException"} if out else {"EventId": "x"} for out in failed]
                return {"FailedEntryCount": sum(failed), "Entries": said}

        return Bus(Events(), BUS)

    def remaining(self, seconds: float) -> Callable[[], timedelta]:
        end = self.clock() + timedelta(seconds=seconds)
        return lambda: max(end - self.clock(), timedelta(0))

    def receive(self, most: int = 100) -> dict[str, Any]:
        """An SQS event with what can be seen."""
        records: list[dict[str, Any]] = []
        while len(records) < most:
            answer = self.aws("sqs").receive_message(
                QueueUrl=self.queues.queue, MaxNumberOfMessages=min(10, most - len(records)), AttributeNames=["All"]
            )
            if "Messages" not in answer:
                break
            records += [
                {
                    "messageId": m["MessageId"],
                    "receiptHandle": m["ReceiptHandle"],
                    "body": m["Body"],
                    "attributes": m["Attributes"],
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                }
                for m in answer["Messages"]
            ]
        return {"Records": records}

    def waiting(self, queue_url: str | None = None) -> int:
        """Messages on a queue, seen or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = queue_url or self.queues.queue
        answer = self.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def rejected(self) -> list[tuple[str, str, str]]:
        """(codigo, motivo, body) of what was rejected since the last look."""
        found = []
        while (
            messages := self.aws("sqs")
            .receive_message(QueueUrl=self.queues.rejected, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            .get("Messages")
        ):
            for m in messages:
                said = {name: value["StringValue"] for name, value in m["MessageAttributes"].items()}
                found.append((said["codigo"], said["motivo"], m["Body"]))
                self.aws("sqs").delete_message(QueueUrl=self.queues.rejected, ReceiptHandle=m["ReceiptHandle"])
        return found

    # -- receive_webhook, behind the HTTP API

    def deliver(self) -> int:
        """The provider posts the hooks that are due; how many."""
        due = self.proveedor.advance()
        for entrega in due:
            self.proveedor.delivered(entrega, self._deliver(entrega))
        return len(due)

    def _deliver(self, entrega: Any) -> int | None:
        if not self.hooks_reach_us:
            return None
        return self.post(entrega.cuenta, entrega.body, headers=entrega.headers)

    def post(self, cuenta: str, body: bytes | str | dict[str, Any], **request: Any) -> int:
        """The status that a POST to the public door is answered."""
        answer = receiving.handler(http_event(cuenta, body, **request), Context(self.remaining(10)))
        assert set(json.loads(answer["body"])) == set(), "nothing is told to whoever knocks"
        return answer["statusCode"]

    def hook(self, reference: str, evento: str, hook_id: str, *msg: str, cuenta: str = "norte") -> int:
        """An authentic hook, as the provider writes it."""
        body = {
            "creado": "02/03/2026 09:00:00",
            "evento": evento,
            "recurso": "facturacion",
            "external_reference": reference,
            "intento": 1,
            "msg": list(msg),
            "hook_id": hook_id,
        }
        return self.post(cuenta, body, headers={"tf-webhooktoken": f"webhooktoken0of0{cuenta}"})

    # -- follow_hooks behind the stream, reconcile behind the schedule

    def follow(self) -> dict[str, Any]:
        """One invocation with the hooks inserted since the last one, and again with those that failed."""
        records = self.stream()
        if not records:
            return {"batchItemFailures": []}
        answer = following.handler({"Records": records}, Context(self.remaining(120)))
        for failure in answer["batchItemFailures"]:
            numbers = [r["dynamodb"]["SequenceNumber"] for r in records]
            self._again = records[numbers.index(failure["itemIdentifier"]) :]
        return answer

    def stream(self) -> list[dict[str, Any]]:
        """The hooks that were inserted since the last look, in the shape of Lambda's event."""
        # moto's own API for streams takes seconds to serialise what it holds; this is what it holds.
        shard = dynamodb_backends["123456789012"]["us-east-1"].get_table(TABLE).stream_shard.items
        new, self._streamed = shard[self._streamed :], len(shard)
        records = self._again + [as_lambda_has_it(r.record) for r in new if is_hook(r.record)]
        self._again = []
        return records

    def peek(self) -> list[dict[str, Any]]:
        self._again = self.stream()
        return self._again

    def reconcile(self, seconds: float = 300.0) -> dict[str, Any]:
        return self.invoke({}, seconds)

    def invoke(self, event: dict[str, Any], seconds: float = 300.0) -> dict[str, Any]:
        """One invocation of reconcile, called by a person's tools or the schedule."""
        return reconciling.handler(event, Context(self.remaining(seconds)))

    @contextmanager
    def ledger_of_reconcile(self, ledger: Any) -> Iterator[None]:
        """Contrasts and reconciliations have this ledger."""
        before = self.contraster
        self.contraster = replace(before, finishing=replace(before.finishing, ledger=ledger))
        try:
            yield
        finally:
            self.contraster = before

    # -- resolve_errors, behind Step Functions

    def executions(self, status: str = "RUNNING") -> list[str]:
        """The names of the executions that were started, oldest first."""
        listed = self.aws("stepfunctions").list_executions(
            stateMachineArn=self.contraster.environment.state_machine_arn, statusFilter=status
        )
        return sorted((e["name"] for e in listed["executions"]), key=lambda name: int(name.rpartition("-")[2]))

    def task(self, paso: str, corrida: str, cuenta: str = "norte", vuelta: int = 0, **more: Any) -> dict[str, Any]:
        """One task of a run, as the state machine calls it."""
        event = {"paso": paso, "corrida": corrida, "cuenta": cuenta, "vuelta": vuelta}
        return resolving.handler(event, Context(self.remaining(more.get("seconds", 300))))

    def step_runs(self) -> list[str]:
        """Whatever Step Functions would do at this instant, as flow.asl.json says; gives the tasks that were done."""
        done: list[str] = []
        for name in self.executions():
            cuenta = name.rpartition("-")[0]
            siguiente, vuelta, due = self._runs.get(name, ("tomar", 0, self.clock()))
            while siguiente != "fin" and due <= self.clock():
                output = self.task("planear" if siguiente == "asentar" else siguiente, name, cuenta, vuelta)
                done.append("planear" if siguiente == "asentar" else siguiente)
                siguiente, vuelta = output["siguiente"], output["vuelta"]
                wait = output["segundos"] if siguiente == "asentar" else 0
                due = self.clock() + timedelta(seconds=wait)
            self._runs[name] = (siguiente, vuelta, due)
            if siguiente == "fin":
                self.end(name)
        return done

    def run_errors(self, *, rounds: int = 400) -> list[str]:
        """Every run that was started, to its end, as time passes; gives the tasks that were done."""
        done = self.step_runs()
        for _ in range(rounds):
            waiting = [self._runs[name][2] if name in self._runs else self.clock() for name in self.executions()]
            if not waiting:
                break
            self.clock.advance(seconds=max(0.0, (min(waiting) - self.clock()).total_seconds()))
            self.deliver()
            self.follow()
            done += self.step_runs()
        return done

    def use_up(self, name: str) -> None:
        """An execution of that name was started, and ended before it took the lease."""
        arn = self.contraster.environment.state_machine_arn
        self.aws("stepfunctions").start_execution(stateMachineArn=arn, name=name, input="{}")
        self.end(name)

    def end(self, name: str) -> None:
        """Step Functions has done with it."""
        arn = self.contraster.environment.state_machine_arn.replace(":stateMachine:", ":execution:")
        self.aws("stepfunctions").stop_execution(executionArn=f"{arn}:{name}")

    # -- operate, which people invoke

    def operate(
        self, orden: str, *, seconds: float = 120, solicitud: str = "solicitud-1", **more: Any
    ) -> dict[str, Any]:
        """Through JSON both ways, as Lambda does it."""
        event = json.loads(json.dumps({"orden": orden, **more}))
        return json.loads(json.dumps(operating.handler(event, Context(self.remaining(seconds), solicitud))))

    def widget(
        self,
        consola: dict[str, Any] | None = None,
        form: dict[str, str] | None = None,
        *,
        seconds: float = 120,
        solicitud: str = "solicitud-1",
        **params: Any,
    ) -> Seen:
        """The widget as CloudWatch invokes it: what a button sent, what was filled in, the parameters of the panel."""
        shown = {"dashboardName": "facturacion-negocio", "accountId": "123456789012", "theme": "light"}
        event = {"widgetContext": {**shown, "params": params, "forms": {"all": form or {}}}}
        event |= {"consola": consola} if consola else params
        html = operating.handler(json.loads(json.dumps(event)), Context(self.remaining(seconds), solicitud))
        return Seen(html)

    # -- all of it

    def settle(self) -> None:
        """Whatever can happen at this instant: hooks, folds, messages that can be seen."""
        while self.deliver() or self.receivable():
            self.follow()
            self.pack()
        self.follow()

    def receivable(self, queue_url: str | None = None) -> bool:
        """Whether a queue has messages that can be seen."""
        name = "ApproximateNumberOfMessages"
        url = queue_url or self.queues.queue
        answer = self.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return answer["Attributes"][name] != "0"

    def run(self, *, steps: int, **step: float) -> None:
        """Let time pass in steps (`minutes=10`); in each, all that is due happens, and a reconciliation."""
        self.settle()
        for _ in range(steps):
            self.clock.advance(**step)
            self.settle()
            self.reconcile()
            self.step_runs()

    # -- what came of it

    def asiento(self, reference: str, cuenta: str = "norte") -> Any:
        return self.ledger.get(cuenta, reference)

    def estado(self, reference: str, cuenta: str = "norte") -> str | None:
        asiento = self.asiento(reference, cuenta)
        return str(asiento.estado) if asiento else None

    def estados(self, *references: str) -> set[str | None]:
        return {self.estado(reference) for reference in references}

    def events(self, reference: str) -> list[str]:
        """The kinds of event that told of a reference, in order, repeats included."""
        return [kind for kind, detail in self.published() if detail["external_reference"] == reference]

    def details(self, reference: str, kind: str) -> list[dict[str, Any]]:
        return [d for k, d in self.published() if k == kind and d["external_reference"] == reference]

    def posts(self) -> list[list[str]]:
        """The references of each POST that reached the provider's door."""
        return [post.referencias for post in self.proveedor.posts]

    def calls(self, metodo: str = "facturacion/consulta_avanzada") -> int:
        return self.proveedor.llamadas[metodo]

    def assert_nothing_twice(self) -> None:
        summary = self.proveedor.summary()
        assert summary["accepted_twice"] == summary["issued_twice"] == []

    def items(self) -> list[dict[str, Any]]:
        """Every item of the table, typed."""
        pages = self.aws("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
        return [item for page in pages for item in page["Items"]]


def _seconds(parameter: str) -> timedelta:
    return timedelta(seconds=default(parameter))


@pytest.fixture
def house(request, monkeypatch):
    """A house with one cuenta, `norte`, and a provider that does nothing wrong."""
    parts = ("aws", "clock", "queues", "ledger", "bus", "published", "put_secret", "cuentas")
    built = House(*map(request.getfixturevalue, parts), monkeypatch)
    built.add_cuenta()
    yield built
    built.close()
