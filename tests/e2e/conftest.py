"""One emulator for the whole session; each test has an AWS account of its own in it, with a freshly deployed stack."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from tests.sandbox.ministack import Emulator
from tests.sandbox.stack import SHORT, running_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox.ministack import Account
    from tests.sandbox.stack import Stack

_numbers = count(1)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """It enforces the IAM policies of the functions' roles: what the template does not grant is denied."""
    log = tmp_path_factory.mktemp("emulator") / "emulator.log"
    with Emulator.start(auth=True, log_path=log) as running:
        yield running


@pytest.fixture
def account(emulator: Emulator) -> Account:
    """An empty AWS account that no other test uses."""
    return emulator.account(f"{100_000_000_000 + next(_numbers)}")


@pytest.fixture
def start_stack(emulator: Emulator, account: Account) -> Iterator[Callable[..., Stack]]:
    """Starts the test's stack: the project's template with short times and a simulator.

    `start_stack(simulator={"plan": {…}}, BatchSize=20)`: keyword arguments in CamelCase are template parameters, the
    others go to `running_stack`.
    """
    with ExitStack() as cleanup:

        def start(**given: Any) -> Stack:
            parameters = {name: str(given.pop(name)) for name in list(given) if name[0].isupper()}
            return cleanup.enter_context(
                running_stack(emulator, account.account_id, parameters=SHORT | parameters, **given)
            )

        yield start


@pytest.fixture
def stack(start_stack: Callable[..., Stack]) -> Stack:
    """The project's template, deployed with short times, its event source running, a simulated provider attached."""
    return start_stack()
