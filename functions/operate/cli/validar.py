"""`facturacion validar`: what would be refused of a file of messages, before anything is sent."""

from __future__ import annotations

import re
import sys
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facturacion.mensaje import CUENTA_RE
from operate.cli.orders import add_local_order
from operate.cli.printing import plain
from operate.upstream.checking import Terms, check
from operate.upstream.reading import ArchivoIlegible, split

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from operate.upstream.checking import Revisado

SHOWN = 50
"""Refused ones that are shown one by one; all are in --json."""


class _NoVale(Exception):
    """The file, or an argument, cannot be used; its text says why."""

    def __init__(self, codigo: str, mensaje: str) -> None:
        super().__init__(mensaje)
        self.codigo = codigo


def add(orders: Any) -> None:
    words = "qué se rechazaría de un archivo de mensajes, antes de enviar nada"
    parser = add_local_order(orders, "validar", words, text=verdict)
    parser.set_defaults(run=_run)
    add_file(parser)


def add_file(parser: argparse.ArgumentParser) -> None:
    """The file and how it is to be read, which validar and enviar have in common."""
    parser.add_argument(
        "archivo", help="un mensaje, una lista, uno por línea o el cuerpo de un lote del proveedor; «-» es la entrada"
    )
    parser.add_argument("--cuenta", help="la de los mensajes que no la nombran")
    parser.add_argument("--punto-venta", type=int, help="el de la cuenta; sin él no se mira")
    parser.add_argument("--fce", action="store_true", help="la cola admite comprobantes MiPyME (QueueFce)")
    parser.add_argument("--tolerancia", default="0.01", help="en el total, como TotalTolerance (%(default)s)")


def _run(args: argparse.Namespace) -> dict[str, Any]:
    found = read_or_error(args)
    return found if isinstance(found, dict) else tell(found)


def read_or_error(args: argparse.Namespace) -> list[Revisado] | dict[str, Any]:
    """The messages of the file, or the answer that says why there are none."""
    try:
        return _read(args)
    except _NoVale as error:
        return {"error": {"codigo": error.codigo, "mensaje": str(error)}}


def _read(args: argparse.Namespace) -> list[Revisado]:
    """Raises _NoVale."""
    if args.cuenta is not None and not re.fullmatch(CUENTA_RE, args.cuenta):
        raise _NoVale("CuentaInvalida", f"«{args.cuenta}» no es el alias de una cuenta.")
    try:
        tolerancia = Decimal(args.tolerancia)
    except InvalidOperation:
        raise _NoVale("ToleranciaInvalida", f"«{args.tolerancia}» no es un número.") from None
    try:
        raw = sys.stdin.buffer.read() if args.archivo == "-" else Path(args.archivo).read_bytes()
        textos = split(raw.decode())
    except OSError as error:
        raise _NoVale("SinArchivo", f"No se pudo leer {args.archivo}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise _NoVale("NoEsUtf8", f"El archivo no es UTF-8 a partir del byte {error.start}.") from None
    except ArchivoIlegible as error:
        raise _NoVale("ArchivoIlegible", str(error)) from None
    return check(textos, Terms(args.cuenta, args.punto_venta, args.fce, tolerancia))


def tell(revisados: Sequence[Revisado]) -> dict[str, Any]:
    """`negados`: those that would be refused, each with every fault. The message itself is not repeated."""
    refused = [r for r in revisados if r.fallas]
    return {
        "mensajes": len(revisados),
        "bien": len(revisados) - len(refused),
        "repetidos": sum(r.repite is not None for r in revisados),
        "negados": [
            {
                "lugar": r.lugar,
                "cuenta": r.mensaje.cuenta if r.mensaje else None,
                "external_reference": r.mensaje.external_reference if r.mensaje else None,
                "ininteligible": r.ininteligible,
                "fallas": [{"codigo": f.codigo, "campo": f.campo, "mensaje": f.mensaje} for f in r.fallas],
            }
            for r in refused
        ],
        "por_codigo": dict(Counter(f.codigo for r in refused for f in r.fallas).most_common()),
    }


def verdict(answer: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for refused in answer["negados"][:SHOWN]:
        name = refused["external_reference"] or "sin referencia que valga: iría a la cola de rechazados"
        parts.append(f"{refused['lugar']}, {plain(name)}:")
        for f in refused["fallas"]:
            where = f"{f['campo']}: " if f["campo"] else ""
            parts.append(f"  {where}{plain(f['mensaje'])} [{f['codigo']}]")
    if len(answer["negados"]) > SHOWN:
        counted = ", ".join(f"{codigo} {n}" for codigo, n in answer["por_codigo"].items())
        parts.append(f"… y {len(answer['negados']) - SHOWN} más. En total: {counted}.")
    repeated = f" {answer['repetidos']} repiten a otro: se reconocen." if answer["repetidos"] else ""
    refused_count = len(answer["negados"])
    said = f"se rechazarían {refused_count}" if refused_count else "ninguno se rechazaría aquí"
    parts.append(f"{answer['mensajes']} mensajes: {answer['bien']} bien, {said}.{repeated}")
    return "\n".join(parts)
