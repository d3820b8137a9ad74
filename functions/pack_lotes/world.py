"""What pack_lotes is given: what the environment decides, and everything outside."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from facturacion.cuentas import CuentaMalConfigurada

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from decimal import Decimal

    from aws_lambda_powertools import Logger
    from mypy_boto3_sqs import SQSClient

    from facturacion.cuentas import Cuenta, Cuentas
    from facturacion.events import Bus
    from facturacion.ledger import Ledger
    from facturacion.observability import Anotar
    from tusfacturas.client import Cliente


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides. `retry_delay`: the first wait of a message that comes again."""

    queue_url: str
    rejected_queue_url: str
    provider_timeout: timedelta
    quiet: timedelta
    settle: timedelta
    retry_delay: timedelta
    default_cuenta: str | None
    queue_fce: bool
    total_tolerance: Decimal

    @property
    def post_within(self) -> timedelta:
        """From the claim until its POST may no longer leave: time to connect, and for claiming a hundred (a second)."""
        return max(timedelta(seconds=15), min(timedelta(seconds=30), self.provider_timeout))

    @property
    def connect_timeout(self) -> timedelta:
        return min(timedelta(seconds=5), self.provider_timeout)

    @property
    def time_to_leave(self) -> timedelta:
        """The client connects within two attempts, or the request does not leave at all."""
        return 2 * self.connect_timeout

    @property
    def time_to_claim(self) -> timedelta:
        """Half of what is left for it: a lote that is slow to claim leaves with what it has."""
        return (self.post_within - self.time_to_leave) / 2

    @property
    def time_to_record(self) -> timedelta:
        """What recording a lote may need after its answer: 20 s with the real provider's timeout."""
        return max(timedelta(seconds=2), min(timedelta(seconds=20), self.provider_timeout / 5))

    @property
    def time_for_a_lote(self) -> timedelta:
        """No lote is begun with less time left."""
        return self.time_to_leave + self.provider_timeout + self.time_to_record

    @property
    def query_timeout(self) -> timedelta:
        return min(timedelta(seconds=30), self.provider_timeout)

    @property
    def time_to_ask(self) -> timedelta:
        """A query and its writes."""
        return self.time_to_leave + self.query_timeout + self.time_to_record / 2


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside: AWS, the provider, the clock, ids, chance. `remaining`: until Lambda ends the invocation.

    `together` does one thing to many, as `map` does, several of them at once where that saves time.
    """

    ledger: Ledger
    bus: Bus
    cuentas: Cuentas
    sqs: SQSClient
    connect: Callable[[Cuenta], Cliente]
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    rng: random.Random
    remaining: Callable[[], timedelta]
    together: Callable[[Callable[[str], bool | None], Sequence[str]], Iterable[bool | None]]
    logger: Logger
    count: Anotar
    measure: Anotar


@contextmanager
def the_rest_goes_on(world: World, **fields: str) -> Iterator[None]:
    """AWS failed, or a cuenta cannot be used: its messages stay, and stop nobody else's."""
    try:
        yield
    except (ClientError, BotoCoreError, CuentaMalConfigurada) as error:
        world.logger.exception("no_se_pudo", extra={**fields, "codigo": type(error).__name__})
