"""`facturacion cuenta alta | probar | rotar | baja | listar`: the cuentas, with the operator's own rights on AWS."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from operate.cli.credenciales import ask_secretos, ask_token
from operate.cli.orders import add_order
from operate.cli.pausar import pausa_line
from operate.cli.printing import local, table
from operate.onboarding import altas, rotating
from operate.onboarding.caja import Caja
from operate.onboarding.datos import NoSePuede, check_alias, check_cuit, check_punto_venta
from operate.onboarding.mundo import Mundo
from tusfacturas.client import Cliente as Proveedor

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from operate.cli.client import Cliente
    from tusfacturas.client import Credenciales

TIMEOUT_SECONDS = 30.0
WAIT_SECONDS = 600.0


def add(orders: Any) -> None:
    words = "crear, probar, rotar, dar de baja y listar cuentas: su secreto y sus tokens"
    parser: argparse.ArgumentParser = orders.add_parser("cuenta", help=words, description=words.capitalize() + ".")
    verbs = parser.add_subparsers(dest="verbo", required=True, metavar="QUE")

    def order(name: str, help_: str, run: Callable[..., dict[str, Any]], text: Any) -> argparse.ArgumentParser:
        made = add_order(verbs, name, help_, run=_refusing(run), text=text)
        if name != "listar":
            made.add_argument("alias", help="el de la cuenta: hasta 32 minúsculas, dígitos y guiones")
        return made

    alta = order("alta", "crear el secreto de una cuenta y probarla", _alta, tried)
    alta.add_argument("--cuit", default="", help="la del emisor, con guiones o sin ellos")
    alta.add_argument("--punto-venta", default="", metavar="N", help="el que tiene en TusFacturas")
    alta.add_argument("--modo", choices=("lotes", "individual"), default="lotes", help="%(default)s, o de a uno")
    alta.add_argument(
        "--sin-probar", action="store_true", help="no le pregunta a TusFacturas si las credenciales sirven"
    )
    alta.add_argument(
        "--recuperar", action="store_true", help="la que se dio de baja y todavía no se borró, como estaba"
    )
    probar = order("probar", "si el secreto, las credenciales y los hooks de una cuenta sirven", _probar, tried)
    rotar = order("rotar", "cambiar el token de webhook sin que ningún hook se pierda", _rotar, rotated)
    rotar.add_argument("--credenciales", action="store_true", help="en vez del token, las de TusFacturas, ya probadas")
    rotar.add_argument("--token-propio", action="store_true", help="el que muestra el panel, en vez de uno nuevo")
    rotar.add_argument(
        "--confirmar", action="store_true", help="la que se empezó: el nuevo ya está cargado, y no espera ningún hook"
    )
    rotar.add_argument("--deshacer", action="store_true", help="el nuevo no se va a usar: queda el anterior")
    for waiting in (alta, probar, rotar):
        waiting.add_argument(
            "--esperar", type=float, default=WAIT_SECONDS, metavar="SEGUNDOS", help="al hook de prueba (%(default)s)"
        )
    baja = order("baja", "borrar el secreto de una cuenta en pausa de la que no queda nada abierto", _baja, retired)
    baja.add_argument(
        "--dias", type=int, choices=range(7, 31), default=30, metavar="7..30", help="para recuperarla (%(default)s)"
    )
    order("listar", "las cuentas, y cómo está cada una", _listar, listed)


def _refusing(run: Callable[[Mundo, Cliente, argparse.Namespace], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """What cannot be done is an answer, as it is of the function."""

    def refusing(client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
        try:
            if "alias" in args:
                check_alias(args.alias)
            return run(_mundo(client), client, args)
        except NoSePuede as error:
            return {"error": {"codigo": error.codigo, "mensaje": str(error)}}

    return refusing


def _mundo(client: Cliente) -> Mundo:
    def connect(credenciales: Credenciales) -> Proveedor:
        return Proveedor(client.parameter("ProviderBaseUrl"), credenciales, timeout=TIMEOUT_SECONDS)

    return Mundo(
        caja=Caja(client.boto("secretsmanager"), f"{client.stack}/cuentas"),
        ask=client.ask,
        connect=connect,
        url=client.webhook_url,
        tell=lambda text: print(text, file=sys.stderr, flush=True),  # noqa: T201 - it is for the person who waits
        monotonic=time.monotonic,
        sleep=time.sleep,
    )


def _alta(mundo: Mundo, _: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    if args.recuperar:
        return altas.recover(mundo, args.alias, seconds=args.esperar)
    return altas.register(
        mundo,
        args.alias,
        cuit=check_cuit(args.cuit),
        punto_venta=check_punto_venta(args.punto_venta),
        modo=args.modo,
        ask_secretos=ask_secretos,
        tried=not args.sin_probar,
        seconds=args.esperar,
    )


def _probar(mundo: Mundo, _: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return altas.try_out(mundo, args.alias, seconds=args.esperar)


def _rotar(mundo: Mundo, _: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    if args.credenciales:
        return rotating.renew(mundo, args.alias, ask_secretos=ask_secretos)
    if args.deshacer:
        return rotating.undo(mundo, args.alias)
    given = ask_token() if args.token_propio else None
    return rotating.rotate(mundo, args.alias, given=given, seconds=args.esperar, confirmed=args.confirmar)


def _baja(mundo: Mundo, client: Cliente, args: argparse.Namespace) -> dict[str, Any]:
    return altas.retire(mundo, args.alias, days=args.dias, quien=client.who())


def _listar(mundo: Mundo, *_: object) -> dict[str, Any]:
    return altas.list_all(mundo)


def tried(answer: Mapping[str, Any]) -> str:
    parts = [f"Cuenta {answer['cuenta']}: {answer['url']}, encabezado {answer['encabezado']}."]
    if consumo := answer["consumo"]:
        parts.append(
            f"Credenciales: sirven. El plan lleva {consumo['generados']} comprobantes de {consumo['cupo']}; quedan "
            f"{consumo['disponibles']}."
        )
    if answer["prueba"]:
        parts.append(f"El hook de prueba llegó el {local(answer['prueba'])}.")
    if answer["pausa"]:
        parts.append(f"En pausa: {pausa_line(answer['pausa'])}")
    return "\n".join([*parts, *_refusals(answer)])


def rotated(answer: Mapping[str, Any]) -> str:
    if answer.get("negados"):
        return "\n".join(_refusals(answer))
    if "consumo" in answer:
        return f"Las credenciales nuevas de {answer['cuenta']} sirven; en 15 minutos las usan todos."
    how = f" Con el nuevo llegó un hook el {local(answer['prueba'])}." if answer["prueba"] else ""
    return f"De {answer['cuenta']} vale un solo token.{how} El anterior deja de aceptarse del todo en 15 minutos."


def retired(answer: Mapping[str, Any]) -> str:
    return (
        f"Cuenta {answer['cuenta']} dada de baja. Quite {answer['url']} del panel de TusFacturas. Los mensajes que "
        "lleguen para ella esperan en la cola mientras se la pueda recuperar; después se rechazan."
    )


def listed(answer: Mapping[str, Any]) -> str:
    parts = [f"En pausa: {pausa_line(p)}" for p in answer["pausas"]]
    if not answer["cuentas"]:
        return "\n".join([*parts, "No hay ninguna cuenta."])
    rows = [
        (c["cuenta"], c["secreto"] or "no", local(c["cambiado"]), *_state(c["estado"]), c["descripcion"])
        for c in answer["cuentas"]
    ]
    head = ("CUENTA", "SECRETO", "CAMBIADO", "ABIERTOS", "SALEN LOTES", "DESCRIPCION")
    return "\n".join([*parts, table(head, rows)])


def _state(row: Mapping[str, Any] | None) -> tuple[object, str]:
    if row is None:
        return "", "todavía no envió nada"
    if row["pausa"]:
        return row["abiertos"], "no: en pausa"
    return row["abiertos"], f"no: {row['puerta']}" if row["puerta"] else "sí"


def _refusals(answer: Mapping[str, Any]) -> list[str]:
    return [f"{n['motivo']} [{n['codigo']}]" for n in answer.get("negados", ())]
