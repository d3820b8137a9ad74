"""What the provider really has: the third source that the demo and the explorer compare."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from tests.sandbox.simulator.answers import number
from tests.sandbox.simulator.cola import CON_ERROR, ELIMINADO, EMITIDO, EN_COLA

if TYPE_CHECKING:
    from tests.sandbox.simulator.cola import Item
    from tests.sandbox.simulator.provider import Proveedor
    from tests.sandbox.simulator.puerta import Post

Json = dict[str, Any]


def audit(p: Proveedor) -> Json:
    """All of it. A comprobante is one acceptance: a reference accepted twice has two rows."""
    return {
        "summary": summary(p),
        "comprobantes": [_comprobante(item) for item in p.cola.items],
        "posts": [_post(post) for post in p.posts],
        "operaciones": [
            {"metodo": op.metodo, "cuenta": op.cuenta, "external_reference": op.referencia}
            | {"momento": op.momento.isoformat()}
            for op in p.operaciones
        ],
        "posts_by_reference": _posts_by_reference(p),
        "rechazados": [
            {"cuenta": post.cuenta, "external_reference": reference, "errores": errors, "post": post.id}
            for post in p.posts
            for reference, errors in post.rechazados
        ],
        "hooks": [
            {
                "hook_id": hook.hook_id,
                "cuenta": hook.cuenta,
                "evento": hook.evento,
                "external_reference": hook.referencia,
                "entregas": hook.entregas,
                "estado": hook.estado,
            }
            for hook in p.mensajero.hooks
        ],
        "entregas": [
            {"momento": e.momento.isoformat(), "segundos": e.segundos, "status": e.status}
            for e in p.mensajero.entregadas
        ],
    }


def summary(p: Proveedor) -> Json:
    """The digest.

    `issued_twice`: `cuenta#external_reference` with more than one comprobante that is legal in ARCA.
    `accepted_twice`: the same with more than one acceptance. `authorised_unissued`: legal in ARCA, yet deleted or in
    error here. `estados` counts acceptances, so its values sum to `aceptados`. `lotes.sizes` are what each
    lotes_encola put into the queue (those that put nothing are left out).
    """
    accepted: Counter[str] = Counter(_key(item) for item in p.cola.items)
    legal: Counter[str] = Counter(_key(item) for item in p.cola.items if item.authorised)
    states = Counter({EN_COLA: 0, CON_ERROR: 0, EMITIDO: 0, ELIMINADO: 0})
    states.update(item.estado for item in p.cola.items)
    fates = Counter(hook.estado for hook in p.mensajero.hooks)
    sizes = [len(post.aceptados) for post in p.posts if post.aceptados and post.metodo == "lotes_encola"]
    return {
        "issued_twice": sorted(key for key, times in legal.items() if times > 1),
        "accepted_twice": sorted(key for key, times in accepted.items() if times > 1),
        "authorised_unissued": sorted(_key(i) for i in p.cola.items if i.authorised and i.estado != EMITIDO),
        "aceptados": len(p.cola.items),
        "rechazados": sum(len(post.rechazados) for post in p.posts),
        "estados": dict(states),
        "lotes": {
            "posts": sum(post.metodo == "lotes_encola" for post in p.posts),
            "sizes": sizes,
            "fill": sum(sizes) / (100 * len(sizes)) if sizes else None,
            "desenlaces": dict(Counter(post.desenlace for post in p.posts)),
        },
        "hooks": {
            "eventos": dict(Counter(hook.evento for hook in p.mensajero.hooks)),
            "entregas": p.mensajero.conteo["entregas"],
            "reintentos": p.mensajero.conteo["reintentos"],
            "fallidas": p.mensajero.conteo["fallidas"],
            "duplicados": p.mensajero.conteo["duplicados"],
            **{name: fates[name] for name in ("pendiente", "en_vuelo", "entregado", "perdido", "agotado", "ignorado")},
            "urls_ignoradas": sorted(p.mensajero.cuentas_ignoradas),
        },
        "llamadas": dict(p.llamadas),
        "consumo": {alias: {**used, "cupo": p.cuentas[alias].cupo} for alias, used in p.consumo.items()},
        "numeracion": {f"{alias}#{tipo}": last.numero for (alias, tipo), last in p.cola.lasts.items()},
    }


def _key(item: Item) -> str:
    return f"{item.cuenta}#{item.referencia}"


def _comprobante(item: Item) -> Json:
    return {
        "id": item.id,
        "cuenta": item.cuenta,
        "external_reference": item.referencia,
        "post": item.post,
        "estado": item.estado,
        "tipo": item.tipo,
        "fecha": item.fecha.isoformat(),
        "vencimiento": item.vencimiento.isoformat(),
        "total": number(item.total),
        "numero": item.numero,
        "cae": item.cae,
        "aceptado": item.aceptado.isoformat(),
        "emitido": item.emitido.isoformat() if item.emitido else None,
        "intentos": item.intentos,
        "errores": item.errores,
        "cambios_fecha": item.cambios_fecha,
        "reenvios": item.reenvios,
    }


def _post(post: Post) -> Json:
    return {
        "id": post.id,
        "cuenta": post.cuenta,
        "metodo": post.metodo,
        "momento": post.momento.isoformat(),
        "desenlace": post.desenlace,
        "size": len(post.referencias),
        "aceptados": len(post.aceptados),
        "rechazados": len(post.rechazados),
        "rechazo_total": post.rechazo_total,
    }


def _posts_by_reference(p: Proveedor) -> dict[str, list[Json]]:
    """Every POST that carried the reference, and how many comprobantes of it that POST put into the queue."""
    queued = Counter((item.post, item.referencia) for item in p.cola.items)
    found: dict[str, list[Json]] = defaultdict(list)
    for post in p.posts:
        for reference in dict.fromkeys(post.referencias):
            carried = {"post": post.id, "desenlace": post.desenlace, "queued": queued[post.id, reference]}
            found[f"{post.cuenta}#{reference}"].append(carried)
    return dict(found)
