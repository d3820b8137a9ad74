"""`python -m tests.sandbox.simulator --port 0 --config file.json`: prints one JSON line with its ports, and serves.

The configuration: `{"cuentas": [CuentaSim fields], "plan": {Plan fields}, "seed": 1}`. With `--config -` it is the
first line of the standard input, and the end of the input ends the simulator: it never outlives who started it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.sandbox.simulator.plan import CuentaSim, Plan
from tests.sandbox.simulator.provider import Proveedor
from tests.sandbox.simulator.web import serve


def _announce(port: int, admin_port: int) -> None:
    line = {"port": port, "admin_port": admin_port, "url": f"http://127.0.0.1:{port}"}
    print(json.dumps(line), flush=True)


async def _stop_at_end(reader: asyncio.StreamReader, stop: asyncio.Event) -> None:
    while await reader.read(4096):
        pass
    stop.set()


async def _main(port: int, admin_port: int, text: str | None) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    lifeline = None
    if text is None:
        reader = asyncio.StreamReader(limit=2**24)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        text = (await reader.readline()).decode()
        lifeline = asyncio.create_task(_stop_at_end(reader, stop))
    config = json.loads(text)
    proveedor = Proveedor(
        clock=lambda: datetime.now(UTC),
        rng=random.Random(config.get("seed", 0)),
        cuentas=[CuentaSim(**cuenta) for cuenta in config.get("cuentas", [])],
        plan=Plan(**config.get("plan", {})),
    )
    await serve(proveedor, port=port, admin_port=admin_port, ready=_announce, stop=stop)
    if lifeline is not None:
        lifeline.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--admin-port", type=int, default=0)
    parser.add_argument("--config", required=True, help="a JSON file, or - for the first line of the input")
    options = parser.parse_args()
    given = None if options.config == "-" else Path(options.config).read_text(encoding="utf-8")
    asyncio.run(_main(options.port, options.admin_port, given))
