"""What becomes of each call of the shipped code: where it may die, how it may fail, and what it does to the world."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import httpx

from tests.explore import instrument, invariants, resolving
from tests.explore.instrument import TABLE, Death, by_moto, peek
from tests.explore.invoking import Invocation, Look, Posted, Write
from tests.explore.schedule import AFTER, BEFORE
from tests.sandbox.simulator.respuesta import method_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tests.explore.world import World

CLIENT_GUARD = 10.0
"""The shipped client holds a request back that was held up so long (`Cliente.demora_de_salida`)."""


def watched(client: Any, operation: str, params: dict[str, Any]) -> Any:
    """For `BaseClient._make_api_call`, through which whatever boto3 does must pass, whoever made the client.

    Validated as botocore does it, and no more: what it would say over HTTP, the world says. Its retries are the
    world's to play as well.
    """
    model = client.meta.service_model.operation_model(operation)
    form = (operation, *_form(params))
    if form not in _valid:
        client._serializer.serialize_to_request(params, model)
        _valid.add(form)
    status, parsed = aws_call(instrument.world(), client.meta.service_model.service_name, operation, params)
    parsed.setdefault("ResponseMetadata", {"HTTPStatusCode": status})
    if status >= 300:
        raise client.exceptions.from_code(parsed["Error"]["Code"])(parsed, operation)
    return parsed


_valid: set[tuple[Any, ...]] = set()


def _form(params: dict[str, Any]) -> Iterator[Any]:
    """What is there, and its expressions: the rest are values."""
    for name, value in params.items():
        yield name
        yield value if name.endswith("Expression") else type(value)


def aws_call(world: World, service: str, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    label = f"{service}:{operation}"
    index = world.begin(label)
    world.counts[label] += 1
    world.point(index, BEFORE)
    fault = world.choices.aws_fault(index, label)
    world.broken = world.broken or fault in {"error", "lost"}
    broken = 500, {"Error": {"Code": "InternalServerError", "Message": "simulated"}}
    if fault == "error" and service == "events":
        world.note(world.who(), "the bus takes none of the events")
        failed = [{"ErrorCode": "InternalFailure", "ErrorMessage": "simulated"} for _ in params["Entries"]]
        return 200, {"FailedEntryCount": len(failed), "Entries": failed}
    if fault == "error":
        world.note(world.who(), f"{label} fails", *_about(params))
        return broken
    answer = _effect(world, service, operation, params)
    if fault == "again":
        world.note(world.who(), f"{label}: the answer is lost, boto3 repeats it", *_about(params))
        assert world.running is not None
        world.sleep(world.running, world.choices.again_after())
        answer = _effect(world, service, operation, params)
    world.point(index, AFTER)
    if fault == "lost":
        world.note(world.who(), f"{label}: done, but the answer is lost", *_about(params))
        return broken
    return answer


def _effect(world: World, service: str, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if service == "sqs":
        return world.sqs.call(operation, params)
    if service == "stepfunctions":
        return world.steps.call(operation, params)
    if service == "events":
        return 200, _published(world, params["Entries"])
    if service != "dynamodb" or params.get("TableName", TABLE) != TABLE:
        return by_moto(service, operation, params)
    if operation in {"UpdateItem", "GetItem"} and params["Key"]["pk"]["S"] == "CUENTAS":
        return _of_a_cuenta(world, service, operation, params)
    keys = _written(operation, params)
    before = {pk: peek(pk) for pk in keys}
    status, parsed = by_moto(service, operation, params)
    for pk in keys:
        _note_written(world, pk, before[pk], peek(pk), operation, ok=status == 200)
    if operation == "PutItem" and status == 200:
        _inserted(world, params["Item"])
    return status, parsed


def _of_a_cuenta(world: World, service: str, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Its door, and its run's lease."""
    alias = params["Key"]["sk"]["S"]
    assert world.running is not None
    before = peek("CUENTAS", alias).get("incierta")
    answer = by_moto(service, operation, params)
    after = peek("CUENTAS", alias).get("incierta")
    if after != before:
        world.closed[alias] = world.now
        world.note(world.who(), f"the door of {alias} is {'closed by ' + after if after else 'open'}", after or before)
    lease = peek("CUENTAS", alias)
    world.running.looked = Look(world.now, lease.get("corrida"), lease.get("corrida_tarea", 0))
    if "corrida_tarea" in params.get("UpdateExpression", "") and answer[0] == 200:
        world.running.renewed = world.running.looked
    return answer


def _note_written(
    world: World, pk: str, before: dict[str, Any], after: dict[str, Any], operation: str, *, ok: bool
) -> None:
    assert world.running is not None
    op = instrument.writer() or operation
    reference = pk.partition("#")[2]
    if not ok:
        world.note(world.who(), f"{op}: refused by its condition, {before.get('estado', 'nothing')} stays", reference)
        return
    world.changed = world.now
    (world.open.add if "abierto" in after or "evento_pendiente" in after else world.open.discard)(pk)
    if op == "fold_error":
        world.folded[pk].add(instrument.hook_of_fold())
    write = Write(world.now, world.running.number, world.running.started, op, before, after)
    world.writes[pk].append(write)
    world.note(world.who(), f"{op}: {before.get('estado', 'new')} → {after['estado']}", reference)
    invariants.on_write(world, pk, write)


def _inserted(world: World, item: dict[str, Any]) -> None:
    if item["sk"]["S"].startswith("HOOK#"):
        image = {
            name: {"B": base64.b64encode(typed["B"]).decode()} if "B" in typed else typed
            for name, typed in item.items()
        }
        world.stream.inserted(image)


def _published(world: World, entries: list[dict[str, Any]]) -> dict[str, Any]:
    for entry in entries:
        detail = json.loads(entry["Detail"])
        world.events.append((world.now, entry["DetailType"], detail))
        world.note(world.who(), f"event {entry['DetailType']}", detail["external_reference"])
        invariants.on_event(world, entry["DetailType"], detail)
        world.scenario.heard(world, entry["DetailType"], detail)
    return {"FailedEntryCount": 0, "Entries": [{"EventId": str(n)} for n, _ in enumerate(entries)]}


def provider_call(world: World, request: httpx.Request) -> httpx.Response:
    method = method_of(request.url.path) if request.method == "POST" else "pdf"
    label = f"provider:{method}"
    index = world.begin(label)
    world.counts[label] += 1
    world.point(index, BEFORE, guard=CLIENT_GUARD - 0.5)
    body = json.loads(request.content) if request.content else {}
    about = _references(body)
    begun, posts = world.now, len(world.proveedor.posts)
    carries = method.endswith(("lotes_encola", "nuevo_encola"))
    assert world.running is not None
    invocation = world.running
    if carries:
        invariants.on_post(world, _alias(world, body), about)
    elif method in resolving.OPERATIONS:
        invariants.on_operation(world, _alias(world, body), method, about[0])
    elif world.scenario.asked:
        for reference in about:
            world.scenario.asked(world, _alias(world, body), reference)
    try:
        response = world.road.handle_request(request)
    except httpx.TransportError as error:
        told, response = type(error).__name__, None
        failure = error
    except Death:
        _posted(world, body, about, begun=begun, by=invocation, before=posts, status=None, carries=carries)
        raise
    else:
        told, failure = f"HTTP {response.status_code}", None
    world.running = invocation
    status = response.status_code if response is not None else None
    _posted(world, body, about, begun=begun, by=invocation, before=posts, status=status, carries=carries)
    world.note(world.who(), f"{method} → {told}", *about)
    if response is not None and method.endswith("consulta_avanzada"):
        _asked(world, _alias(world, body), about, begun, response.content)
    world.point(index, AFTER)
    if failure is not None:
        raise failure
    assert response is not None
    return response


def _posted(
    world: World,
    body: Any,
    about: list[str],
    *,
    begun: datetime,
    by: Invocation,
    before: int,
    status: int | None,
    carries: bool,
) -> None:
    """What reached the provider's door is a POST of each reference, whatever came of it."""
    if not carries or len(world.proveedor.posts) == before:
        return
    post = world.proveedor.posts[before]
    taken = {world.proveedor.cola.items[n - 1].referencia for n in post.aceptados}
    plain = post.desenlace in {
        "ok",
        "slow",
        "hook_first",
        "mention_missing",
        "unreadable_refusal",
        "429",
        "maintenance",
    }
    for reference in about:
        clear = status is not None and plain and reference not in taken
        world.posts[f"{_alias(world, body)}#{reference}"].append(Posted(begun, by.number, clear))
        world.note(world.who(), f"POST {post.id} ({post.desenlace})", reference)


def _asked(world: World, alias: str, about: list[str], begun: datetime, content: bytes) -> None:
    try:
        told = json.loads(content)
    except ValueError:
        return
    for reference in about:
        resolving.note_seen(world, alias, reference, told)
        if told.get("error") == "N" and told.get("total") == 0:
            world.absences[f"{alias}#{reference}"].append((begun, world.now))
            world.note(world.who(), "the provider shows nothing", reference)


def _alias(world: World, body: dict[str, Any]) -> str:
    token = str(body.get("apitoken"))
    return next((a for a, c in world.proveedor.cuentas.items() if c.apitoken == token), "")


def _written(operation: str, params: dict[str, Any]) -> list[str]:
    """The asientos that a call may write."""
    match operation:
        case "UpdateItem":
            keys = [params["Key"]]
        case "TransactWriteItems":
            keys = [item["Update"]["Key"] for item in params["TransactItems"]]
        case _:
            keys = []
    return [key["pk"]["S"] for key in keys if key["sk"]["S"] == "ESTADO"]


def _about(params: dict[str, Any]) -> list[str]:
    keys = [params[name] for name in ("Key", "Item") if isinstance(params.get(name), dict)]
    keys += [item["Update"]["Key"] for item in params.get("TransactItems", ())]
    return [key["pk"]["S"].partition("#")[2] for key in keys if "pk" in key]


def _references(body: dict[str, Any]) -> list[str]:
    entries = body.get("requests") or [body]
    found = [(e.get("comprobante") or {}).get("external_reference") or e.get("external_reference") for e in entries]
    return [str(reference) for reference in found if reference]
