"""What an answer of the provider says of the effect. Pure: bytes in, outcomes out; the transport is `client`.

One rule runs through it: certainty (`Aceptado`, `Rechazado`, `NoEnviado`) only where the contract gives it and the
answer does not contradict itself; all else is `Incierto`. Business errors come with HTTP 200 and `error: "S"`.

The provider publishes few of its texts: none for quota, credentials, a missing webhook, nor an operation cut short.
The patterns that tell those apart are our judgement: a wrong guess costs a wait, not a second invoice.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias

from tusfacturas.fechas import parse_fecha, parse_instante
from tusfacturas.outcomes import (
    Aceptado,
    BorradoParcial,
    ComprobanteRechazado,
    Consulta,
    Consumo,
    CredencialesRechazadas,
    Culpable,
    Encontrado,
    EnMantenimiento,
    ErrorDelServidor,
    Hecho,
    Incierto,
    Limitado,
    LoteProcesado,
    LoteRechazado,
    NoEncontrado,
    NoEnviado,
    PeticionInvalida,
    Rechazado,
    RespuestaIlegible,
    Servicios,
    SinCupo,
    SinMencion,
    SinWebhook,
    TiempoAgotado,
)
from tusfacturas.respuesta import (
    all_texts,
    decimal,
    decode,
    errores_of,
    fold,
    integer,
    items,
    read_object,
    reference,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from tusfacturas.outcomes import NoRespondida
    from tusfacturas.respuesta import Objeto, Respuesta

DelComprobante: TypeAlias = "Aceptado | Rechazado | NoEnviado | Incierto"

_POR_STATUS: dict[int, tuple[type[NoEnviado | Incierto], str]] = {
    400: (PeticionInvalida, "El proveedor no aceptó la petición"),
    401: (CredencialesRechazadas, "El proveedor rechazó las credenciales"),
    403: (CredencialesRechazadas, "El proveedor negó el acceso"),
    404: (PeticionInvalida, "El proveedor no conoce esa dirección"),
    405: (PeticionInvalida, "El proveedor no admite ese método"),
    413: (PeticionInvalida, "La petición es demasiado grande para el proveedor"),
    429: (Limitado, "El proveedor limitó las llamadas por segundo"),
    # «524: los requests que enviaste seguirán siendo procesados en background».
    524: (TiempoAgotado, "El proveedor no llegó a responder y sigue procesando"),
}

# All patterns read folded text: lower case, no accents, single spaces. The first two are the provider's own words.
_CULPABLE = re.compile(r"el request enviado en el orden (\d{1,6}) \(comenzando en 0\)")
_ACEPTADOS = re.compile(r"se aceptaron procesar: ?(\d{1,6})")
# Judgement: an operation that may have begun. «No se procesara» is the provider's word for one that did not.
_INCONCLUSO = re.compile(
    r"time ?out|tiempo de (espera|respuesta)|tiempo\b.{0,20}\b(agotad|excedid)|\ben proceso\b|procesando"
    r"|error (interno|inesperado)|internal (server )?error|reintent"
    r"|intent\w+ (nuevamente|mas tarde|luego|de nuevo|otra vez|en unos)|volv\w+ a intentar|vuelv\w+ a intentar"
)
_CREDENCIALES = re.compile(
    r"\b(api ?key|api ?token|user ?token)\b|credencial|\btoken\b.{0,15}\b(inv|inc|no val|venc|exp)"
    r"|(acceso|autenticacion) (denegad|invalid|incorrect|fallid)"
)
_CUPO = re.compile(
    r"\bcupos?\b|suscripci|\b(abono|plan)\b.{0,30}\b(venc|suspend|inactiv|agot|expir|caduc|dado de baja)"
)

_A_MEDIAS = "El proveedor dice «error» de una operación que pudo haber empezado"

_SITUACIONES: tuple[tuple[re.Pattern[str], Literal["EMITIDO", "EN_COLA", "CON_ERROR"]], ...] = (
    (re.compile(r"emitido"), "EMITIDO"),
    (re.compile(r"aprobado y en cola\b(?!.*error).*"), "EN_COLA"),
    (re.compile(r"en cola ?, ?esperando aprobacion"), "EN_COLA"),
    (re.compile(r"enviado a procesar ?- ?con error"), "CON_ERROR"),
)

# What PHP's JSON_NUMERIC_CHECK takes for a number, among the characters of a reference: 0017 → 17, 12E4 → 120000.0.
_NUMERICA = re.compile(r"-?\d+(e-?\d{1,3})?", re.IGNORECASE | re.ASCII)
_MARCADO = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def open_answer(r: Respuesta) -> Objeto | NoEnviado | Incierto:
    """The JSON object of a 200, or the problem that the status, the maintenance body or the shape already tell.

    Maintenance may come with any status. A status or a maintenance notice that denies the effect is not believed
    where the same body accepts something.
    """
    cuerpo = read_object(r.cuerpo)
    textos = all_texts(cuerpo) if cuerpo is not None else [_MARCADO.sub(" ", r.clean(decode(r.cuerpo), 5_000))]
    acepta = cuerpo is not None and (cuerpo.get("error") == "N" or bool(cuerpo.get("response")))
    if cuerpo is not None and cuerpo.get("mantenimiento") in (1, "1", True) and not acepta:
        hasta = parse_instante(cuerpo.get("mantenimiento_hasta"))
        return EnMantenimiento(r.say("El proveedor está en mantenimiento", textos), hasta)
    if r.status != 200:
        clase, frase = _POR_STATUS.get(r.status, (ErrorDelServidor, "El proveedor respondió con un error suyo"))
        if acepta and issubclass(clase, NoEnviado):
            return RespuestaIlegible(r.say("El estado HTTP niega lo que el cuerpo acepta", textos))
        return clase(r.say(frase, textos))
    return cuerpo if cuerpo is not None else RespuestaIlegible(r.say("La respuesta no es un objeto JSON", textos))


def read_lote(r: Respuesta, referencias: Sequence[str]) -> LoteProcesado | NoEnviado | Incierto:
    """`lotes_encola`: an outcome for each of `referencias` (as sent, in order), or one for the whole lote.

    `error: "S"` with entries is partial acceptance; without entries it is the definite refusal of the whole.
    """
    cuerpo = open_answer(r)
    if not isinstance(cuerpo, dict):
        return cuerpo
    error, entradas = cuerpo.get("error"), items(cuerpo.get("response"))
    if error == "S" and not entradas:
        return _whole_refusal(r, cuerpo, referencias, legible=entradas is not None)
    vistas = _by_reference(r, entradas or [], referencias)
    if error not in ("S", "N") and not any(vistas.values()):
        return RespuestaIlegible(r.say("La respuesta al lote no dice si lo aceptó", all_texts(cuerpo)))
    resultados = {ref: _one(r, ref, vistas[ref]) for ref in referencias}
    declarados = _accepted_count(cuerpo)
    if declarados is not None and declarados < sum(isinstance(res, Aceptado) for res in resultados.values()):
        duda = RespuestaIlegible(r.say("El lote se contradice: acepta más de lo que declara", all_texts(cuerpo)))
        resultados = {ref: duda if isinstance(res, Aceptado) else res for ref, res in resultados.items()}
    return LoteProcesado(resultados)


def read_nuevo(r: Respuesta, referencia: str) -> Aceptado | Rechazado | NoEnviado | Incierto:
    """`nuevo_encola`, one comprobante. An answer that names another reference says nothing of ours."""
    cuerpo = open_answer(r)
    if not isinstance(cuerpo, dict):
        return cuerpo
    eco = cuerpo.get("external_reference")
    if reference(eco) and _named(eco, [referencia]) is None:
        return RespuestaIlegible(r.say("La respuesta nombra otra external_reference", all_texts(cuerpo)))
    if cuerpo.get("error") == "N":
        return Aceptado(referencia)
    return _refusal(r, cuerpo) or ComprobanteRechazado(_rejected(r, cuerpo), errores_of(r, cuerpo))


def read_operacion(r: Respuesta) -> Hecho | Rechazado | NoEnviado | Incierto:
    """`reenviar_encolado` and `cambiar_fecha_encolado`: «N», or «S» with its reasons."""
    cuerpo = open_answer(r)
    if not isinstance(cuerpo, dict):
        return cuerpo
    return Hecho() if cuerpo.get("error") == "N" else _not_done(r, cuerpo)


def read_borrado(r: Respuesta) -> Hecho | Rechazado | NoEnviado | Incierto:
    """`eliminar_encolado` acts on ALL comprobantes with that reference and fecha: only exactly one is `Hecho`."""
    cuerpo = open_answer(r)
    if not isinstance(cuerpo, dict):
        return cuerpo
    procesados = texts(cuerpo.get("procesados"))
    cantidad = integer(cuerpo.get("procesados_cant", len(procesados)))
    if cuerpo.get("error") == "N" and cantidad == 1:
        return Hecho()
    if cuerpo.get("error") in ("N", "PARCIAL") or (cuerpo.get("error") == "S" and cantidad != 0):
        detalle = r.say("El proveedor no eliminó exactamente un comprobante", all_texts(cuerpo))
        return BorradoParcial(detalle, tuple(r.clean(t) for t in procesados), errores_of(r, cuerpo))
    return _not_done(r, cuerpo)


def read_consulta(r: Respuesta) -> Consulta | NoRespondida:
    """`consulta_avanzada`. An entry that cannot be read hides no other and is no absence: `total` stays as told."""
    cuerpo = open_answer(r)
    if not isinstance(cuerpo, dict):
        return cuerpo
    total, entradas = integer(cuerpo.get("total")), items(cuerpo.get("comprobantes"))
    if cuerpo.get("error") != "N":
        return _unanswered(r, cuerpo)
    if total is None or total < 0:
        return RespuestaIlegible(r.say("La consulta no trae un total", all_texts(cuerpo)))
    comprobantes = tuple(c for e in entradas or [] if (c := _found(r, e)) is not None)
    # Only total 0 is absence, and absence lets a comprobante be sent again: nothing in the answer may speak against it.
    if total == 0 and not comprobantes and (entradas != [] or cuerpo.get("rta") == "ERROR" or _unfinished(cuerpo)):
        return RespuestaIlegible(r.say("La consulta se contradice: total 0 y algo más", all_texts(cuerpo)))
    return Consulta(total, comprobantes)


def read_servicios(r: Respuesta) -> Servicios | NoRespondida:
    """`estado_servicios/alertas`: «S» with a text in `facturacion` is an answered call that carries an alert."""
    cuerpo = open_answer(r)
    if not isinstance(cuerpo, dict):
        return cuerpo
    facturacion = texts(cuerpo.get("facturacion"))
    if cuerpo.get("error") not in ("N", "S") or not facturacion:
        return _unanswered(r, cuerpo)
    operativo = cuerpo["error"] == "N" and fold(facturacion[0]) == "ok"
    ventanas = [
        (desde, hasta)
        for m in items(cuerpo.get("prox_mantenimientos_programados")) or []
        if isinstance(m, dict)
        and (desde := parse_instante(m.get("desde"))) is not None
        and (hasta := parse_instante(m.get("hasta"))) is not None
    ]
    return Servicios(operativo, "" if operativo else r.clean(facturacion[0]), tuple(ventanas))


def read_consumo(r: Respuesta) -> Consumo | NoRespondida:
    """`micuenta/consumo`: four counts, as given (the documents do not say how they relate)."""
    cuerpo = open_answer(r)
    if not isinstance(cuerpo, dict):
        return cuerpo
    cupo, generados = integer(cuerpo.get("comprobantes_cupo")), integer(cuerpo.get("comprobantes_generados"))
    disponibles, abonos = integer(cuerpo.get("comprobantes_disponibles")), integer(cuerpo.get("abonos_pendientes"))
    if cuerpo.get("error") != "N" or cupo is None or generados is None or disponibles is None or abonos is None:
        return _unanswered(r, cuerpo)
    return Consumo(cupo=cupo, generados=generados, disponibles=disponibles, abonos_pendientes=abonos)


def _whole_refusal(
    r: Respuesta, cuerpo: Objeto, referencias: Sequence[str], *, legible: bool
) -> LoteProcesado | NoEnviado | Incierto:
    """`error: "S"` and no entries: refused whole, unless a text speaks of acceptance or of an unfinished operation."""
    if not legible:
        return RespuestaIlegible(r.say("El lote no se pudo leer: `response` no es una lista", all_texts(cuerpo)))
    # «Este request no se procesara» belongs to the partial form, where the others were queued.
    parcial = _says(cuerpo, "este request no se procesara") and not _says(cuerpo, "el lote no se procesara")
    if parcial or (_accepted_count(cuerpo) or 0) > 0 or _says(cuerpo, "se procesara parcialmente"):
        return RespuestaIlegible(r.say("El lote pudo ser aceptado en parte y no dice cuál", all_texts(cuerpo)))
    culpables = tuple(
        Culpable(orden, r.clean(texto))
        for texto in texts(cuerpo.get("errores"))
        if (orden := _orden(texto, len(referencias))) is not None
    )
    if (otra := _refusal(r, cuerpo)) and not (culpables and isinstance(otra, NoEnviado)):
        return otra
    detalle = r.say("El proveedor rechazó el lote entero", all_texts(cuerpo))
    return LoteRechazado(detalle, errores_of(r, cuerpo), culpables)


def _by_reference(r: Respuesta, entradas: list[object], referencias: Sequence[str]) -> dict[str, list[DelComprobante]]:
    """What each sent reference was told. Never by position: a refused first request was seen to come last."""
    vistas: dict[str, list[DelComprobante]] = {ref: [] for ref in referencias}
    sueltas: list[Objeto] = []
    for entrada in entradas:
        if isinstance(entrada, dict):
            ref = _named(entrada.get("external_reference"), referencias)
            if ref is None:
                sueltas.append(entrada)
            else:
                vistas[ref].append(_entry(r, ref, entrada))
    # A reference refused for its characters may come back changed, while its message says which request it was. That
    # number places a refusal only, and only on a request nothing else in the answer speaks of: a wrong refusal is told
    # to its sender and can be sent again, a wrong acceptance would be lost in silence.
    calladas = {ref for ref, cosas in vistas.items() if not cosas}
    for entrada in sueltas:
        ordenes = {_orden(texto, len(referencias)) for texto in texts(entrada.get("errores"))} - {None}
        if entrada.get("error") == "S" and len(ordenes) == 1 and (orden := ordenes.pop()) is not None:
            ref = referencias[orden]
            if ref in calladas:
                vistas[ref].append(_entry(r, ref, entrada))
    return vistas


def _entry(r: Respuesta, ref: str, entrada: Objeto) -> DelComprobante:
    if entrada.get("error") == "N":
        return Aceptado(ref)
    textos = all_texts(entrada)
    if entrada.get("error") != "S":
        return RespuestaIlegible(r.say("La respuesta no dice si lo aceptó", textos))
    if _unfinished(entrada) and not _says(entrada, "no se procesar"):
        return RespuestaIlegible(r.say(_A_MEDIAS, textos))
    otra = _refusal(r, entrada)
    if isinstance(otra, NoEnviado):
        # Refused for a reason of the cuenta: its sender could correct nothing.
        return otra
    return ComprobanteRechazado(_rejected(r, entrada), errores_of(r, entrada))


def _one(r: Respuesta, ref: str, cosas: list[DelComprobante]) -> DelComprobante:
    """One outcome of all that was told of a reference: contradictions are uncertain, reasons add up."""
    if not cosas:
        return SinMencion(r.say(f"La respuesta al lote no menciona {ref}"))
    if all(isinstance(cosa, Aceptado) for cosa in cosas):
        return cosas[0]
    rechazos = [cosa for cosa in cosas if isinstance(cosa, Rechazado)]
    if len(rechazos) == len(cosas):
        errores = dict.fromkeys(error for rechazo in rechazos for error in rechazo.errores)
        return ComprobanteRechazado(rechazos[0].detalle, tuple(errores))
    if len(cosas) == 1:
        return cosas[0]
    return RespuestaIlegible(r.say(f"La respuesta dice dos cosas distintas de {ref}"))


def _named(valor: object, referencias: Sequence[str]) -> str | None:
    """The one sent reference that `valor` names; None for none, and for a number that several could have become.

    The provider turns what looks numeric into a number, so that leading zeros are lost.
    """
    if isinstance(valor, (int, Decimal)) and not isinstance(valor, bool):
        iguales = [ref for ref in referencias if _same_number(ref, valor)]
        return iguales[0] if len(iguales) == 1 else None
    return valor.strip() if isinstance(valor, str) and valor.strip() in referencias else None


def _same_number(enviada: str, valor: int | Decimal) -> bool:
    if not _NUMERICA.fullmatch(enviada):
        return False
    if Decimal(enviada) == valor:
        return True
    # Beyond 19 digits PHP has a float.
    return isinstance(valor, Decimal) and isfinite(float(valor)) and float(enviada) == float(valor)


def _refusal(r: Respuesta, cuerpo: Objeto) -> NoEnviado | Incierto | None:
    """What an answer other than «N» is, when it is not simply a refusal with its reasons (None)."""
    textos, errores = all_texts(cuerpo), errores_of(r, cuerpo)
    duda = None
    if cuerpo.get("error") != "S":
        duda = "La respuesta no dice si hubo error"
    elif not errores:
        duda = "El proveedor dice «error» sin decir cuál"
    elif _unfinished(cuerpo):
        duda = _A_MEDIAS
    if duda:
        return RespuestaIlegible(r.say(duda, textos))
    # Without a webhook the punto de venta may queue nothing: the cuenta's set-up, not this comprobante.
    if _says(cuerpo, "webhook"):
        return SinWebhook(r.say("El punto de venta no tiene un webhook válido", textos))
    if any(_CREDENCIALES.search(fold(t)) for t in textos):
        return CredencialesRechazadas(r.say("El proveedor rechazó las credenciales", textos))
    if any(_CUPO.search(fold(t)) for t in textos):
        return SinCupo(r.say("La cuenta no tiene cupo o su suscripción no está activa", textos))
    return None


def _not_done(r: Respuesta, cuerpo: Objeto) -> Rechazado | NoEnviado | Incierto:
    if cuerpo.get("error") == "S" and _says(cuerpo, "no se han encontrado comprobantes") and not _unfinished(cuerpo):
        return NoEncontrado(r.say("El proveedor no lo encontró en la cola", all_texts(cuerpo)), errores_of(r, cuerpo))
    if otra := _refusal(r, cuerpo):
        return otra
    return Rechazado(r.say("El proveedor no hizo la operación", all_texts(cuerpo)), errores_of(r, cuerpo))


def _unanswered(r: Respuesta, cuerpo: Objeto) -> NoEnviado | Incierto:
    return _refusal(r, cuerpo) or RespuestaIlegible(r.say("El proveedor no respondió la consulta", all_texts(cuerpo)))


def _found(r: Respuesta, entrada: object) -> Encontrado | None:
    datos = entrada.get("comprobante") if isinstance(entrada, dict) else None
    if not isinstance(datos, dict):
        return None
    status = r.clean(" ".join(reference(datos.get("status")).split()))
    situacion = next((palabra for patron, palabra in _SITUACIONES if patron.fullmatch(fold(status).rstrip("."))), None)
    # A CAE is shown whatever the status says: «an errored comprobante may nonetheless be authorised».
    cae = reference(datos.get("cae"))
    cae = cae if cae.strip("0") else ""
    return Encontrado(
        external_reference=reference(datos.get("external_reference")),
        situacion=situacion,
        status=status,
        tipo=r.clean(" ".join(reference(datos.get("tipo")).split())),
        punto_venta=integer(datos.get("punto_venta")),
        fecha=parse_fecha(datos.get("fecha")),
        total=decimal(datos.get("total")),
        numero=(integer(datos.get("numero")) or None) if situacion == "EMITIDO" else None,
        cae=cae or None,
        cae_vencimiento=parse_fecha(datos.get("vencimiento_cae")) if cae else None,
        pdf_url=reference(datos.get("comprobante_pdf_url")) or None,
    )


def _says(cuerpo: Objeto, palabras: str) -> bool:
    return any(palabras in fold(texto) for texto in all_texts(cuerpo))


def _unfinished(cuerpo: Objeto) -> bool:
    return any(_INCONCLUSO.search(fold(texto)) for texto in all_texts(cuerpo))


def _accepted_count(cuerpo: Objeto) -> int | None:
    """The M of «se aceptaron procesar: M» at the top of the answer."""
    cuentas = [int(m) for texto in all_texts(cuerpo) for m in _ACEPTADOS.findall(fold(texto))]
    return max(cuentas, default=None)


def _orden(texto: str, cuantos: int) -> int | None:
    hallado = _CULPABLE.search(fold(texto))
    return orden if hallado and (orden := int(hallado.group(1))) < cuantos else None


def _rejected(r: Respuesta, cuerpo: Objeto) -> str:
    return r.say("El proveedor rechazó el comprobante", all_texts(cuerpo))
