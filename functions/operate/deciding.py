"""Writing down what a person decided, and waking the runs that do it.

The steps, and what a crash right after each leaves behind:

1. the line of the timeline     a line without an end: nothing was decided
2. the asiento, on `version`    in error and not noted: the reconciliation notes it; an error that was noted already
                                keeps its wait, and is then done as decided
3. the end of the line          the same; the line alone has no end
4. the notes and the run        nothing is left: the run, or the reconciliation that starts it, does it
5. the incident                 it stays open, until the next decision about its cause

Pressed twice it acts once: the second one meets another `version`, or what was decided already. A press that says when
the person saw it (`visto`) decides about nothing that changed since, however late it comes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from facturacion.accion import Accion, Autor
from facturacion.asiento import Asiento, Lugar, Refused
from facturacion.estado import Estado
from facturacion.ledger.pausas import longest
from facturacion.metricas import Metrica
from facturacion.ventana import hours_left
from operate import fields
from operate.decisions import CAMBIO, Negada, is_foreign, judge, judge_fecha, judge_visto, requests_of
from operate.fields import PedidoInvalido
from operate.listing import Recorrido, matches, money

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from operate.listing import World
    from operate.requests import Decidir

TIME_TO_DECIDE = timedelta(seconds=20)
"""The writes about one comprobante; then, in any case, the notes and the runs of those before it."""


@dataclass(slots=True)
class Nombrados:
    """Those that were named, in that order, whether they exist or not. `sigue`: as of a Recorrido."""

    world: World
    cuenta: str
    referencias: Sequence[str]
    tras: Lugar | None
    sigue: Lugar | None = None

    def __iter__(self) -> Iterator[tuple[Lugar, Asiento | None]]:
        done = self.tras.external_reference if self.tras else None
        start = self.referencias.index(done) + 1 if done in self.referencias else 0
        left = self.referencias[start:]
        found = {a.external_reference: a for a in self.world.ledger.get_many(self.cuenta, left)}
        for reference in left:
            self.sigue = Lugar(self.cuenta, "", reference)
            yield self.sigue, found.get(reference)
        self.sigue = None


@dataclass(slots=True)
class Hecho:
    """What a request came to. `sin_corrida`: decided, and AWS did not start its run; the reconciliation does.

    `en_pausa`: cuentas of which it is done when somebody resumes them.
    """

    decididos: list[Asiento] = field(default_factory=list)
    negados: list[tuple[Lugar, Negada]] = field(default_factory=list)
    pedidos: int = 0
    fuera_de_ventana: int = 0
    incidentes: list[dict[str, str]] = field(default_factory=list)
    sin_corrida: list[str] = field(default_factory=list)
    en_pausa: list[str] = field(default_factory=list)


def decide(world: World, asked: Decidir) -> dict[str, Any]:
    """About each in turn, as long as there is time; `sigue` says where the next request goes on."""
    if illegal := judge_fecha(asked.fecha, servicios=asked.servicios, now=world.clock()):
        raise PedidoInvalido(illegal.codigo, illegal.motivo)
    hecho = Hecho()
    now = world.clock()
    most = asked.maximo if asked.simulacro else min(asked.maximo, fields.DECISIONS_MAX)
    walk = _asked_about(world, asked)
    for lugar, asiento in walk:
        if asked.referencias is None and not (asiento and matches(asiento, asked.filtro, now)):
            continue
        refused = _decide_one(world, asked, asiento)
        if refused:
            hecho.negados.append((lugar, refused))
        elif asiento:
            hecho.decididos.append(asiento)
            hecho.pedidos += requests_of(asiento, asked.accion)
            hecho.fuera_de_ventana += asked.accion is Accion.REENVIAR and _is_late(asiento, now)
        if len(hecho.decididos) + len(hecho.negados) == most or world.remaining() < TIME_TO_DECIDE:
            break
    pausas = world.ledger.pausas()
    hecho.en_pausa = sorted({a.cuenta for a in hecho.decididos if longest(a.cuenta, pausas)})
    if not asked.simulacro:
        _wake(world, hecho)
        _close_incidents(world, hecho)
        world.count(Metrica.DECISIONES, len(hecho.decididos))
    return _answer(asked, hecho, walk.sigue)


def _asked_about(world: World, asked: Decidir) -> Nombrados | Recorrido:
    if asked.referencias is None:
        return Recorrido(world, asked.filtro.cuenta, asked.tras)
    return Nombrados(world, asked.filtro.cuenta or "", asked.referencias, asked.tras)


def _is_late(asiento: Asiento, now: datetime) -> bool:
    """Its date is past the legal window: a resend alone will probably bring it back in error."""
    return asiento.datos.fecha is not None and not hours_left(asiento.datos.fecha, now=now)


def _decide_one(world: World, asked: Decidir, asiento: Asiento | None) -> Negada | None:
    """None when it was decided, or would be."""
    refused = judge(asiento, asked.accion, asked.fecha) or judge_visto(asiento, asked.visto)
    if refused or asiento is None or asked.simulacro:
        return refused
    autor = Autor(asked.quien, asked.motivo, world.solicitud)
    if is_foreign(asiento):
        written = world.ledger.dismiss(asiento, autor, expires=world.keep)
    else:
        written = world.ledger.decide(asiento, asked.accion, autor, expires=world.keep, fecha=asked.fecha)
    # What was read a moment ago may have changed: then nothing was written.
    refused = CAMBIO if isinstance(written, Refused) else None
    its = {"cuenta": asiento.cuenta, "external_reference": asiento.external_reference, "lote_id": asiento.lote_id}
    codigo = refused.codigo if refused else "Decidido"
    world.logger.info("decision", extra={**its, "accion": asked.accion, "codigo": codigo, "solicitud": world.solicitud})
    return refused


def _wake(world: World, hecho: Hecho) -> None:
    """The run of each cuenta. What was not its to do (sent again, or only taken off the list) it drops."""
    ours = [a for a in hecho.decididos if not is_foreign(a)]
    for cuenta, asientos in groupby(ours, key=lambda a: a.cuenta):
        try:
            world.corridas.wake(list(asientos))
        except (ClientError, BotoCoreError) as error:
            # Decided is decided: the reconciliation notes what is in error, and starts the run.
            world.logger.exception("sin_corrida", extra={"cuenta": cuenta, "codigo": type(error).__name__})
            hecho.sin_corrida.append(cuenta)


def _close_incidents(world: World, hecho: Hecho) -> None:
    """What was wrong with a cuenta is over when nothing waits for it any more: the next one is told anew."""
    touched = {(a.cuenta, a.causas[0].codigo) for a in hecho.decididos if a.causas}
    for cuenta in sorted({cuenta for cuenta, _ in touched}):
        for incidente in world.ledger.incidentes(cuenta):
            codigo = incidente.causa.codigo
            if (cuenta, codigo) in touched and not _is_holding(world, cuenta, codigo):
                world.ledger.close_incident(cuenta, codigo)
                hecho.incidentes.append({"cuenta": cuenta, "codigo": codigo})


def _is_holding(world: World, cuenta: str, codigo: str) -> bool:
    """Whether any still waits for it; also where there was no time to look at all that is open."""
    walk = Recorrido(world, cuenta, None)
    held = any(a.estado is Estado.EN_REVISION and a.causas and a.causas[0].codigo == codigo for _, a in walk)
    return held or walk.sigue is not None


def _answer(asked: Decidir, hecho: Hecho, sigue: Lugar | None) -> dict[str, Any]:
    """The figures are of this answer alone."""
    return {
        "simulacro": asked.simulacro,
        "accion": str(asked.accion),
        "cantidad": len(hecho.decididos),
        "total": str(money(hecho.decididos)),
        "pedidos": hecho.pedidos,
        "fuera_de_ventana": hecho.fuera_de_ventana,
        "decididos": [{"cuenta": a.cuenta, "external_reference": a.external_reference} for a in hecho.decididos],
        "negados": [
            {"cuenta": lugar.cuenta, "external_reference": lugar.external_reference, **asdict(negada)}
            for lugar, negada in hecho.negados
        ],
        "negados_por_codigo": dict(Counter(negada.codigo for _, negada in hecho.negados).most_common()),
        "incidentes_cerrados": hecho.incidentes,
        "sin_corrida": hecho.sin_corrida,
        "en_pausa": hecho.en_pausa,
        "sigue": asdict(sigue) if sigue else None,
    }
