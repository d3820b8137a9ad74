"""Starts and stops MiniStack, the AWS emulator: one process group, bound to 127.0.0.1, with a directory of its own.

A 12-digit access key is an AWS account of the emulator, so one server holds as many separate accounts as tests want.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config

from tests.sandbox import watchdog
from tests.sandbox.waiting import wait_until

if TYPE_CHECKING:
    from types import TracebackType

REGION = "us-east-1"
START_TIMEOUT = 60.0
# Inherited from the developer's shell; everything else (AWS_*, PYTHONPATH, LAMBDA_*) must not reach the handlers.
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY")

# One session for all accounts: it is what holds the parsed service models.
_session = boto3.session.Session(region_name=REGION)


class EmulatorError(RuntimeError):
    """The emulator did not start, or is gone; the message ends with the tail of its log."""


@dataclass(frozen=True)
class Account:
    """One AWS account of the emulator, by its 12 digits."""

    endpoint_url: str
    account_id: str

    def boto(self, service: str, **config: Any) -> Any:
        """A boto3 client of this account; `config` goes to botocore's Config (timeouts, retries, pool)."""
        client: Any = _session.client  # its stubs want the service's name as a literal
        return client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=self.account_id,
            aws_secret_access_key="test",
            config=Config(max_pool_connections=32, retries={"mode": "standard"}).merge(Config(**config)),
        )


@dataclass
class Emulator:
    """A running emulator. Use it as a context manager, or call `stop`."""

    port: int
    _directory: Path
    _mark: str
    _log: IO[bytes] = field(repr=False)
    _process: subprocess.Popen[bytes] = field(repr=False)

    @classmethod
    def start(cls, port: int | None = None, *, auth: bool = False, log_path: Path | None = None) -> Emulator:
        """Start it on `port` of 127.0.0.1 (a free one if not given) and wait until it is healthy.

        `auth` makes it enforce the IAM policies of the functions' roles. The log goes to `log_path`, else it is only
        in `log_tail` while we run. Raises EmulatorError; nothing is left running then.
        """
        attempts = 1 if port else 3  # another process may take a free port between our look and the bind
        for attempt in range(1, attempts + 1):
            emulator = cls._launch(port or free_port(), auth=auth, log_path=log_path)
            try:
                wait_until(emulator._healthy, START_TIMEOUT, "the emulator did not become healthy")
            except (TimeoutError, EmulatorError) as error:
                tail = emulator.log_tail()
                emulator.stop()
                if attempt == attempts:
                    raise EmulatorError(f"{error}\n{tail}") from error
            except BaseException:
                emulator.stop()
                raise
            else:
                return emulator
        raise AssertionError("unreachable")

    @classmethod
    def _launch(cls, port: int, *, auth: bool, log_path: Path | None) -> Emulator:
        directory = Path(tempfile.mkdtemp(prefix="sandbox-aws-"))
        # Not in the directory, which may be gone before we can tell why. Closed by `stop`.
        log = log_path.open("a+b") if log_path else tempfile.TemporaryFile("a+b")  # noqa: SIM115 - outlives this call
        mark = secrets.token_hex(8)
        process = subprocess.Popen(
            [sys.executable, "-I", watchdog.__file__, str(directory), sys.executable, "-m", "ministack"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=environment(port, directory, mark, auth=auth),
            start_new_session=True,
        )
        return cls(port, directory, mark, log, process)

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The watchdog's: when it has ended, the emulator and its function workers have."""
        return self._process.pid

    def account(self, account_id: str = "000000000000") -> Account:
        return Account(self.endpoint_url, account_id)

    def alive(self) -> bool:
        return self._process.poll() is None

    def configure(self, **values: Any) -> None:
        """Change one of the emulator's few runtime settings, named `module__NAME`."""
        body = json.dumps({name.replace("__", ".", 1): value for name, value in values.items()})
        with contextlib.closing(self._connection()) as connection:
            connection.request("POST", "/_ministack/config", body)
            applied = json.loads(connection.getresponse().read())["applied"]
        if len(applied) != len(values):
            raise EmulatorError(f"the emulator refused a setting: asked {values}, applied {applied}")

    def log_tail(self, lines: int = 20) -> str:
        """The end of the log; until `stop`."""
        self._log.seek(0)
        return "\n".join(self._log.read().decode(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """End the emulator and all function workers, wait for it, delete its directory. May be called twice."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(3 * watchdog.GRACE + 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        # The watchdog has done so, unless it was killed.
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)

    def _healthy(self) -> bool:
        if not self.alive():
            raise EmulatorError(f"the emulator ended with status {self._process.returncode}")
        with contextlib.closing(self._connection()) as connection:
            try:
                connection.request("GET", "/_ministack/health")
                health = json.loads(connection.getresponse().read())
            except (OSError, http.client.HTTPException, ValueError):
                return False
        # Somebody else's emulator may have the port; ours finds out and ends.
        return bool(health.get("edition") == self._mark)


def environment(port: int, directory: Path, mark: str, *, auth: bool) -> dict[str, str]:
    """The emulator's environment, which its function workers inherit: nothing of the developer's AWS settings.

    `mark` comes back in its health, by which we know it from another one.
    """
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return kept | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "localhost",
        "MINISTACK_EDITION": mark,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(directory),
        "STATE_DIR": str(directory / "state"),
        "HOME": str(directory),
        "LOG_LEVEL": "WARNING",
        "AUTH": "true" if auth else "false",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }


def in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
