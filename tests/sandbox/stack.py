"""The running sandbox as one object: the deployed template, its event source, cuentas, and the provider's simulator."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.sandbox.cuentas import WEBHOOK_HEADER, SandboxCuenta, create_secrets, make_cuentas
from tests.sandbox.deploy import TEMPLATE, Deployed, check_parameters, deploy, undeploy
from tests.sandbox.emf import EmfForwarder
from tests.sandbox.ministack import REGION, Account, Emulator
from tests.sandbox.simulator.running import Simulator, run_simulator
from tests.sandbox.sqs_source import SqsSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

STACK_NAME = "facturacion"
DEFAULT_ACCOUNT = "000000000000"

# Everything that waits, in seconds, so that a test sees it happen.
SHORT = {
    "QuietPeriodSeconds": "3",
    "SettleSeconds": "1",
    "ResendWaitSeconds": "1",
    "RetryDelaySeconds": "1",
    "LoteWindowSeconds": "1",
    "HookWindowSeconds": "0",
    "ProviderTimeoutSeconds": "3",
    "PackTimeoutSeconds": "60",
    "VisibilitySeconds": "371",
}


@dataclass
class Stack:
    """A deployed template that works: messages on `queue_url` reach `pack_lotes` as on AWS."""

    account: Account
    deployed: Deployed
    parameters: dict[str, str]
    cuentas: list[SandboxCuenta]
    template: Path
    _simulator: Simulator | None
    _source: SqsSource | None = field(default=None, repr=False)
    _metrics: EmfForwarder | None = field(default=None, repr=False)

    def boto(self, service: str, **config: Any) -> Any:
        """A boto3 client of the stack's account."""
        return self.account.boto(service, **config)

    @property
    def simulator(self) -> Simulator:
        if self._simulator is None:
            raise LookupError("this sandbox talks to a provider of its own: it has no simulator")
        return self._simulator

    @property
    def queue_url(self) -> str:
        return self.deployed.outputs["QueueUrl"]

    @property
    def dlq_url(self) -> str:
        return self.deployed.outputs["DlqUrl"]

    @property
    def rejected_queue_url(self) -> str:
        return self.deployed.outputs["RejectedQueueUrl"]

    @property
    def table(self) -> str:
        return self.deployed.outputs["TableName"]

    @property
    def bus(self) -> str:
        return self.deployed.outputs["BusName"]

    @property
    def functions(self) -> dict[str, str]:
        return self.deployed.functions

    @property
    def state_machine_arn(self) -> str | None:
        return self.deployed.outputs.get("StateMachineArn")

    @property
    def api_url(self) -> str | None:
        """Root of the HTTP API, None where the template has none. For a request use `url_of`."""
        apis = list(self.deployed.of_type("AWS::ApiGatewayV2::Api").values())
        return f"{self.account.endpoint_url}/_aws/execute-api/{apis[0]}" if apis else None

    def url_of(self, path: str) -> str:
        """The full URL of a path of the API.

        The emulator looks for an API in the account of the request, and knows that only from a signature. An unsigned
        request is the default account's; for another one a credential in the query tells it.
        """
        if self.api_url is None:
            raise LookupError("the template has no AWS::ApiGatewayV2::Api")
        url = f"{self.api_url}/{path.lstrip('/')}"
        if self.account.account_id == DEFAULT_ACCOUNT:
            return url
        return f"{url}?X-Amz-Credential={self.account.account_id}/20260101/{REGION}/execute-api/aws4_request"

    def webhook_url(self, alias: str) -> str | None:
        return self.url_of(f"/hooks/{alias}") if self.api_url else None

    def cuenta(self, alias: str) -> SandboxCuenta:
        return next(cuenta for cuenta in self.cuentas if cuenta.alias == alias)

    def outputs(self) -> dict[str, Any]:
        """What `.sandbox/outputs.json` holds."""
        return {
            "endpoint_url": self.account.endpoint_url,
            "region": REGION,
            "account_id": self.account.account_id,
            "functions": self.functions,
            "queue_url": self.queue_url,
            "dlq_url": self.dlq_url,
            "rejected_queue_url": self.rejected_queue_url,
            "table": self.table,
            "bus": self.bus,
            "state_machine_arn": self.state_machine_arn,
            "api_url": self.api_url,
            "webhook_url": self.webhook_url("{cuenta}"),
            "simulator_url": self._simulator.url if self._simulator else None,
            "cuentas": {
                cuenta.alias: {
                    "webhook_url": self.webhook_url(cuenta.alias),
                    "webhook_header": WEBHOOK_HEADER,
                    "webhook_token": cuenta.webhook_token,
                    "punto_venta": cuenta.punto_venta,
                    "apikey": cuenta.apikey,
                    "apitoken": cuenta.apitoken,
                    "usertoken": cuenta.usertoken,
                }
                for cuenta in self.cuentas
            },
        }

    def redeploy(self, **parameters: str) -> None:
        """Update the stack to the template as it is now, with these parameters changed."""
        self.pause()
        self.parameters |= parameters
        self.deployed = deploy(self.account, self.deployed.name, self.parameters, self.template)
        self.resume()

    def pause(self) -> None:
        """Stop the event source: messages stay on the queue. Running invocations get their time to end."""
        if self._source:
            self._source.stop()
        self._source = None

    def resume(self) -> None:
        self._source = SqsSource(self.account, set(self.functions.values()))
        self._source.start()

    def complaint(self) -> str:
        """What of the sandbox (the emulator apart) has died; "" if nothing."""
        try:
            if self._simulator:
                self._simulator.plan()
        except httpx.HTTPError as error:
            return f"the provider's simulator does not answer ({error})"
        if self._source and not self._source.healthy():
            return "the SQS event source died"
        if self._metrics and not self._metrics.healthy():
            return "the metrics are not forwarded any more"
        return ""

    def forward_metrics(self) -> EmfForwarder:
        """From now on, until it is stopped, what the functions measure is in CloudWatch, and rings its alarms."""
        groups = [name for name in self.deployed.of_type("AWS::Logs::LogGroup").values() if "/lambda/" in name]
        self._metrics = EmfForwarder(self.account, groups)
        self._metrics.start()
        return self._metrics

    def register_cuentas(self) -> None:
        """Make the simulated provider know the cuentas, with the webhook each has set there.

        It refuses lotes of a cuenta without webhook, so one that leads nowhere stands in where the template has no API.
        """
        for cuenta in self.cuentas if self._simulator else ():
            self.simulator.web(
                "add_cuenta",
                alias=cuenta.alias,
                apikey=cuenta.apikey,
                apitoken=cuenta.apitoken,
                usertoken=cuenta.usertoken,
                punto_venta=cuenta.punto_venta,
                cuit=cuenta.cuit,
                webhook_url=self.webhook_url(cuenta.alias) or f"{self.account.endpoint_url}/hooks/{cuenta.alias}",
                webhook_token=cuenta.webhook_token,
            )


@contextmanager
def running_stack(
    emulator: Emulator,
    account_id: str = DEFAULT_ACCOUNT,
    *,
    parameters: Mapping[str, str] | None = None,
    cuentas: Sequence[SandboxCuenta] | None = None,
    provider_url: str | None = None,
    simulator: Mapping[str, Any] | None = None,
    template: Path = TEMPLATE,
    stack_name: str = STACK_NAME,
    metrics: bool = False,
) -> Iterator[Stack]:
    """Deploy the template, create the cuentas' secrets, start the event source; undo it all at the end.

    `metrics`: forward what the functions measure to CloudWatch, which few want and costs a look at the logs a second.
    Without `provider_url` a simulator is started, with `simulator` as its configuration (`plan`, `seed`).
    Raises UnknownParameterError or DeployError.
    """
    parameters = dict(parameters or {})
    check_parameters(parameters, template)
    account = emulator.account(account_id)
    with ExitStack() as cleanup:
        provider = None
        if provider_url is None:
            provider = cleanup.enter_context(run_simulator(dict(simulator or {})))
        parameters |= {"ProviderBaseUrl": provider_url or (provider.api_url if provider else "")}
        cuentas = list(make_cuentas() if cuentas is None else cuentas)
        create_secrets(account.boto("secretsmanager"), stack_name, cuentas)
        cleanup.callback(take_down, emulator, account, stack_name)
        deployed = deploy(account, stack_name, parameters, template)
        stack = Stack(account, deployed, parameters, cuentas, template, provider)
        stack.register_cuentas()
        cleanup.callback(stack.pause)
        stack.resume()
        if metrics:
            cleanup.callback(stack.forward_metrics().stop)
        yield stack


def take_down(emulator: Emulator, account: Account, stack_name: str) -> None:
    """Delete the stack; with a dead emulator it is gone already."""
    if emulator.alive():
        undeploy(account, stack_name)
