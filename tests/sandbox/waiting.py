"""Waiting on a condition, with a bound: the sandbox and its tests never sleep for a fixed time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | None],
    timeout: float = 60.0,
    message: str | Callable[[], str] = "",
    *,
    interval: float = 0.05,
) -> T:
    """The first true value of `condition`, asked every `interval` seconds (growing up to half a second).

    Raises TimeoutError after `timeout` seconds. `message` may be a callable, for what is only known then.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        left = deadline - time.monotonic()
        if left <= 0:
            text = message() if callable(message) else message
            raise TimeoutError(f"{text or 'the condition never came true'} (waited {timeout:g} s)")
        time.sleep(min(interval, left))
        interval = min(interval * 1.5, 0.5)
    return value
