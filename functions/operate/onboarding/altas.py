"""A cuenta comes, is tried, and goes.

Alta, step by step, and what a crash right after each leaves behind:

1. the credentials are tried        nothing
2. the secret is made               a cuenta that works; `probar` goes on from here
3. its test hook is waited for      nothing is left

Baja: a pause comes first, by hand, and long enough that whatever was leaving has ended and nothing is open. Then

1. the secret's deletion is scheduled   the pause still holds; asked again, it goes on with 2
2. the cuenta's row is marked           the same; the reconciliation asks and tells nothing of it any more
3. the pause gets an end                an hour later, when no process remembers the cuenta

A cuenta that comes back, or whose alias is used again, loses the mark before it has a secret.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from facturacion.tiempo import from_iso, to_iso
from operate.onboarding.caja import about_to_be_deleted, exists
from operate.onboarding.datos import NoSePuede, new_secret, new_token, usable
from operate.onboarding.mundo import HEADER, check_credentials, server_now, wait_for_hook
from tusfacturas.client import Credenciales

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from facturacion.cuentas import Cuenta
    from operate.onboarding.caja import Ficha
    from operate.onboarding.datos import Secretos
    from operate.onboarding.mundo import Mundo

QUIET = timedelta(minutes=15)
"""No invocation lasts longer, and no process remembers a secret longer."""
REMEMBERED_HOURS = 1
_DESCRIBED = re.compile(r"TusFacturas: CUIT ([0-9]{11}), punto de venta ([0-9]+)\.")
NO_HOOK = (
    "La cuenta está lista, pero su hook de prueba no llegó: revise la dirección y el token en el panel de TusFacturas, "
    "mande otro de prueba desde allí y repita: facturacion cuenta probar."
)


def register(
    mundo: Mundo,
    alias: str,
    *,
    cuit: str,
    punto_venta: int,
    modo: str,
    ask_secretos: Callable[[], Secretos],
    tried: bool,
    seconds: float,
) -> dict[str, Any]:
    """A new cuenta. `ask_secretos` is only asked for what is free; `tried`: not without the provider's word."""
    ficha = mundo.caja.ficha(alias)
    if ficha:
        raise about_to_be_deleted(alias) if ficha.borrado else exists(alias)
    _check_untaken(mundo, alias, (cuit, punto_venta))
    secretos = ask_secretos()
    credenciales = Credenciales(secretos.apikey, secretos.apitoken, secretos.usertoken)
    consumo = check_credentials(mundo, credenciales) if tried else None
    value = new_secret(secretos, alias=alias, cuit=cuit, punto_venta=punto_venta, modo=modo, llave=new_token())
    since = server_now(mundo, alias)
    _mark(mundo, alias, retired=False)
    mundo.caja.create(alias, value, f"TusFacturas: CUIT {cuit}, punto de venta {punto_venta}.")
    cuenta = usable(alias, value)
    answer = {"cuenta": alias, "consumo": consumo, **_to_enter(mundo, cuenta)}
    mundo.tell(instructions(answer))
    return {**answer, **_listened(mundo, cuenta, since, seconds), **_paused(mundo, alias)}


def recover(mundo: Mundo, alias: str, *, seconds: float) -> dict[str, Any]:
    """One that went and whose secret is not deleted yet: as it was."""
    ficha = mundo.caja.ficha(alias)
    if ficha is None or not ficha.borrado:
        raise exists(alias) if ficha else NoSePuede("CuentaDesconocida", f"No hay nada de {alias} que recuperar.")
    if its := _described(ficha):
        _check_untaken(mundo, alias, its)
    _mark(mundo, alias, retired=False)
    mundo.caja.restore(alias)
    return try_out(mundo, alias, seconds=seconds)


def try_out(mundo: Mundo, alias: str, *, seconds: float) -> dict[str, Any]:
    """Whether the secret can be used, the provider takes its credentials, and its hooks come."""
    cuenta = usable(alias, mundo.caja.read(alias))
    consumo = check_credentials(mundo, Credenciales(cuenta.apikey, cuenta.apitoken, cuenta.usertoken))
    since = server_now(mundo, alias)
    answer = {"cuenta": alias, "consumo": consumo, "url": mundo.url(alias), "encabezado": HEADER}
    if seconds > 0:
        mundo.tell(f"Mande un hook de prueba a {answer['url']} desde el panel de TusFacturas.")
    return {**answer, **_listened(mundo, cuenta, since, seconds), **_paused(mundo, alias)}


def retire(mundo: Mundo, alias: str, *, days: int, quien: str) -> dict[str, Any]:
    """Raises NoSePuede while something of it may be on its way or open. One without a secret is only marked."""
    ficha = mundo.caja.ficha(alias)
    said = mundo.asked({"orden": "cuentas", "cuenta": alias})
    (row,) = said["cuentas"]
    if ficha is None and not row["conocida"]:
        raise NoSePuede("CuentaDesconocida", f"No hay ninguna cuenta {alias}.")
    if ficha and not ficha.borrado:
        _check_quiet(alias, said)
        until = mundo.caja.delete(alias, days=days)
        mundo.tell(f"El secreto de {alias} se borra el {to_iso(until)}; hasta entonces se lo recupera.")
    _mark(mundo, alias, retired=True)
    if row["pausa"] and row["pausa"]["cuenta"]:
        # Until nobody remembers it: a process that read the secret a moment ago would send with it.
        end = {"orden": "pausar", "cuenta": alias, "horas": REMEMBERED_HOURS, "acortar": True}
        mundo.asked({**end, "motivo": "baja", "quien": quien})
    return {"cuenta": alias, "url": mundo.url(alias)}


def _check_untaken(mundo: Mundo, alias: str, its: tuple[str, int]) -> None:
    """One CUIT and punto de venta has one alias: under a second one what was issued would not be known.

    Two operators who add two aliases in the same moment are not kept apart. One whose secret is about to be deleted
    counts, as far as its description tells: what was issued is known under it alone.
    """
    for ficha in mundo.caja.fichas():
        if ficha.alias != alias and (_described(ficha) or (None if ficha.borrado else _read(mundo, ficha))) == its:
            back = f" (facturacion cuenta alta {ficha.alias} --recuperar)" if ficha.borrado else ""
            raise NoSePuede(
                "PuntoVentaTomado",
                f"La CUIT {its[0]}, punto de venta {its[1]}, ya es la cuenta {ficha.alias}. Con dos alias un mismo "
                f"comprobante podría emitirse dos veces: use {ficha.alias}{back}.",
            )


def _described(ficha: Ficha) -> tuple[str, int] | None:
    """As `register` describes a secret, so that it need not be read."""
    found = _DESCRIBED.fullmatch(ficha.descripcion)
    return (found[1], int(found[2])) if found else None


def _read(mundo: Mundo, ficha: Ficha) -> tuple[str, int] | None:
    """Of a secret that was made by hand; None where it cannot be used, and so sends nothing."""
    try:
        cuenta = usable(ficha.alias, mundo.caja.read(ficha.alias))
    except NoSePuede as error:
        if error.codigo == "SinPermiso":
            raise
        return None
    return re.sub(r"\D", "", cuenta.cuit), cuenta.punto_venta


def _mark(mundo: Mundo, alias: str, *, retired: bool) -> None:
    mundo.asked({"orden": "retirar", "cuenta": alias, "retirada": retired})


def list_all(mundo: Mundo) -> dict[str, Any]:
    """Every cuenta that has a secret or is known without one. `estado`: what the function says of it."""
    said = mundo.asked({"orden": "cuentas"})
    rows = {row["cuenta"]: row for row in said["cuentas"]}
    fichas = {ficha.alias: ficha for ficha in mundo.caja.fichas()}
    return {
        "pausas": said["pausas"],
        "cuentas": [
            {
                "cuenta": alias,
                "descripcion": fichas[alias].descripcion if alias in fichas else "",
                "secreto": "" if alias not in fichas else "de baja" if fichas[alias].borrado else "sí",
                "cambiado": _iso(fichas[alias].cambiado) if alias in fichas else None,
                "estado": rows.get(alias),
            }
            for alias in sorted({*rows, *fichas})
        ],
    }


def instructions(answer: Mapping[str, Any]) -> str:
    """What is to be entered at the provider: the only time that a token is shown, because it must be typed there."""
    return (
        f"La cuenta {answer['cuenta']} está lista. En el panel de TusFacturas, en el punto de venta, cargue\n"
        f"  webhook: {answer['url']}\n"
        f"  token ({HEADER}): {answer['token']}\n"
        "Si el panel no deja cargar un token ni muestra el suyo, cargue en cambio esta dirección, que es secreta:\n"
        f"  webhook: {answer['url_con_llave']}\n"
        "Si muestra uno propio, cárguelo aquí con: facturacion cuenta rotar --token-propio.\n"
        "Después mande un hook de prueba desde el panel."
    )


def _to_enter(mundo: Mundo, cuenta: Cuenta) -> dict[str, str]:
    base, separator, query = mundo.url(cuenta.alias).partition("?")
    return {
        "url": mundo.url(cuenta.alias),
        "encabezado": HEADER,
        "token": cuenta.webhook_tokens[-1],
        "url_con_llave": f"{base}/{cuenta.llave}{separator}{query}",
    }


def _listened(mundo: Mundo, cuenta: Cuenta, since: str, seconds: float) -> dict[str, Any]:
    if seconds <= 0:
        return {"prueba": None}
    mundo.tell(f"Esperando el hook de prueba, hasta {seconds:.0f} segundos…")
    received = wait_for_hook(mundo, cuenta, since=since, seconds=seconds, token=None)
    if received:
        return {"prueba": received}
    return {"prueba": None, "negados": [{"cuenta": cuenta.alias, "codigo": "SinHookDePrueba", "motivo": NO_HOOK}]}


def _paused(mundo: Mundo, alias: str) -> dict[str, Any]:
    (row,) = mundo.asked({"orden": "cuentas", "cuenta": alias})["cuentas"]
    return {"pausa": row["pausa"]}


def _check_quiet(alias: str, said: Mapping[str, Any]) -> None:
    (row,) = said["cuentas"]
    pausa = row["pausa"]
    if pausa is None or (pausa["hasta"] and pausa["cuenta"]):
        raise NoSePuede("SinPausa", f"Primero páusela, sin plazo: facturacion pausar {alias} --motivo …")
    quiet = from_iso(pausa["desde"]) + QUIET
    if from_iso(said["ahora"]) < quiet:
        raise NoSePuede("PausaReciente", f"Espere hasta {to_iso(quiet)}: algo que ya salía puede no haber terminado.")
    if row["abiertos"]:
        raise NoSePuede(
            "TieneAbiertos",
            f"De {alias} hay {row['abiertos']} comprobantes sin terminar. Lo que espera a una persona se decide "
            "y se hace al reanudar.",
        )


def _iso(instant: Any) -> str | None:
    return to_iso(instant) if instant else None
