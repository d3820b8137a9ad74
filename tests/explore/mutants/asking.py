"""Rules of what an answer to a question proves, left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from facturacion import asking, contrast
from facturacion.estado import Estado
from facturacion.ledger import Ledger
from facturacion.ledger.table import Table
from pack_lotes.ventanilla import Ventanilla
from reconcile import app as reconcile_app
from resolve_errors import looking
from tests.explore import directed, errors, scenarios
from tests.explore.mutants.mutant import Mutant
from tests.explore.mutants.patching import conditions
from tusfacturas import client
from tusfacturas.outcomes import Consulta

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.explore.mutants.mutant import Patch

_decide = asking.decide


def _decide_with(change: Callable[..., Any]) -> list[Patch]:
    return [(asking, "decide", change)]


def _no_quiet(asiento: Any, hooks: Any, consulta: Any, *, asked_at: Any, quiet: Any, settle: Any) -> Any:
    return _decide(asiento, hooks, consulta, asked_at=asked_at, quiet=timedelta(days=-1), settle=settle)


def _one_absence(asiento: Any, hooks: Any, consulta: Any, *, asked_at: Any, quiet: Any, settle: Any) -> Any:
    decision = _decide(asiento, hooks, consulta, asked_at=asked_at, quiet=quiet, settle=settle)
    return asking.Ausente() if isinstance(decision, asking.AnotarAusencia) else decision


def believed_at_once() -> list[Patch]:
    settled = " AND ausente_desde <= :settled"
    return [*_decide_with(_one_absence), *conditions(lambda c: c.replace(settled, ""))]


def _quiet_from_claim() -> list[Patch]:
    """The quiet period counts from the claim, and the POST may leave whenever it is ready."""
    from_claim = lambda asiento: replace(asiento, quieto_desde=asiento.creado)  # noqa: E731

    def early(asiento: Any, *args: Any, **named: Any) -> Any:
        return _decide(from_claim(asiento), *args, **named)

    return [(asking, "decide", early), (Ventanilla, "_may_leave", lambda _self, _lote: True)]


def _asked_when_written() -> list[Patch]:
    """The instant of the ask is taken when its answer is written, and not when it began."""
    conclude = asking.conclude

    def late(asiento: Any, hooks: Any, answer: Any, *, ledger: Any, asked_at: Any, quiet: Any, settle: Any) -> Any:
        del asked_at
        now = ledger._clock()
        return conclude(asiento, hooks, answer, ledger=ledger, asked_at=now, quiet=quiet, settle=settle)

    return [(asking, "conclude", late), (contrast, "conclude", late)]


def _total_is_presence() -> list[Patch]:
    """Rule 4: whatever a query answers without the reference is absence; nothing at all counts as an answer, too."""
    read = client.read_consulta

    def lenient(r: Any) -> Any:
        answer = read(r)
        return answer if isinstance(answer, Consulta) else Consulta(0, ())

    return [(client, "read_consulta", lenient)]


def _inexact_is_absence() -> list[Patch]:
    """Something is there under what was asked for, but not with this very reference: then it is not there."""
    return [(Consulta, "ausente", property(lambda _self: True))]


def _page_proves_absence() -> list[Patch]:
    """Rule 4: what no page of its fecha shows is not there, and nobody asks by reference any more."""
    pages, by_reference = contrast._Contrast._pages, contrast._Contrast._ask_by_reference
    none = SimpleNamespace(consulta_por_referencia=lambda _: Consulta(0, ()))

    def read(self: Any, fecha: Any, wanted: Any, beside: Any) -> Any:
        paged.add(id(self))
        return pages(self, fecha, wanted, beside)

    def from_pages(self: Any, asiento: Any, hooks: Any) -> None:
        if id(self) not in paged:
            by_reference(self, asiento, hooks)
            return
        with mock.patch.object(self, "_cliente", none):
            by_reference(self, asiento, hooks)

    paged: set[int] = set()
    asks = [(contrast._Contrast, "_pages", read), (contrast._Contrast, "_ask_by_reference", from_pages)]
    return [(contrast, "FEW", 0), *asks]


def _sightings_ignored() -> list[Patch]:
    """Rule 3: an absence that was noted counts, whatever was seen since, or not answered."""
    ignored = lambda asiento, _ledger: asiento  # noqa: E731
    return [(module, "forget_absence", ignored) for module in (asking, contrast, looking)]


def _settles_from_the_question() -> list[Patch]:
    """Rule 3: the instant of a first absence is that of the question, and not of the answer."""
    conclude = asking.conclude

    def early(asiento: Any, hooks: Any, answer: Any, *, ledger: Any, asked_at: Any, **terms: Any) -> Any:
        with mock.patch.object(ledger, "_clock", return_value=asked_at):
            return conclude(asiento, hooks, answer, ledger=ledger, asked_at=asked_at, **terms)

    return [(module, "conclude", early) for module in (asking, contrast, looking)]


def _evidence_forgotten() -> list[Patch]:
    """Absent after the provider had acknowledged it: it never entered, says the ledger."""
    gone = Ledger.gone

    def never(self: Any, asiento: Any, **named: Any) -> Any:
        return gone(self, replace(asiento, estado=Estado.ERROR, en_cola=False, borrado_pedido=False), **named)

    return [(Ledger, "gone", never)]


def _endless_cycles() -> list[Patch]:
    return [(asking, "CICLOS_MAX", 10**6)]


def _reconcile_skips(*estados: Estado) -> Callable[[], list[Patch]]:
    wants = contrast._Contrast._wants_an_answer

    def some(self: Any, asiento: Any) -> bool:
        return asiento.estado not in estados and wants(self, asiento)

    return lambda: [(contrast._Contrast, "_wants_an_answer", some)]


def _reconcile_sleeps() -> list[Patch]:
    return [(reconcile_app, "_due", lambda _contraster, _pulses: [])]


def not_on_version() -> list[Patch]:
    """What was decided on an asiento is written whatever happened to it since."""
    on_version = Table._on_version

    def whatever(self: Any, asiento: Any, condition: Any, values: Any, **more: Any) -> Any:
        now = self.get(asiento.cuenta, asiento.external_reference)
        return on_version(self, replace(asiento, version=now.version), condition, values, **more)

    return [(Table, "_on_version", whatever)]


MUTANTS = (
    Mutant(
        "quiet period from the claim, no deadline", "1", _quiet_from_claim, (scenarios.one_dropped,), 150, quick=True
    ),
    Mutant("an ask counts from its end", "2", _asked_when_written, (), 200),
    Mutant("quiet period ignored", "2", lambda: _decide_with(_no_quiet), (scenarios.one_slow_hooks_lost,), quick=True),
    Mutant("absent believed at once", "3", believed_at_once, (scenarios.one_dropped,), quick=True),
    Mutant("no answer taken for absent", "4", _total_is_presence, (), 100, quick=True),
    Mutant("inexact taken for absent", "4", _inexact_is_absence, (directed.leading_zeros,), 0, quick=True),
    Mutant("absent from a page taken for absent", "4", _page_proves_absence, (directed.date_changed,), 0, quick=True),
    Mutant("an absence outlives a sighting", "3", _sightings_ignored, (directed.blinking_twice,), 0, quick=True),
    Mutant("settling from the question", "3", _settles_from_the_question, (directed.slow_absence,), 0),
    Mutant("answers written whatever happened since", "8", not_on_version, directed.TOLD_WHILE_ASKED, 0),
    Mutant("evidence of the queue forgotten", "9", _evidence_forgotten, (errors.deleted_silently,), 0),
    Mutant("endless cycles", "14", _endless_cycles, (directed.always_dropped,), seeds=0, quick=True),
    Mutant(
        "ENVIADO and ENCOLADO not asked about",
        "14",
        _reconcile_skips(Estado.ENVIADO, Estado.ENCOLADO),
        (scenarios.one,),
    ),
    Mutant("reconcile looks at nothing", "plain", _reconcile_sleeps, (scenarios.one_slow_hooks_lost,), quick=True),
)
