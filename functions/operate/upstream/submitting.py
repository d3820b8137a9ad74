"""A checked file put on the queue, batch by batch; what was sent is noted in a journal beside the file.

The steps for one batch, and what a crash right after each leaves behind:

1. SendMessageBatch      messages on the queue that no journal knows: they are sent again, and the stack recognizes
                         each by its reference and content; nothing is issued twice
2. the journal           nothing: a repeat goes on after it

The journal names each message by cuenta, reference and a hash of its content, so that a corrected one is sent anew.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient

    from operate.upstream.checking import Revisado

ENTRIES_MAX = 10
"""Messages in one SendMessageBatch."""
BATCH_MAX_BYTES = 262_144
"""Together. SQS takes 1 MiB now; what older endpoints take costs nothing here."""
ROUNDS = 6
"""How often what SQS did not take, for a reason of its own, is tried."""
FIRST_WAIT_SECONDS = 1.0


class DiarioAjeno(Exception):
    """The journal is of another queue, or no journal: sending by it would leave messages out."""


@dataclass(slots=True)
class Enviado:
    """What became of the file. `negados`: what SQS refused for good, by place and its code."""

    nuevos: int = 0
    ya_enviados: int = 0
    negados: list[tuple[str, str]] = field(default_factory=list)


class Diario:
    """One line for the queue, then one for each message sent. Lines cut short by a crash are of nothing that counts."""

    def __init__(self, path: Path, queue_url: str) -> None:
        """Raises DiarioAjeno."""
        self._path = path
        self._sent: set[str] = set()
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []
        if not lines or lines == [""]:
            self._append([json.dumps({"cola": queue_url})])
            return
        if _queue_of(lines[0]) != queue_url:
            raise DiarioAjeno(f"{path} no es el diario de esta cola; dé otro con --diario, o bórrelo.")
        self._sent.update(line for line in lines[1:-1])
        if lines[-1]:
            # The last one was cut: what follows begins on a line of its own.
            self._append([""])

    def has(self, revisado: Revisado) -> bool:
        return _name(revisado) in self._sent

    def note(self, sent: Sequence[Revisado]) -> None:
        names = [_name(revisado) for revisado in sent]
        self._append(names)
        self._sent.update(names)

    def _append(self, lines: Sequence[str]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())


def submit(
    revisados: Sequence[Revisado],
    *,
    sqs: SQSClient,
    queue_url: str,
    diario: Diario,
    pause: Callable[[float], None],
    progress: Callable[[int], None],
) -> Enviado:
    """Everything that the journal does not know yet. `progress` is told how many of them are done, after each batch.

    Raises what boto3 raises when SQS cannot be reached at all; what was sent until then is in the journal.
    """
    enviado = Enviado()
    todo = [r for r in revisados if not diario.has(r)]
    enviado.ya_enviados = len(revisados) - len(todo)
    done = enviado.ya_enviados
    for batch in _batches(todo):
        left = batch
        for turn in range(ROUNDS):
            taken, left, refused = _send(left, sqs, queue_url)
            diario.note(taken)
            enviado.nuevos += len(taken)
            enviado.negados += refused
            if not left:
                break
            pause(FIRST_WAIT_SECONDS * 2**turn)
        enviado.negados += [(r.lugar, "NoDisponible") for r in left]
        done += len(batch)
        progress(done)
    return enviado


def _batches(revisados: Sequence[Revisado]) -> Iterator[list[Revisado]]:
    batch: list[Revisado] = []
    size = 0
    for revisado in revisados:
        length = len(revisado.cuerpo.encode())
        if batch and (len(batch) == ENTRIES_MAX or size + length > BATCH_MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(revisado)
        size += length
    if batch:
        yield batch


def _send(
    batch: Sequence[Revisado], sqs: SQSClient, queue_url: str
) -> tuple[list[Revisado], list[Revisado], list[tuple[str, str]]]:
    """(taken, to be tried again, refused for good)."""
    answer = sqs.send_message_batch(
        QueueUrl=queue_url,
        Entries=[
            # The group makes the queue a fair one: no cuenta's backlog holds up another's comprobantes.
            {"Id": str(n), "MessageBody": r.cuerpo, "MessageGroupId": _cuenta(r)}
            for n, r in enumerate(batch)
        ],
    )
    failed: dict[str, Any] = {entry["Id"]: entry for entry in answer.get("Failed", [])}
    taken = [r for n, r in enumerate(batch) if str(n) not in failed]
    again = [r for n, r in enumerate(batch) if str(n) in failed and not failed[str(n)]["SenderFault"]]
    refused = [
        (r.lugar, str(failed[str(n)]["Code"]))
        for n, r in enumerate(batch)
        if str(n) in failed and failed[str(n)]["SenderFault"]
    ]
    return taken, again, refused


def _cuenta(revisado: Revisado) -> str:
    assert revisado.mensaje is not None  # noqa: S101 - what is not understood is not sent
    return revisado.mensaje.cuenta


def _name(revisado: Revisado) -> str:
    mensaje = revisado.mensaje
    assert mensaje is not None  # noqa: S101 - as above
    return f"{mensaje.cuenta} {mensaje.external_reference} {mensaje.hash}"


def _queue_of(line: str) -> str | None:
    try:
        head = json.loads(line)
    except ValueError:
        return None
    return head.get("cola") if isinstance(head, dict) else None
