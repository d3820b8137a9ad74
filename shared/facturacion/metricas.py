"""Every metric that the functions emit: its name, unit, who emits it and what it means. Nothing else names one.

The dashboards and alarms of the template are tested against this list. They live in the namespace of the stack
(`Facturacion/{stack}`), by `service`, the function that emits them. A counter is summed; a measure is looked at by its
greatest, least or average. Those of `reconcile` that say how things stand come once a minute, over all cuentas: the
worst of them, or all together. CloudWatch bills each name by the hours in which it is emitted.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.metrics import MetricUnit as Unidad

from facturacion.accion import Accion
from tusfacturas.catalogue import Clase

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACK = ("pack_lotes",)
_RECEIVE = ("receive_webhook",)
_RESOLVE = ("resolve_errors",)
_RECONCILE = ("reconcile",)
_OPERATE = ("operate",)
_CONTRAST = ("follow_hooks", "reconcile")
_CUENTA, _MS, _SEGUNDOS = Unidad.Count, Unidad.Milliseconds, Unidad.Seconds
_POR_CIENTO, _PESOS = Unidad.Percent, Unidad.NoUnit


class Metrica(Enum):
    """`nombre`, `unidad`, `servicios` that emit it, and what it means."""

    # What comes in, and what the provider makes of it.
    RECIBIDOS = "Recibidos", _CUENTA, _PACK, "Messages that the queue delivers for the first time."
    MENSAJES_RECHAZADOS = "MensajesRechazados", _CUENTA, _PACK, "Messages that cannot be understood, or conflict."
    LOTES = "Lotes", _CUENTA, _PACK, "POSTs of comprobantes that got an outcome."
    LLENADO = "LlenadoLote", _POR_CIENTO, _PACK, "How full a lote left: its comprobantes of the 100 it may hold."
    RESPUESTA = "RespuestaLote", _MS, _PACK, "From a POST to its outcome."
    ACEPTADOS = "Aceptados", _CUENTA, _PACK, "Comprobantes that the provider accepted in its answer."
    RECHAZADOS = "Rechazados", _CUENTA, _PACK, "Comprobantes refused, by our check or by the provider."
    RECHAZADOS_AQUI = "RechazadosAqui", _CUENTA, _PACK, "Those of them that our check refused: they were never sent."
    INCIERTOS = "Inciertos", _CUENTA, _PACK, "Comprobantes whose POST ended without a trustworthy answer."
    NO_ENVIADOS = "NoEnviados", _CUENTA, _PACK, "Comprobantes of POSTs that certainly had no effect; they go again."
    CUENTA_DETENIDA = "CuentaDetenida", _CUENTA, _PACK, "Invocations that met a cuenta whose lotes may not leave."
    EDAD_MENSAJE = "EdadMensaje", _SEGUNDOS, _PACK, "Age of the oldest message that has to come again."

    # Hooks.
    HOOKS_RECIBIDOS = "HooksRecibidos", _CUENTA, _RECEIVE, "Authentic hooks that were stored, repeats included."
    HOOKS_ENCOLADO = "HooksEncolado", _CUENTA, _RECEIVE, "Those of the evento encolado."
    HOOKS_EMITIDO = "HooksEmitido", _CUENTA, _RECEIVE, "Those of the evento emitido."
    HOOKS_ERROR = "HooksError", _CUENTA, _RECEIVE, "Those of the evento error."
    HOOKS_ELIMINADO = "HooksEliminado", _CUENTA, _RECEIVE, "Those of the evento eliminado."
    HOOKS_CAMBIO_FECHA = "HooksCambioFecha", _CUENTA, _RECEIVE, "Those of the evento cambio_fecha."
    HOOKS_TEST = "HooksTest", _CUENTA, _RECEIVE, "Those of the evento test."
    HOOKS_DESCONOCIDO = "HooksDesconocido", _CUENTA, _RECEIVE, "Those of an evento that is not documented."
    HOOKS_REPETIDOS = "HooksRepetidos", _CUENTA, _RECEIVE, "Hooks that were stored before."
    HOOKS_ID_REUSADO = "HooksIdReusado", _CUENTA, _RECEIVE, "Another hook under the id of a stored one."
    HOOKS_NO_AUTENTICOS = "HooksNoAutenticos", _CUENTA, _RECEIVE, "Answered 403, nothing stored."
    HOOKS_FALLIDOS = "HooksFallidos", _CUENTA, _RECEIVE, "Answered 503: our storage or a secret failed."

    # What becomes of them.
    EMITIDOS = "Emitidos", _CUENTA, _CONTRAST, "Issued, with CAE, number, PDF and event: finished."
    HASTA_EMITIDO = "SegundosHastaEmitido", _SEGUNDOS, _CONTRAST, "From the queue to finished."
    PDF_NO_DISPONIBLE = "PdfNoDisponible", _CUENTA, _CONTRAST, "PDFs that could not be had or kept at that moment."
    CORREGIDOS = "Corregidos", _CUENTA, _CONTRAST, "States that a hook should have told and an ask found out."
    CONSULTAS = "Consultas", _CUENTA, _CONTRAST, "Queries to the provider."
    SIN_RESPUESTA = "ConsultasSinRespuesta", _CUENTA, _CONTRAST, "Queries that it did not answer."
    DUPLICADOS = "Duplicados", _CUENTA, (*_CONTRAST, *_RESOLVE), "References seen with more than one comprobante."

    # Errors.
    ERRORES_TRANSITORIO = "ErroresTransitorio", _CUENTA, _RESOLVE, "Errors that pass by themselves."
    ERRORES_AMBIGUO = "ErroresAmbiguo", _CUENTA, _RESOLVE, "Errors that ARCA may have authorised."
    ERRORES_NUMERACION = "ErroresNumeracion", _CUENTA, _RESOLVE, "Errors of number or date (10016)."
    ERRORES_FECHA = "ErroresFecha", _CUENTA, _RESOLVE, "Errors of the dates."
    ERRORES_ASOCIADO = "ErroresAsociado", _CUENTA, _RESOLVE, "Errors of an associated comprobante."
    ERRORES_DATOS = "ErroresDatos", _CUENTA, _RESOLVE, "Errors of what the comprobante says."
    ERRORES_CUENTA = "ErroresCuenta", _CUENTA, _RESOLVE, "Errors of the cuenta's set-up."
    ERRORES_REVISION = "ErroresRevision", _CUENTA, _RESOLVE, "Errors that only a person can act on."
    ERRORES_DESCONOCIDOS = "ErroresDesconocidos", _CUENTA, _RESOLVE, "Errors in words that the catalogue lacks."
    ERRORES_SIN_CAUSA = "ErroresSinCausa", _CUENTA, _RESOLVE, "Errors of which no words came."
    REENVIOS = "Reenvios", _CUENTA, _RESOLVE, "Calls that resend, whatever they came to."
    CAMBIOS_FECHA = "CambiosFecha", _CUENTA, _RESOLVE, "Calls that change a date."
    BORRADOS = "Borrados", _CUENTA, _RESOLVE, "Calls that delete from the provider's queue."
    REENVIOS_EN_ESPERA = "ReenviosEnEspera", _CUENTA, _RESOLVE, "Resends put off: the provider reports an outage."
    ESTACIONADOS = "Estacionados", _CUENTA, _RESOLVE, "Errors left to a person."

    # What people do.
    DECISIONES = "Decisiones", _CUENTA, _OPERATE, "Comprobantes that a person decided about."
    REPRODUCIDOS = "Reproducidos", _CUENTA, _OPERATE, "Stored hooks that were folded once more."
    REDIRIGIDOS = "Redirigidos", _CUENTA, _OPERATE, "Messages that a person put back on the queue."

    # How things stand, each minute.
    ABIERTOS = "Abiertos", _CUENTA, _RECONCILE, "Comprobantes that are not finished."
    EN_ERROR = "EnError", _CUENTA, _RECONCILE, "Those in error, being resolved."
    EN_REVISION = "EnRevision", _CUENTA, _RECONCILE, "Those that wait for a person."
    EDAD_ABIERTO = (
        "EdadAbierto",
        _SEGUNDOS,
        _RECONCILE,
        "Age of the oldest of them; not of what waits for a person.",
    )
    EDAD_REVISION = "EdadRevision", _SEGUNDOS, _RECONCILE, "How long the oldest that waits for a person has waited."
    INCIERTO_VENCIDO = "InciertoVencido", _SEGUNDOS, _RECONCILE, "By how much the quiet period of an uncertain is over."
    VENTANA_LEGAL = "VentanaLegal", _SEGUNDOS, _RECONCILE, "Until ARCA takes the date of an old open one no more."
    SILENCIO = "Silencio", _SEGUNDOS, _RECONCILE, "How long a cuenta has had no hook while one was due; 0: none is."
    EMITIDOS_HOY = "EmitidosHoy", _CUENTA, _RECONCILE, "Issued since midnight in Argentina."
    IMPORTE_HOY = "ImporteHoy", _PESOS, _RECONCILE, "Their totals; each counts in its own currency."
    CUPO_DISPONIBLE = "CupoDisponible", _CUENTA, _RECONCILE, "What the plan has left, of the cuenta with least."
    CUPO_RESTANTE = "CupoRestante", _POR_CIENTO, _RECONCILE, "The same, of what the plan has."
    CUPO_ALCANZA = "CupoAlcanza", _SEGUNDOS, _RECONCILE, "How long it lasts at the pace of the last week."
    EN_PAUSA = "EnPausa", _CUENTA, _RECONCILE, "Pauses that a person ordered, and that hold."
    PAUSAS_LARGAS = "PausasLargas", _CUENTA, _RECONCILE, "Those of them that may have been forgotten."
    SIN_RECONSTRUIR = "SinReconstruir", _CUENTA, _RECONCILE, "Cuentas that wait to be rebuilt after a restore."
    DIFERENCIA_CIERRE = "DiferenciaCierre", _CUENTA, _RECONCILE, "Comprobantes in which closed days do not agree."

    # What the reconciliation met.
    MENSAJES_DEVUELTOS = "MensajesDevueltos", _CUENTA, _RECONCILE, "Messages that went back from the dead-letter queue."

    def __init__(self, nombre: str, unidad: Unidad, servicios: tuple[str, ...], que: str) -> None:
        self.nombre: str = nombre
        self.unidad: Unidad = unidad
        self.servicios: tuple[str, ...] = servicios
        self.que: str = que


DE_EVENTO: Final[Mapping[str, Metrica]] = {
    "encolado": Metrica.HOOKS_ENCOLADO,
    "emitido": Metrica.HOOKS_EMITIDO,
    "error": Metrica.HOOKS_ERROR,
    "eliminado": Metrica.HOOKS_ELIMINADO,
    "cambio_fecha": Metrica.HOOKS_CAMBIO_FECHA,
    "test": Metrica.HOOKS_TEST,
}
"""Any other evento is HOOKS_DESCONOCIDO."""

DE_CLASE: Final[Mapping[Clase | None, Metrica]] = {
    Clase.TRANSITORIO: Metrica.ERRORES_TRANSITORIO,
    Clase.AMBIGUO: Metrica.ERRORES_AMBIGUO,
    Clase.NUMERACION: Metrica.ERRORES_NUMERACION,
    Clase.FECHA: Metrica.ERRORES_FECHA,
    Clase.ASOCIADO: Metrica.ERRORES_ASOCIADO,
    Clase.DATOS: Metrica.ERRORES_DATOS,
    Clase.CUENTA: Metrica.ERRORES_CUENTA,
    Clase.REVISION: Metrica.ERRORES_REVISION,
    Clase.DESCONOCIDO: Metrica.ERRORES_DESCONOCIDOS,
    None: Metrica.ERRORES_SIN_CAUSA,
}

DE_ACCION: Final[Mapping[Accion, Metrica]] = {
    Accion.REENVIAR: Metrica.REENVIOS,
    Accion.CAMBIAR_FECHA: Metrica.CAMBIOS_FECHA,
    Accion.ELIMINAR: Metrica.BORRADOS,
    Accion.DESISTIR: Metrica.BORRADOS,
}
