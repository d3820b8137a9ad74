"""`python -m tests.sandbox up|down|status`: a local AWS with the project on it that stays after the command ends.

up      starts it, or tells that it runs already; exit status 2 if it runs with other settings
down    ends it and everything it started; harmless if nothing runs
status  exit status 0 if it runs, 1 if not, with the reason if it died
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.sandbox.daemon import GO
from tests.sandbox.deploy import ROOT, check_parameters
from tests.sandbox.ministack import in_use
from tests.sandbox.state import FOLDER, Folder, Settings, State
from tests.sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

START_TIMEOUT = 240.0
STOP_TIMEOUT = 60.0
REMAINS_TIMEOUT = 20.0
LOCK_TIMEOUT = 0.5  # `status` or `down` may look at the lock just now
ALIAS_LIMIT = 32


def up(folder: Folder, settings: Settings) -> int:
    """Raises UnknownParameterError before anything is done."""
    check_parameters(settings.parameters)
    lock = folder.lock(LOCK_TIMEOUT)
    if lock is None:
        return join_running(folder, settings)
    stale = folder.read_state()
    if stale:
        died = f"died ({first_line(stale.reason)})" if stale.phase == "failed" else "was killed"
        print(f"The last sandbox {died}; starting another one.")
    folder.forget()
    os.close(lock)
    if stale and settings.port:
        # What it left ends by itself, within seconds.
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not in_use(settings.port), REMAINS_TIMEOUT)
    print("Starting the sandbox …", flush=True)
    with folder.daemon_log.open("ab") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "tests.sandbox.daemon", str(folder.path), settings.to_json()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        state = wait_until(
            lambda: settled(folder) or (State("failed", settings) if daemon.poll() is not None else None),
            START_TIMEOUT,
            "the sandbox did not start",
        )
        # Two `up` at once: only one daemon gets the lock.
        if state.phase == "ready" and folder.holder() == daemon.pid and daemon.stdin:
            daemon.stdin.write(GO)
            daemon.stdin.close()
            print(summary(folder))
            return 0
    except (TimeoutError, BrokenPipeError) as error:
        state = State("failed", settings, str(error))
    finally:
        # Unless it was told to go, the end of its input ends it: also after Ctrl-C, which comes through here.
        if daemon.stdin and not daemon.stdin.closed:
            daemon.stdin.close()
            end(daemon.pid, lambda: daemon.poll() is not None)
    if folder.holder():
        return join_running(folder, settings)
    state = settled(folder) or state
    return complain(f"The sandbox did not start: {state.reason or 'it was killed'}\nIts log: {folder.daemon_log}")


def join_running(folder: Folder, settings: Settings) -> int:
    """Somebody started it before us."""
    state = wait_until(lambda: settled(folder), START_TIMEOUT, "the sandbox that is being started is not ready")
    if state.phase != "ready":
        return complain(f"The sandbox that was being started failed: {state.reason}")
    if differences := compare(state.settings, settings):
        return complain("A sandbox with other settings runs; `make down` first.\n" + "\n".join(differences), 2)
    print(f"The sandbox runs already.\n{summary(folder)}")
    return 0


def down(folder: Folder) -> int:
    if pid := folder.holder():
        end(pid, lambda: folder.holder() != pid)
        print("The sandbox is down.")
    else:
        print("No sandbox runs.")
    lock = folder.lock()
    if lock is None:
        return complain("A sandbox was started meanwhile; it is left alone.")
    folder.remove()
    os.close(lock)
    return 0


def status(folder: Folder) -> int:
    state = folder.read_state()
    if folder.holder():
        if state and state.phase == "ready":
            print(f"The sandbox runs.\n{summary(folder)}")
            return 0
        return complain("The sandbox is being started or stopped.")
    if state and state.phase == "failed":
        return complain(f"The sandbox died: {state.reason}\nIts logs: {folder.daemon_log} {folder.emulator_log}")
    return complain("The sandbox was killed." if state else "No sandbox runs.")


def end(pid: int, ended: Callable[[], bool]) -> None:
    """SIGTERM, and SIGKILL for what ignores it; the emulator and the simulator never outlive the daemon."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        with contextlib.suppress(TimeoutError):
            wait_until(ended, STOP_TIMEOUT)
            return
    raise TimeoutError(f"process {pid} does not end")


def settled(folder: Folder) -> State | None:
    state = folder.read_state()
    return state if state and state.phase != "starting" else None


def compare(running: Settings, asked: Settings) -> list[str]:
    """One line for each setting that differs. A port that was not asked for is no difference."""
    differences = []
    if running.provider_url != asked.provider_url:
        differences.append(f"  PROVIDER_URL: runs with {running.provider_url!r}, asked {asked.provider_url!r}")
    for name in sorted(running.parameters | asked.parameters):
        ours, theirs = (values.get(name, "the default") for values in (running.parameters, asked.parameters))
        if ours != theirs:
            differences.append(f"  {name}: runs with {ours}, asked {theirs}")
    if asked.port and running.port != asked.port:
        differences.append(f"  PORT: runs with {running.port or 'a free one'}, asked {asked.port}")
    if running.cuentas != asked.cuentas:
        differences.append(f"  CUENTAS: runs with {','.join(running.cuentas)}, asked {','.join(asked.cuentas)}")
    return differences


def summary(folder: Folder) -> str:
    outputs: dict[str, Any] = folder.read_outputs()
    lines = {
        "Page": outputs["page_url"],
        "AWS": f"{outputs['endpoint_url']} (region {outputs['region']}, access key and secret: test)",
        "Queue": outputs["queue_url"],
        "Ledger": outputs["table"],
        "Bus": outputs["bus"],
        "Provider": outputs["simulator_url"] or folder_provider(folder),
        "Webhooks": f"{outputs['api_url']}/hooks/{{cuenta}}" if outputs["api_url"] else "none in this template",
        "Cuentas": ", ".join(
            f"{alias} (punto de venta {cuenta['punto_venta']})" for alias, cuenta in outputs["cuentas"].items()
        ),
        "Details": str(folder.outputs_path),
        "Stop": "make down",
    }
    return "\n".join(f"  {name + ':':<10} {value}" for name, value in lines.items())


def folder_provider(folder: Folder) -> str:
    state = folder.read_state()
    return state.settings.provider_url if state else "?"


def first_line(text: str) -> str:
    return text.splitlines()[0] if text else "no reason known"


def complain(text: str, code: int = 1) -> int:
    print(text, file=sys.stderr)
    return code


def parse_parameters(text: str) -> dict[str, str]:
    """`Name=value Other="two words"`. Raises ValueError."""
    parameters = {}
    for part in shlex.split(text):
        name, equals, value = part.partition("=")
        if not (name and equals):
            raise ValueError(f"PARAMS must be Name=value pairs: {part!r}")
        parameters[name] = value
    return parameters


def parse_cuentas(text: str) -> tuple[str, ...]:
    """`uno,dos`. Raises ValueError for what is no alias."""
    aliases = tuple(alias.strip() for alias in text.split(",") if alias.strip())
    for alias in aliases:
        plain = alias.isascii() and alias.replace("-", "a").isalnum() and alias == alias.lower()
        if not plain or alias.startswith("-") or len(alias) > ALIAS_LIMIT or aliases.count(alias) > 1:
            raise ValueError(
                f"CUENTAS: {alias!r} is no alias (a-z, 0-9 and -, at most {ALIAS_LIMIT}), or is there twice"
            )
    return aliases


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Raises ValueError with a message for the person who typed it."""
    if arguments.port and not (arguments.port.isascii() and arguments.port.isdigit() and int(arguments.port) < 65536):
        raise ValueError(f"PORT is no port number: {arguments.port!r}")
    settings = Settings(
        provider_url=arguments.provider_url.strip(),
        parameters=parse_parameters(arguments.params),
        port=int(arguments.port or 0),
        cuentas=parse_cuentas(arguments.cuentas) or Settings().cuentas,
    )
    if "ProviderBaseUrl" in settings.parameters:
        raise ValueError("the provider's address is given as PROVIDER_URL, not in PARAMS")
    if settings.provider_url and not settings.provider_url.startswith(("http://", "https://")):
        raise ValueError(f"PROVIDER_URL is no http(s) address: {settings.provider_url!r}")
    return settings


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=["up", "down", "status"])
    for name, text in {
        "PROVIDER_URL": "the provider's address (a simulator is started if not given)",
        "PARAMS": "template parameters: Name=value …",
        "PORT": "the emulator's port (a free one if not given)",
        "CUENTAS": "aliases, separated by commas",
    }.items():
        option = "--" + name.lower().replace("_", "-")
        parser.add_argument(option, default=environment.get(name, ""), help=f"{text}; or in the environment as {name}")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=argparse.SUPPRESS)
    parsed = parser.parse_args(arguments)
    folder = Folder(parsed.folder.resolve())
    try:
        if parsed.command == "down":
            return down(folder)
        if parsed.command == "status":
            return status(folder)
        return up(folder, read_settings(parsed))
    except (ValueError, TimeoutError) as error:
        return complain(str(error))


if __name__ == "__main__":
    # A shell that runs us in the background makes us ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:], os.environ))
    except KeyboardInterrupt:
        sys.exit(130)
