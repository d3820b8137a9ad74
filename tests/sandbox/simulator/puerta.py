"""The methods that change something: submissions and the three queue operations (contract §2, §5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator import answers
from tests.sandbox.simulator.plan import OPERATION_OUTCOMES, OUTCOMES, next_outcome
from tests.sandbox.simulator.respuesta import Respuesta, as_json
from tests.sandbox.simulator.rules import MAX_REQUESTS, faults, parse_date, reference_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.sandbox.simulator.plan import CuentaSim, Desenlace
    from tests.sandbox.simulator.provider import Proveedor

Json = dict[str, Any]

_NO_QUOTA = "Tu espacio de trabajo no posee cupo disponible o su suscripcion no se encuentra activa."  # text [U]


@dataclass(frozen=True, slots=True)
class Operacion:
    """A call of one of the three methods that act on the queue, whatever came of it."""

    metodo: str
    cuenta: str
    referencia: str
    momento: datetime


@dataclass
class Post:
    """One submission as it reached the door, and what came of it. `rechazo_total`: why nothing of it was taken."""

    id: int
    cuenta: str
    metodo: str
    momento: datetime
    referencias: list[str]
    desenlace: str
    aceptados: list[int] = field(default_factory=list)
    rechazados: list[tuple[str, list[str]]] = field(default_factory=list)
    rechazo_total: list[str] = field(default_factory=list)


def lote(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    entradas = datos.get("requests")
    entradas = entradas if isinstance(entradas, list) else []
    post = _post(p, cuenta, "lotes_encola", entradas)
    return p.call(OUTCOMES[post.desenlace], partial(_queue_lote, p, cuenta, entradas, post))


def single(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    entrada = {name: datos.get(name) for name in ("cliente", "comprobante")}
    post = _post(p, cuenta, "nuevo_encola", [entrada])
    return p.call(OUTCOMES[post.desenlace], partial(_queue_single, p, cuenta, entrada, post))


def _post(p: Proveedor, cuenta: CuentaSim, metodo: str, entradas: list[Any]) -> Post:
    desenlace = next_outcome(p.plan.lotes, p.plan.lotes_prob, p.rng)
    references = [str(reference_of(entrada) or "") for entrada in entradas]
    post = Post(len(p.posts) + 1, cuenta.alias, metodo, p.agenda.now, references, desenlace)
    p.posts.append(post)
    return post


def _queue_lote(p: Proveedor, cuenta: CuentaSim, entradas: list[Any], post: Post, desenlace: Desenlace) -> Json:
    """All of it, some of it or nothing, by the form of refusal. A refusal of the whole lote is never told by hook, not
    even where it came about in the background.
    """
    answer = _whole_refusal(p, cuenta, entradas)
    found = [] if answer else [faults(entrada, cuenta, p.plan) for entrada in entradas]
    bad = [position for position, its_faults in enumerate(found) if its_faults]
    if bad and p.plan.forma_rechazo == "seed":
        answer = answers.seed_refusal(bad[0], found[bad[0]][0])
    elif bad and p.plan.forma_rechazo == "ilegible":
        answer = answers.unreadable_refusal()
    if answer is not None:
        post.rechazo_total = answer["errores"]
        return answer
    p.spend(cuenta, "encolar", len(entradas) - (0 if p.plan.cupo_cuenta_rechazados else len(bad)))
    accepted: list[Json] = []
    refused: list[Json] = []
    for position, (entrada, its_faults) in enumerate(zip(entradas, found, strict=True)):
        if its_faults:
            refused.append(answers.lote_refusal(position, reference_of(entrada), its_faults, p.plan.referencias))
            _refuse(p, post, entrada, refused[-1]["errores"], desenlace)
        else:
            accepted.append(answers.lote_entry(_accept(p, cuenta, entrada, post, desenlace), p.plan.referencias))
    if desenlace.vista == "sin_mencion":
        for _ in range(min(p.plan.omitidas, len(accepted))):
            accepted.pop(p.rng.randrange(len(accepted)))
    return answers.lote(accepted, refused, taken=len(post.aceptados), list_all_refused=p.plan.rechazados_en_respuesta)


def _queue_single(p: Proveedor, cuenta: CuentaSim, entrada: Json, post: Post, desenlace: Desenlace) -> Json:
    sent = reference_of(entrada)
    whole = _whole_refusal(p, cuenta, [entrada])
    if whole is not None:
        post.rechazo_total = whole["errores"]
        return {**answers.single_refused(sent, [], p.plan.referencias), "errores": whole["errores"]}
    found = faults(entrada, cuenta, p.plan)
    if not found or p.plan.cupo_cuenta_rechazados:
        p.spend(cuenta, "encolar", 1)
    if found:
        refusal = answers.single_refused(sent, found, p.plan.referencias)
        _refuse(p, post, entrada, refusal["errores"], desenlace)
        return refusal
    return answers.single_accepted(_accept(p, cuenta, entrada, post, desenlace), p.plan.referencias)


def _whole_refusal(p: Proveedor, cuenta: CuentaSim, entradas: list[Any]) -> Json | None:
    """Contract §2.1: no request, more than 100, a PDV without webhook, no quota for all of it. No hook follows."""
    if not entradas:
        return answers.whole_refusal(["El lote no contiene requests. El lote no se procesara."])  # text [U]
    if len(entradas) > MAX_REQUESTS:
        return answers.too_many(len(entradas), MAX_REQUESTS)
    if cuenta.webhook_url is None:
        return answers.whole_refusal(
            ["El punto de venta no posee una direccion de webhook definida. El lote no se procesara."]  # text [U]
        )
    return None if p.has_quota(cuenta, "encolar", len(entradas)) else answers.whole_refusal([_NO_QUOTA])


def _accept(p: Proveedor, cuenta: CuentaSim, entrada: Json, post: Post, desenlace: Desenlace) -> Any:
    item = p.cola.accept(cuenta, entrada, post.id, before_answer=desenlace.vista == "hooks_antes")
    post.aceptados.append(item.id)
    return item


def _refuse(p: Proveedor, post: Post, entrada: object, errors: list[str], desenlace: Desenlace) -> None:
    """An `error` hook may follow a refused entry ([C]); in the background it is the only answer (§2.1, 524)."""
    sent = reference_of(entrada)
    post.rechazados.append((str(sent or ""), errors))
    if sent not in (None, "") and (desenlace.en_fondo or p.plan.hook_por_rechazado):
        early = desenlace.vista == "hooks_antes"
        p.mensajero.emit(post.cuenta, "error", str(sent), errors, before_answer=early)


def resend(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    return _operation(p, cuenta, "reenviar_encolado", datos, _resend)


def delete(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    return _operation(p, cuenta, "eliminar_encolado", datos, _delete)


def change_date(p: Proveedor, cuenta: CuentaSim, datos: Json) -> Respuesta:
    return _operation(p, cuenta, "cambiar_fecha_encolado", datos, _change_date)


def _operation(p: Proveedor, cuenta: CuentaSim, metodo: str, datos: Json, work: Callable[..., Json]) -> Respuesta:
    """Each counts one, whether it succeeds or not (contract §1)."""
    desenlace = OPERATION_OUTCOMES[next_outcome(p.plan.operaciones, p.plan.operaciones_prob, p.rng)]
    p.operaciones.append(Operacion(metodo, cuenta.alias, str(datos.get("external_reference")), p.agenda.now))
    if not p.spend(cuenta, metodo, 1):
        return as_json(answers.failed(_NO_QUOTA))
    return p.call(desenlace, partial(work, p, cuenta, datos))


def _resend(p: Proveedor, cuenta: CuentaSim, datos: Json, _: Desenlace) -> Json:
    item = p.cola.resend(cuenta.alias, str(datos.get("external_reference")))
    return answers.failed(answers.NOT_FOUND) if item is None else answers.done()


def _delete(p: Proveedor, cuenta: CuentaSim, datos: Json, _: Desenlace) -> Json:
    reference, fecha = str(datos.get("external_reference")), parse_date(datos.get("fecha"))
    return answers.deletion(*p.cola.delete(cuenta.alias, reference, fecha))


def _change_date(p: Proveedor, cuenta: CuentaSim, datos: Json, _: Desenlace) -> Json:
    fecha, vencimiento = parse_date(datos.get("fecha")), parse_date(datos.get("vencimiento"))
    if fecha is None:
        return answers.failed("La fecha enviada no es valida.")
    if p.plan.cambiar_valida_vencimiento and vencimiento is not None and vencimiento < fecha:
        return answers.failed("El campo FchVtoPago no puede ser anterior a la fecha del comprobante.")
    item = p.cola.change_date(cuenta.alias, str(datos.get("external_reference")), fecha, vencimiento)
    return answers.failed(answers.NOT_FOUND) if item is None else answers.done()
