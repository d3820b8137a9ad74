"""Rules of what is done about errors, left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from facturacion.accion import Accion
from facturacion.asiento import Refused
from facturacion.asking import Preguntado
from facturacion.contrast import _Contrast
from facturacion.corridas import Corridas as Waking
from facturacion.estado import Plegado
from facturacion.ledger.acciones import Acciones
from facturacion.ledger.corridas import Corridas
from facturacion.ledger.cuentas import Arriendo
from facturacion.ledger.table import key_of
from resolve_errors import acting, looking, planning
from resolve_errors.looking import Mostrado
from resolve_errors.planning import Hacer
from tests.explore import errors
from tests.explore.mutants.asking import believed_at_once, not_on_version
from tests.explore.mutants.mutant import Mutant
from tusfacturas.catalogue import Clase

if TYPE_CHECKING:
    from tests.explore.mutants.mutant import Patch

_plan, _read, _conclude = planning.plan, looking.read, looking.conclude


def _no_quiet() -> list[Patch]:
    """Absent as soon as the hook of its error came: as if the quiet period had nothing to do with it."""

    def hasty(*args: Any, **named: Any) -> Any:
        return _conclude(*args, **(named | {"quiet": timedelta(days=-1)}))

    return [(looking, "conclude", hasty)]


def _seen_words_count() -> list[Patch]:
    def of_all(world: Any, pendiente: Any, asiento: Any) -> Any:
        return _read(world, pendiente, replace(asiento, vistos=frozenset()))._replace(asiento=asiento)

    return [(looking, "read", of_all), (acting, "read", of_all)]


def _planned_otherwise(change: Any) -> list[Patch]:
    def other(asiento: Any, pendiente: Any, clasificacion: Any, **named: Any) -> Any:
        return change(asiento, clasificacion) or _plan(asiento, pendiente, clasificacion, **named)

    return [(looking, "plan", other)]


def _deletes_after_attempts() -> list[Patch]:
    def anyway(asiento: Any, pendiente: Any, clasificacion: Any, **named: Any) -> Any:
        return _plan(replace(asiento, previos=0), pendiente, clasificacion, **named)

    return [(looking, "plan", anyway)]


def _deletes(*clases: Clase) -> list[Patch]:
    return _planned_otherwise(lambda _, c: Hacer(Accion.ELIMINAR, ()) if c and c.clase in clases else None)


def _resends_unknown() -> list[Patch]:
    return _planned_otherwise(
        lambda a, c: Hacer(Accion.REENVIAR, ()) if c and c.clase is Clase.DESCONOCIDO and not a.reenvios else None
    )


def _unasked() -> list[Patch]:
    """What the plan's own ask said is good enough."""

    def trusting(_world: Any, visto: Any, _mirada: Any) -> Any:
        return Mostrado(visto.asiento, SimpleNamespace(fecha=visto.asiento.datos.fecha))

    return [(acting, "ask_one", trusting)]


def _at_once() -> list[Patch]:
    return [(planning, "next_wait", lambda _first, done: timedelta(0) if done < 5 else None)]


def _result_without_fold() -> list[Patch]:
    return [(acting, "fold", lambda base, *_: Plegado(base, preguntar=False))]


def _released_regardless() -> list[Patch]:
    on_lease = Corridas._on_lease

    def regardless(self: Any, cuenta: str, expression: str, condition: str, values: Any) -> Any:
        kept = {name: value for name, value in values.items() if name != ":seen"}
        return on_lease(self, cuenta, expression, condition.replace(" AND pedidos = :seen", ""), kept)

    return [(Corridas, "_on_lease", regardless)]


def _dropped_regardless() -> list[Patch]:
    def regardless(self: Any, pendiente: Any) -> bool:
        self._client.delete_item(TableName=self._table, Key=key_of(f"RUN#{pendiente.cuenta}", pendiente.sk))
        return True

    return [(Corridas, "drop", regardless)]


def _woken_before_noted() -> list[Patch]:
    def backwards(self: Any, asientos: Any) -> None:
        if asientos:
            self.start(self._ledger.ask_for_run(asientos[0].cuenta))
            for asiento in asientos:
                self._ledger.note_error(asiento, self._new_id())

    return [(Waking, "wake", backwards)]


def _unasked_for() -> list[Patch]:
    """The run is started, and no wake-up is counted."""

    def quietly(self: Any, asientos: Any) -> None:
        if asientos:
            for asiento in asientos:
                self._ledger.note_error(asiento, self._new_id())
            self.start(self._ledger.arriendo(asientos[0].cuenta))

    return [(Waking, "wake", quietly)]


def _lease_unchecked() -> list[Patch]:
    return [(Arriendo, "is_still", lambda _self, _renewed, _now: True)]


def _any_task_of_the_run() -> list[Patch]:
    """Rule 12: the lease is the execution's, whichever of its tasks looks at it."""
    mine = lambda self, renewed, now: self.corrida == renewed.corrida and not self.is_free(now)  # noqa: E731
    return [(Arriendo, "is_still", mine)]


def _wakeups_read_last() -> list[Patch]:
    """Rule 12: a run counts the wake-ups when it gives the lease back, and not before it reads the errors."""
    release = Corridas.release

    def late(self: Any, renewed: Any, *, debida: Any) -> bool:
        return release(self, replace(renewed, pedidos=self.arriendo(renewed.cuenta).pedidos), debida=debida)

    return [(Corridas, "release", late)]


def _queued_is_still_in_error() -> list[Patch]:
    """Rule 12: what the provider shows in its queue is left in error, and looked at again."""

    def patient(asiento: Any, hooks: Any, answer: Any, **more: Any) -> Any:
        shown = [c.situacion for c in answer.con_referencia(asiento.external_reference)]
        if shown == ["EN_COLA"]:
            return Preguntado(answered=True, asiento=asiento, motivo="está en la cola")
        return _conclude(asiento, hooks, answer, **more)

    return [(looking, "conclude", patient)]


def _waits_from_the_note() -> list[Patch]:
    """The waits of an error begin with its note, which may be the one before's."""
    return [(planning, "_since", lambda _asiento, pendiente: pendiente.creado)]


def _turned_away_at_once() -> list[Patch]:
    """What had no effect leaves no mark."""
    not_done = Acciones.not_done

    def unmarked(self: Any, asiento: Any, accion: Any, before: Any) -> Any:
        done = not_done(self, asiento, accion, before)
        return done if isinstance(done, Refused) else self._in_error(done, {}, ("intentado",))

    return [(Acciones, "not_done", unmarked)]


def _nobody_woken() -> list[Patch]:
    return [(_Contrast, "_wake_the_run", lambda _self: None)]


def _out_of_order() -> list[Patch]:
    return [(Hacer, "en_fila", property(lambda _: False))]


_CLERK = (errors.ONE_OF_EACH[0],)
_DATA = (errors.ONE_OF_EACH[4],)
_UNKNOWN = (errors.ONE_OF_EACH[5],)
_AMBIGUOUS = (errors.ONE_OF_EACH[7],)
_TWO_KINDS = (errors.ONE_OF_EACH[10],)

MUTANTS = (
    Mutant("an error's absence without quiet period", "5", _no_quiet, (errors.not_shown_yet,), 0, quick=True),
    Mutant("an error's absence believed at once", "5", believed_at_once, (errors.blinking_in_error,), 0, quick=True),
    Mutant("seen hooks classify", "7", _seen_words_count, _TWO_KINDS, 0, quick=True),
    Mutant("deletes after earlier attempts", "7", _deletes_after_attempts, (errors.refused_then_data,), 0, quick=True),
    Mutant(
        "an action's result whatever happened since", "8", not_on_version, (errors.error_while_resent,), 0, quick=True
    ),
    Mutant(
        "an action's result without folding again",
        "8",
        _result_without_fold,
        (errors.error_while_resent,),
        0,
        quick=True,
    ),
    Mutant("a lease released regardless of wake-ups", "12", _released_regardless, (errors.error_at_release,), 0),
    Mutant("a run started before the error is noted", "12", _woken_before_noted, _CLERK, 0),
    Mutant("no wake-up counted", "12", _unasked_for, (errors.run_is_stopped, errors.error_at_release), 0),
    Mutant("the lease not looked at before a call", "12", _lease_unchecked, (errors.lost_lease,), 0, quick=True),
    Mutant("any task of the run acts", "12", _any_task_of_the_run, (errors.twin_tasks,), 0, quick=True),
    Mutant("wake-ups counted when the lease is given back", "12", _wakeups_read_last, (errors.error_at_release,), 0),
    Mutant("queued is still in error", "12", _queued_is_still_in_error, (errors.resent_on_the_web,), 0, quick=True),
    Mutant("waits counted from an old note", "plain", _waits_from_the_note, (errors.note_is_left,), 0),
    Mutant("turned away and tried at once", "plain", _turned_away_at_once, (errors.turned_away,), 0),
    Mutant("a note dropped without its mark", "12", _dropped_regardless, (errors.error_again,), 0),
    Mutant("no run for an error that nobody noted", "12", _nobody_woken, (errors.wordless,), 0, quick=True),
    Mutant("resends at once", "plain", _at_once, _CLERK, 0, quick=True),
    Mutant("resends out of order", "plain", _out_of_order, (errors.two_in_order,), 0, quick=True),
    Mutant("deletes what is ambiguous", "plain", lambda: _deletes(Clase.AMBIGUO), _AMBIGUOUS, 0, quick=True),
    Mutant("deletes what it does not understand", "plain", lambda: _deletes(Clase.DESCONOCIDO), _UNKNOWN, 0),
    Mutant("resends what it does not understand", "plain", _resends_unknown, _UNKNOWN, 0, quick=True),
    Mutant("acts without asking first", "plain", _unasked, _DATA, 0, quick=True),
)
