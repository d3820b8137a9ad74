"""The total of a comprobante, by the provider's formula.

    Σ per alícuota (Σ cantidad · precio · (1 - bonificación of the line)), less the general bonificación
      + Σ per alícuota > 0 (base · alícuota)  +  impuestos internos  +  Σ tributos

There is no IVA on impuestos internos. Where the provider rounds (line, group or end) is not documented: bases stay
unrounded, the IVA of each group and the total are rounded half-even to 2 decimals. That gives every total printed in
its documents but one, which contradicts its own items.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CENTAVO: Final = Decimal("0.01")
_GENERAL: Final = Decimal(21)
# Room for the product of the largest numbers the models let through: nothing is rounded but where it is said.
_EXACTO: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Linea:
    """What a line of `detalle` adds to the total. `alicuota` in percent; -1 and -2 bear no IVA."""

    cantidad: Decimal
    precio_unitario_sin_iva: Decimal
    alicuota: Decimal
    bonificacion_porcentaje: Decimal = Decimal(0)


def total_de(
    lineas: Iterable[Linea],
    *,
    bonificacion: Decimal = Decimal(0),
    impuestos_internos: Decimal = Decimal(0),
    tributos: Iterable[Decimal] = (),
) -> Decimal:
    """The total in the comprobante's currency, with 2 decimals. `tributos` are the `total` of each."""
    return totales_de(lineas, bonificacion=bonificacion, impuestos_internos=impuestos_internos, tributos=tributos)[0]


def totales_de(
    lineas: Iterable[Linea],
    *,
    bonificacion: Decimal = Decimal(0),
    impuestos_internos: Decimal = Decimal(0),
    tributos: Iterable[Decimal] = (),
) -> tuple[Decimal, ...]:
    """Every total that the documents allow, the likeliest first.

    The general bonificación comes off «the first taxed subtotal, generally the 21 %». Where there is a 21 % that is
    not the first in `detalle` the sentence can be read in two ways, and a total by either may be the provider's.
    """
    with localcontext(_EXACTO):
        bases: dict[Decimal, Decimal] = {}
        for linea in lineas:
            neto = linea.cantidad * linea.precio_unitario_sin_iva * (100 - linea.bonificacion_porcentaje) / 100
            bases[linea.alicuota] = bases.get(linea.alicuota, Decimal(0)) + neto
        sin_iva = sum(bases.values(), impuestos_internos + sum(tributos, -bonificacion))
        ivas = (_iva(bases, grupo, bonificacion) for grupo in _bonificables(bases))
        return tuple(dict.fromkeys((sin_iva + iva).quantize(CENTAVO) for iva in ivas))


def _bonificables(bases: Mapping[Decimal, Decimal]) -> tuple[Decimal | None, ...]:
    """The groups that may bear the general bonificación; None where no group is taxed and it touches no IVA."""
    gravadas = [alicuota for alicuota in bases if alicuota > 0]
    if not gravadas:
        return (None,)
    return (_GENERAL if _GENERAL in bases else gravadas[0], gravadas[0])


def _iva(bases: Mapping[Decimal, Decimal], bonificada: Decimal | None, bonificacion: Decimal) -> Decimal:
    return sum(
        (
            ((base - bonificacion if alicuota == bonificada else base) * alicuota / 100).quantize(CENTAVO)
            for alicuota, base in bases.items()
            if alicuota > 0
        ),
        Decimal(0),
    )
