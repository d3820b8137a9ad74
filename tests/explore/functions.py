"""The functions that the world invokes. One more is one more line: its variables, its time and its processes follow."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any, NamedTuple

from tests.template import properties, with_defaults


class Function(NamedTuple):
    """What the template calls it, and the package of its handler."""

    logical_id: str
    package: str


FUNCTIONS = {
    "pack": Function("PackLotes", "pack_lotes"),
    "webhook": Function("ReceiveWebhook", "receive_webhook"),
    "follow": Function("FollowHooks", "follow_hooks"),
    "reconcile": Function("Reconcile", "reconcile"),
    "resolve": Function("ResolveErrors", "resolve_errors"),
}


def app_of(function: str) -> Any:
    """Its module; not imported before the variables are there."""
    return importlib.import_module(f"{FUNCTIONS[function].package}.app")


@cache
def seconds_of(function: str) -> float:
    """Lambda's limit."""
    return float(with_defaults(properties(FUNCTIONS[function].logical_id))["Timeout"])


def fresh_process(function: str) -> None:
    """The next invocation of this function starts a new process: nothing is cached."""
    app = app_of(function)
    for kept in vars(app).values():
        if hasattr(kept, "cache_clear") and kept.__module__ == app.__name__:
            kept.cache_clear()
