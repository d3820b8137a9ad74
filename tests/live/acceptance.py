"""The way of a comprobante through the deployed stack, at the real provider: issued, refused, told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.live.questions import Answer, unanswered
from tests.live.site import Spent

if TYPE_CHECKING:
    from tests.live.site import Site


def accept(site: Site) -> list[Answer]:
    """Two valid ones of today, one that we refuse, one sent twice. Two requests of the plan."""
    try:
        site.spend(2)
    except Spent as spent:
        return [unanswered("Are comprobantes of the queue issued?", f"not asked: {spent}")]
    good = [f"{site.prefix}a-{n}" for n in (1, 2)]
    refused = f"{site.prefix}a-refused"
    messages = [site.comprobante(reference, site.today()) for reference in good]
    for message in (*messages, messages[0], site.comprobante(refused, site.today(), numero=7)):
        site.send(message)
    site.tell(f"on the queue: {', '.join(good)}, the first of them twice, and {refused}, which is to be refused")
    return [_issued(site, reference) for reference in good] + [_once(site, good[0]), _refused(site, refused)]


def _issued(site: Site, reference: str) -> Answer:
    question = f"Is `{reference}` issued?"
    closed = site.wait(lambda: _closed(site.look(reference)))
    if closed is None:
        found = site.look(reference)
        return unanswered(question, f"not within {site.patience:g} s: it is {found['estado'] if found else 'unknown'}")
    site.tell(f"  {reference}: EMITIDO, number {closed['numero']}")
    cae = f"CAE {closed['cae']}" if closed["cae"] else "without a CAE, as on a DEV plan"
    return Answer(question, f"yes, number {closed['numero']}, {cae}", f"PDF {'kept' if closed['pdf'] else 'not kept'}")


def _closed(asiento: dict[str, Any] | None) -> dict[str, Any] | None:
    return asiento if asiento and asiento["estado"] == "EMITIDO" and asiento["numero"] is not None else None


def _once(site: Site, reference: str) -> Answer:
    """By the provider's own books."""
    shown = len(site.shown(reference))
    return Answer("Is the one that was sent twice there once?", "yes" if shown == 1 else f"NO: {shown} times")


def _refused(site: Site, reference: str) -> Answer:
    found = site.wait(lambda: _with_state(site.look(reference), "RECHAZADO"))
    question = "Is what breaks the rules refused by us, and never sent?"
    if found is None:
        return unanswered(question, f"it is not RECHAZADO within {site.patience:g} s")
    return Answer(question, "yes" if not site.shown(reference) else "NO: the provider has it")


def _with_state(asiento: dict[str, Any] | None, estado: str) -> dict[str, Any] | None:
    return asiento if asiento and asiento["estado"] == estado else None
