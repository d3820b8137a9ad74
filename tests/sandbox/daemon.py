"""The process that `up` leaves behind: emulator, deployed stack, event source, page and simulator, until `down`.

`python -m tests.sandbox.daemon FOLDER SETTINGS`, started by `up` only. Until `up` has said "go" on the standard input,
its end is ours: a `up` that is interrupted or killed leaves nothing. Afterwards SIGTERM ends us. However we end, the
emulator's watchdog and the simulator see their pipes close, and end too.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.sandbox.cuentas import make_cuentas
from tests.sandbox.ministack import Emulator
from tests.sandbox.page.server import serving_page
from tests.sandbox.stack import running_stack
from tests.sandbox.state import Folder, Settings, State

if TYPE_CHECKING:
    from tests.sandbox.stack import Stack

log = logging.getLogger("sandbox")

GO = b"go\n"
LOCK_TIMEOUT = 5.0  # somebody may look at the lock just now
CHECK_EVERY = 1.0


def main(folder: Folder, settings: Settings) -> int:
    stop_on_signals()
    threading.Thread(target=end_unless_told_to_go, daemon=True).start()
    # Never given back: the lock falls when the process has ended, and `down` waits for just that.
    lock = folder.lock(LOCK_TIMEOUT)
    if lock is None:
        log.error("another sandbox holds %s", folder.path)
        return 3
    folder.forget()
    folder.write_state(State("starting", settings))
    try:
        reason = serve(folder, lock, settings)
    except SystemExit:
        log.info("told to stop")
        folder.forget()
        return 0
    except Exception as error:
        # The boundary of the process: whatever it was, `up` and `status` have to be able to tell.
        log.exception("the sandbox failed")
        reason = f"{type(error).__name__}: {error}"
    log.error("%s", reason)
    folder.outputs_path.unlink(missing_ok=True)
    folder.write_state(State("failed", settings, reason))
    return 1


def serve(folder: Folder, lock: int, settings: Settings) -> str:
    """Start everything, tell so, and return only when a part has died: why. Raises SystemExit when told to stop."""
    with ExitStack() as cleanup:
        # While things are taken down a second SIGTERM must not interrupt it.
        cleanup.callback(ignore_signals)
        emulator = cleanup.enter_context(Emulator.start(settings.port or None, log_path=folder.emulator_log))
        stack = cleanup.enter_context(
            running_stack(
                emulator,
                parameters=settings.parameters,
                cuentas=make_cuentas(settings.cuentas),
                provider_url=settings.provider_url or None,
                metrics=True,
            )
        )
        page_url = cleanup.enter_context(serving_page(stack))
        cleanup.callback(ignore_signals)
        folder.write_outputs(stack.outputs() | {"page_url": page_url})
        folder.write_state(State("ready", settings))
        log.info("ready at %s", emulator.endpoint_url)
        while not (complaint := what_is_wrong(emulator, stack)):
            time.sleep(CHECK_EVERY)
            if not folder.keeps(lock):
                sys.exit(0)  # somebody removed the folder: no `down` could find us any more
        return complaint


def what_is_wrong(emulator: Emulator, stack: Stack) -> str:
    """Which part has died, "" if none."""
    if not emulator.alive():
        return f"the emulator ended; its log ends with:\n{emulator.log_tail()}"
    return stack.complaint()


def stop_on_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))


def ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def end_unless_told_to_go() -> None:
    if os.read(0, len(GO)) != GO:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    sys.exit(main(Folder(Path(sys.argv[1])), Settings.from_json(sys.argv[2])))
