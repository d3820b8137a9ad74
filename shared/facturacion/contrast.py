"""Contrasting what is open of a cuenta with what the provider has: by date pages, one by one where those prove nothing.

A page of `consulta_avanzada` by fecha holds up to 1,000 comprobantes, so that a thousand missing CAEs cost one query.
A page proves presence only: absence is asked by reference (`asking`), with the conditions that it has there.

Everything written is conditional on what was read, so any number of contrasts may run at once, and a crash anywhere
leaves what was not reached to the next one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, islice
from typing import TYPE_CHECKING

from facturacion import paginas
from facturacion.asiento import CAUSA_DESCONOCIDA
from facturacion.asking import (
    REFUSED_YET_PRESENT,
    Hallado,
    Revisar,
    conclude,
    forget_absence,
    is_alive,
    read_present,
)
from facturacion.contrastado import Contrasted
from facturacion.emission import finish
from facturacion.esperas import RAREST, allowed, is_time, starts
from facturacion.estado import Estado
from facturacion.figuras import Figuras
from facturacion.ledger import Refused
from facturacion.metricas import Metrica
from facturacion.paginas import Pagina
from facturacion.telling import tell
from facturacion.tiempo import from_iso
from tusfacturas.outcomes import Consulta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from facturacion.asiento import Asiento, Causa
    from facturacion.contrastado import Terms
    from facturacion.emission import Finishing
    from facturacion.estado import Hook
    from tusfacturas.client import Cliente
    from tusfacturas.outcomes import Encontrado, NoRespondida

ASKED_PER_PAGE = 100
"""Open comprobantes of one fecha for each page that is read although all were found: 0.01 queries for each of them."""
FEW = 3
"""Up to this many of one fecha are asked by reference: cheaper for the provider than a page of the whole day."""
STRAY_MOST = 3
"""Pages beside the one where those that were issued should be: the next contrast of everything finds the rest."""
READ_AT_ONCE = 50
AT_A_TIME = 5_000
"""Open comprobantes that are looked at together, oldest first."""
UNTOLD_MAX = 10
"""Of so many it is read whether a hook came that is not folded yet: while the stream is behind, of each one did."""
TIME_FOR_A_QUERY = timedelta(seconds=40)
TIME_TO_FINISH = timedelta(seconds=30)
"""A PDF (10 s), and the records of those before it."""
_NO_FECHA = date.min
_NEVER = datetime.max.replace(tzinfo=UTC)
_MAY_BE_ABSENT = frozenset({Estado.ENVIANDO, Estado.INCIERTO, Estado.ENVIADO, Estado.ENCOLADO})
_READ_BESIDE = frozenset({Estado.ENVIADO, Estado.ENCOLADO, Estado.EN_REVISION})
_SAYS_ENCOLADO = frozenset({"encolado", "cambio_fecha"})
_HOOKS_COUNT = frozenset({Estado.ENVIANDO, Estado.INCIERTO, Estado.ENVIADO})


def contrast(
    cuenta: str,
    cliente: Cliente,
    f: Finishing,
    terms: Terms,
    *,
    wake: Callable[[Sequence[Asiento]], None],
    remaining: Callable[[], timedelta],
) -> Contrasted:
    """One look at everything that is open of a cuenta. `remaining`: until Lambda ends the invocation.

    Those in error are the run's to ask about (`wake` starts it): it does something about them, in their order.
    """
    return _Contrast(cuenta, cliente, f, terms, wake, remaining).run()


class _Contrast:
    def __init__(  # noqa: PLR0917 - one caller, above
        self,
        cuenta: str,
        cliente: Cliente,
        f: Finishing,
        terms: Terms,
        wake: Callable[[Sequence[Asiento]], None],
        remaining: Callable[[], timedelta],
    ) -> None:
        self._cuenta = cuenta
        self._cliente = cliente
        self._f = f
        self._ledger = f.ledger
        self._terms = terms
        self._wake = wake
        self._remaining = remaining
        self._errors: dict[str, Asiento] = {}
        self._done = Contrasted()
        self._found = self._issued = 0
        self._line = 0
        self._untold_asked = 0

    def run(self) -> Contrasted:
        references = self._ledger.open_references(self._cuenta)
        if self._may_ask():
            self._done.figuras = Figuras()
        while self._may_ask() and not self._done.head and (some := self._read(references)):
            self._look_at(some)
        self._done.whole = self._may_ask() and not self._done.head
        self._done.line = self._line
        self._done.unfinished = max(0, self._issued - self._done.finished)
        self._wake_the_run()
        return self._done

    def _read(self, references: Iterator[str]) -> list[Asiento]:
        """The next ones, oldest first. `head`: those that were issued are found, and behind them nobody was yet.

        The provider issues in the order of the line, as far as is known; where it does not, most of it is read. Half of
        those that are known of are enough: the others may have been finished by the last contrast, which was still at
        work when their hooks were counted.
        """
        asientos: list[Asiento] = []
        while len(asientos) < AT_A_TIME and (few := list(islice(references, READ_AT_ONCE))):
            read = {a.external_reference: a for a in self._ledger.get_many(self._cuenta, few)}
            found = [read[reference] for reference in few if reference in read]
            issued = sum(a.estado is Estado.EMITIDO for a in found)
            asientos += found
            self._found += issued
            if self._terms.issued is not None and not issued and 2 * self._found >= self._terms.issued:
                self._done.head = True
                break
        return asientos

    def _look_at(self, asientos: Sequence[Asiento]) -> None:
        self._done.open += len(asientos)
        self._done.figuras = (self._done.figuras or Figuras()).with_those(asientos, self._f.clock())
        for asiento in asientos:
            if asiento.estado is Estado.ENVIADO:
                # Accepted by an answer: the hook that says so should have come with it.
                self._note_untold(asiento, _begins(asiento))
        self._tell_owed(asientos)
        self._errors |= {a.external_reference: a for a in asientos if a.estado is Estado.ERROR}
        wanting = sorted((a for a in asientos if self._wants_an_answer(a)), key=_fecha)
        self._issued += sum(a.estado is Estado.EMITIDO for a in wanting)
        asked = {a.external_reference for a in wanting}
        beside = [a for a in asientos if a.estado in _READ_BESIDE and a.external_reference not in asked]
        for fecha, group in groupby(wanting, key=_fecha):
            self._ask_group(fecha, list(group), [a for a in beside if _fecha(a) == fecha])
        if not self._done.answered:
            # Its silence counts towards nobody's absence, asked about or not.
            for asiento in wanting:
                forget_absence(asiento, self._ledger)

    def _tell_owed(self, asientos: Sequence[Asiento]) -> None:
        """Events whose publication was never noted. An issued one without CAE is told when it is finished."""
        owed = [(a, None) for a in asientos if a.evento_pendiente and a.estado is not Estado.EMITIDO]
        told = tell(owed, ledger=self._ledger, bus=self._f.bus, at=self._f.clock())
        self._done.told += sum(told)

    def _wake_the_run(self) -> None:
        """Of those that nobody noted: the hook that tells was lost, or whoever folded it died before.

        Of all where no run is there and none is due: whoever noted them died before asking for one.
        """
        if self._errors:
            arriendo = self._ledger.arriendo(self._cuenta)
            asked_for = arriendo.debida is not None or not arriendo.is_free(self._f.clock())
            pendientes = self._ledger.pendientes(self._cuenta) if asked_for else ()
            noted = {p.external_reference for p in pendientes}
            self._wake([a for reference, a in sorted(self._errors.items()) if reference not in noted])

    # -- who is asked about --------------------------------------------------------------------------------------

    def _wants_an_answer(self, asiento: Asiento) -> bool:
        now = self._f.clock()
        if self._terms.issued is not None and asiento.estado is not Estado.EMITIDO:
            return False  # when everything is looked at
        match asiento.estado:
            case Estado.PENDIENTE:
                return False  # the queue brings it again
            case Estado.EMITIDO:
                return asiento.abierto and self._issued_lately_or_due(asiento, now)
            case Estado.ENVIANDO | Estado.INCIERTO:
                return not is_alive(asiento, now, provider_timeout=self._terms.provider_timeout)
            case Estado.RECHAZADO | Estado.ELIMINADO:
                # A closed one comes back into the index when a hook contradicts it.
                return asiento.evento_pendiente is None
            case Estado.ERROR:
                return False  # the run asks, before it does something about it
            case Estado.EN_REVISION if asiento.datos.fecha is None:
                return False  # of another system: there is nothing of ours to find out
            case Estado.EN_REVISION:
                since = asiento.actualizado or asiento.creado
                noted = asiento.ausente_desde is not None
                return noted or (since is not None and self._is_time(since, RAREST, now))
            case _:
                return self._is_overdue(asiento, now)

    def _is_overdue(self, asiento: Asiento, now: datetime) -> bool:
        """In the provider's line for longer than its place in it takes. A noted absence is confirmed without delay."""
        since = _begins(asiento)
        if since > now:
            return False
        place, self._line = self._line, self._line + 1
        return asiento.ausente_desde is not None or self._is_time(since, allowed(place, self._terms.due), now)

    def _issued_lately_or_due(self, asiento: Asiento, now: datetime) -> bool:
        """Its CAE is wanted now; what an `emitido` told and the provider does not show, ever more rarely."""
        since = asiento.actualizado
        return since is None or now - since < self._terms.quiet or self._is_time(since, self._terms.quiet, now)

    def _is_time(self, since: datetime, first: timedelta, now: datetime) -> bool:
        return is_time(since, first, self._terms.due, before=self._terms.before, now=now)

    def _absence_counts(self, asiento: Asiento) -> bool:
        if asiento.estado is Estado.EMITIDO:
            return asiento.actualizado is not None and self._f.clock() - asiento.actualizado >= self._terms.due
        return asiento.quieto_desde is not None and self._f.clock() >= asiento.quieto_desde + self._terms.quiet

    def _may_ask(self) -> bool:
        return self._done.answered and self._remaining() >= TIME_FOR_A_QUERY

    # -- asking --------------------------------------------------------------------------------------------------

    def _ask_group(self, fecha: date, group: list[Asiento], beside: list[Asiento]) -> None:
        """All of one fecha. Hooks are read before the ask, where what it proves depends on them.

        `beside`: open ones of that fecha that are not asked about, and may be on the same pages.
        """
        hooks = {a.external_reference: self._ledger.hooks(a.cuenta, a.external_reference) for a in group if _heard(a)}
        missing = group
        if len(group) > FEW and fecha is not _NO_FECHA:
            found, twice = self._pages(
                fecha, {a.external_reference for a in group}, {a.external_reference for a in beside}
            )
            self._settle_present(
                [(a, found[a.external_reference]) for a in group if a.external_reference in found], hooks
            )
            # Their hooks were not read, so they all stay live: one that is not folded yet still counts.
            self._settle_present(
                [(a, found[a.external_reference]) for a in beside if a.external_reference in found], {}, asked=False
            )
            # A page proves presence only; by reference it is worth asking where absence would count.
            missing = [a for a in group if a.external_reference not in found]
            missing = [a for a in missing if a.external_reference in twice or self._absence_counts(a)]
        for asiento in missing:
            if not self._may_ask():
                return
            self._ask_by_reference(asiento, hooks.get(asiento.external_reference, ()))

    def _pages(self, fecha: date, wanted: set[str], beside: set[str]) -> tuple[dict[str, list[Encontrado]], set[str]]:
        """Those that the pages of a fecha show, each with every match that was read; and those that two pages show.

        What is taken meanwhile moves everything on by a place, so that the last one of a page is the first of the next
        as well: what two pages show may be one or two, which only an ask by reference can tell.

        Pages are read until all of `wanted` are there or none is left. What may be a second comprobante of a reference
        is promised to be seen on the first page, and on one more for each further hundred that are asked about: a fecha
        of up to a thousand is read to its end, a longer one as far as its open ones pay for it. A contrast that only
        fetches what was issued begins where the last ones were, and promises what it reads.
        """
        only_issued = self._terms.issued is not None
        affordable = 1 if only_issued else -(-len(wanted) // ASKED_PER_PAGE)
        known = self._terms.pagina if only_issued and self._terms.pagina and self._terms.pagina.fecha == fecha else None
        most = affordable + STRAY_MOST if known else None
        found: dict[str, list[Encontrado]] = {}
        twice: set[str] = set()
        issued_on: set[int] = set()
        read: set[int] = set()
        pagina: int | None = known.numero if known else 0
        while pagina is not None and self._may_ask() and len(read) != most:
            answer = self._heard_from(self._cliente.consulta_por_fecha(fecha, pagina=pagina, limite=paginas.PAGE))
            if answer is None:
                break
            read.add(pagina)
            before = set(found)
            for encontrado in answer.comprobantes:
                reference = encontrado.external_reference
                if reference not in wanted and reference not in beside:
                    continue
                if reference in before:
                    twice.add(reference)
                if reference in wanted and encontrado.situacion == "EMITIDO":
                    issued_on.add(pagina)
                found.setdefault(reference, []).append(encontrado)
            if wanted <= found.keys() and len(read) >= affordable:
                break
            pagina = paginas.next_page(pagina, answer.comprobantes, answer.total, read)
        if issued_on:
            self._done.pagina = Pagina(fecha, min(issued_on))
        self._done.astray = self._done.astray or (known is not None and not issued_on)
        return {reference: matches for reference, matches in found.items() if reference not in twice}, twice

    def _ask_by_reference(self, asiento: Asiento, hooks: Sequence[Hook]) -> None:
        asked_at = self._f.clock()
        answer = self._heard_from(self._cliente.consulta_por_referencia(asiento.external_reference))
        if answer is None:
            forget_absence(asiento, self._ledger)
            return
        iguales = answer.con_referencia(asiento.external_reference)
        if iguales:
            self._settle_present([(asiento, list(iguales))], {asiento.external_reference: hooks})
        elif asiento.estado in _MAY_BE_ABSENT or _is_parked_in_the_queue(asiento, answer):
            after = conclude(
                asiento,
                hooks,
                answer,
                ledger=self._ledger,
                asked_at=asked_at,
                quiet=self._terms.quiet,
                settle=self._terms.settle,
            ).asiento
            self._note_healed(asiento, after)
        elif asiento.estado is Estado.RECHAZADO and answer.ausente:
            self._ledger.published(asiento, closes=True)

    def _heard_from(self, answer: Consulta | NoRespondida) -> Consulta | None:
        self._done.queries += 1
        if isinstance(answer, Consulta):
            return answer
        self._done.answered = False
        self._f.count(Metrica.SIN_RESPUESTA, 1, cuenta=self._cuenta)
        self._f.logger.warning("sin_respuesta", extra={"cuenta": self._cuenta, "codigo": answer.codigo})
        return None

    # -- what is there -------------------------------------------------------------------------------------------

    def _settle_present(
        self,
        present: Sequence[tuple[Asiento, list[Encontrado]]],
        hooks: Mapping[str, Sequence[Hook]],
        *,
        asked: bool = True,
    ) -> None:
        """`asked`: about these; the others were on the page as well."""
        issued = []
        for read, encontrados in present:
            asiento = forget_absence(read, self._ledger)
            hallado = read_present(encontrados)
            if isinstance(hallado, Revisar) and asiento.estado is Estado.EMITIDO:
                self._tell_of_a_second(asiento, hallado.causa)
                issued.append((asiento, min(encontrados, key=_first_issued)))
            elif isinstance(hallado, Hallado) and hallado.estado is Estado.EMITIDO:
                issued.append((asiento, hallado.comprobante))
                if asiento.estado in _MAY_BE_ABSENT:
                    self._done.healed += 1
                    self._note_untold(asiento, _begins(asiento) + self._terms.due)
            elif isinstance(hallado, Revisar):
                self._review(asiento, hallado.causa)
            elif asiento.estado is Estado.RECHAZADO:
                self._review(asiento, REFUSED_YET_PRESENT)
            elif not asked and self._may_be_told(asiento, hallado):
                pass  # a hook that is on the way says so, and would be a write more
            elif asiento.estado is not hallado.estado and asiento.estado in _MAY_BE_ABSENT:
                vistos = frozenset(h.hook_id for h in hooks.get(asiento.external_reference, ()))
                keep_live = hallado.estado is Estado.ERROR
                self._note_healed(
                    asiento,
                    self._ledger.found(
                        asiento,
                        hallado.estado,
                        vistos=None if keep_live else vistos,
                        causas=(CAUSA_DESCONOCIDA,) if keep_live else (),
                    ),
                )
        finished = finish(issued, self._f, may_go_on=lambda: self._remaining() >= TIME_TO_FINISH)
        self._done.finished += len(finished)
        self._done.importe += sum((a.datos.total for a in finished if a.datos.total is not None), Decimal(0))

    def _may_be_told(self, asiento: Asiento, hallado: Hallado) -> bool:
        accepted = (asiento.estado, hallado.estado) == (Estado.ENVIADO, Estado.ENCOLADO)
        return accepted and self._f.clock() < _begins(asiento) + self._terms.due

    def _tell_of_a_second(self, asiento: Asiento, causa: Causa) -> None:
        """Issued is issued, so the state stays; that there is another one under its reference is for a person."""
        self._f.logger.error(
            "duplicado", extra={"cuenta": asiento.cuenta, "external_reference": asiento.external_reference}
        )
        self._f.count(Metrica.DUPLICADOS, 1, cuenta=self._cuenta)
        warning = replace(asiento, estado=Estado.EN_REVISION, causas=(causa,), evento_pendiente=None)
        tell([(warning, None)], ledger=self._ledger, bus=self._f.bus, at=self._f.clock())

    def _review(self, asiento: Asiento, causa: Causa) -> None:
        if asiento.estado not in {Estado.EN_REVISION, Estado.EMITIDO, Estado.ELIMINADO}:
            self._note_healed(asiento, self._ledger.to_review(asiento, causa, en_cola=True))

    def _note_untold(self, asiento: Asiento, due: datetime) -> None:
        """A hook was due at that instant, and did not come; the first of them says it all. One that is stored and not
        folded yet came; one that is due later may still be on its way.
        """
        told = self._terms.told
        if self._done.untold or due > self._f.clock() or (told and due <= told) or self._untold_asked == UNTOLD_MAX:
            return
        self._untold_asked += 1
        eventos = {hook.evento for hook in self._ledger.hooks(asiento.cuenta, asiento.external_reference)}
        if not eventos - (_SAYS_ENCOLADO if asiento.estado is Estado.ENCOLADO else frozenset()):
            self._done.untold.append(due)

    def _note_healed(self, before: Asiento, after: Asiento | Refused) -> None:
        """A state that the hooks should have told, and did not; its event goes out at once."""
        if isinstance(after, Refused):
            # Also by our own write, repeated because its answer was lost: then nobody else wakes a run for the error.
            if after.stored and after.stored.estado is Estado.ERROR:
                self._errors[after.stored.external_reference] = after.stored
            return
        if after.estado is before.estado:
            return
        self._done.healed += 1
        if before.estado is Estado.ENCOLADO and after.estado in {Estado.ERROR, Estado.ELIMINADO}:
            self._note_untold(before, _begins(before) + self._terms.due)
        if after.estado is Estado.ERROR:
            self._errors[after.external_reference] = after
        fields = {"cuenta": after.cuenta, "external_reference": after.external_reference, "lote_id": after.lote_id}
        self._f.logger.info("corregido", extra={**fields, "de": before.estado, "a": after.estado})
        tell([(after, None)], ledger=self._ledger, bus=self._f.bus, at=self._f.clock())


def _fecha(asiento: Asiento) -> date:
    return asiento.datos.fecha or _NO_FECHA


def _begins(asiento: Asiento) -> datetime:
    """When its time at the provider begins to count."""
    posted = from_iso(asiento.orden.partition("#")[0]) if asiento.orden else asiento.creado or _NEVER
    return starts(posted, asiento.datos.fecha)


def _first_issued(encontrado: Encontrado) -> tuple[bool, int]:
    return (encontrado.situacion != "EMITIDO", encontrado.numero or 0)


def _is_parked_in_the_queue(asiento: Asiento, answer: Consulta) -> bool:
    """In review, and it was in the provider's queue: deleted there, nothing is left to be decided.

    What proves nothing changes nothing about a review: a person has it already.
    """
    return asiento.estado is Estado.EN_REVISION and asiento.en_cola and answer.ausente


def _heard(asiento: Asiento) -> bool:
    return asiento.estado in _HOOKS_COUNT
