"""For all tests: what the functions ask of AWS is compared with what is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.calls import Recorder

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-aws-calls", action="store_true", help="write what was called as what is expected")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(config), "aws-calls")
