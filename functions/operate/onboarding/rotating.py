"""A token of the webhook is changed without a gap; or the credentials are, in one write.

The steps for a token, and what a crash right after each leaves behind:

1. the secret gets a second token     both are valid; asked again, it goes on with this one
2. a minute passes                    every process that meets the new token reads the secret again by then
                                      (`facturacion.cuentas`: a token that does not match re-reads once a minute)
3. a hook comes with the new token    both are still valid: nothing is lost however long the panel takes
4. the old token leaves the secret    a process that read both still takes the old one, for a quarter of an hour

Only a hook that came with the new token, or a person's word (`confirmed`), retires the old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facturacion.cuentas import REREAD_AFTER
from operate.onboarding.datos import NoSePuede, check_token, new_token, usable, with_credentials, with_tokens
from operate.onboarding.mundo import HEADER, check_credentials, server_now, wait_for_hook
from tusfacturas.client import Credenciales

if TYPE_CHECKING:
    from collections.abc import Callable

    from facturacion.cuentas import Cuenta
    from operate.onboarding.datos import Secretos
    from operate.onboarding.mundo import Mundo

MARGIN_SECONDS = 5.0
TOKENS = 2
EVER = "2000-01-01T00:00:00Z"
"""Whatever came with a token that was made before, came after it was made."""


def rotate(mundo: Mundo, alias: str, *, given: str | None, seconds: float, confirmed: bool) -> dict[str, Any]:
    """`given`: the token that the provider's panel shows; without it a new one is made.

    Raises NoSePuede where the end of a rotation is confirmed that was never begun: the panel cannot have its token.
    """
    secret = mundo.caja.read(alias)
    cuenta = usable(alias, secret)
    token, begun = _second(cuenta, given)
    if begun and confirmed:
        raise NoSePuede(
            "SinRotacion",
            f"De {alias} no hay ninguna rotación empezada que confirmar: no se cambió nada. Primero, sin --confirmar: "
            f"facturacion cuenta rotar {alias}",
        )
    tokens = [*[t for t in cuenta.webhook_tokens if t != token][-1:], token]
    since = server_now(mundo, alias) if begun else EVER
    if begun:
        mundo.caja.write(alias, with_tokens(secret, tokens))
        wait = REREAD_AFTER.total_seconds() + MARGIN_SECONDS
        mundo.tell(f"El token nuevo ya vale junto al anterior. No lo cargue todavía: faltan {wait:.0f} segundos…")
        mundo.sleep(wait)
    answer = {"cuenta": alias, "url": mundo.url(alias), "encabezado": HEADER, "token": token}
    mundo.tell(
        f"En el panel de TusFacturas, en el punto de venta de {alias}:\n  token ({HEADER}): {token}\n"
        "Después mande un hook de prueba desde el panel. Mientras tanto valen los dos."
    )
    received = None
    if not confirmed:
        mundo.tell(f"Esperando un hook con el token nuevo, hasta {seconds:.0f} segundos…")
        received = wait_for_hook(mundo, cuenta, since=since, seconds=seconds, token=token)
    if received is None and not confirmed:
        motivo = "No llegó ningún hook con el token nuevo: siguen valiendo los dos. Repita cuenta rotar para seguir."
        return {**answer, "prueba": None, "negados": [{"cuenta": alias, "codigo": "SinHookNuevo", "motivo": motivo}]}
    mundo.caja.write(alias, with_tokens(mundo.caja.read(alias), [token]))
    return {**answer, "prueba": received}


def undo(mundo: Mundo, alias: str) -> dict[str, Any]:
    """The second token never came to be used: the first one stays alone."""
    secret = mundo.caja.read(alias)
    cuenta = usable(alias, secret)
    if len(cuenta.webhook_tokens) < TOKENS:
        raise NoSePuede("SinRotacion", f"De {alias} no hay ninguna rotación a medias.")
    mundo.caja.write(alias, with_tokens(secret, [cuenta.webhook_tokens[0]]))
    return {"cuenta": alias, "url": mundo.url(alias), "encabezado": HEADER, "prueba": None}


def renew(mundo: Mundo, alias: str, *, ask_secretos: Callable[[], Secretos]) -> dict[str, Any]:
    """Other credentials at the provider, once it has vouched for them. Tokens stay.

    One write: before it nothing changed, after it whoever reads the secret has the new ones. A process that has read
    the old ones is refused with them, which is certain and loses nothing, until it reads again.
    """
    secret = mundo.caja.read(alias)
    secretos = ask_secretos()
    consumo = check_credentials(mundo, Credenciales(secretos.apikey, secretos.apitoken, secretos.usertoken))
    value = with_credentials(secret, secretos)
    usable(alias, value)
    mundo.caja.write(alias, value)
    return {"cuenta": alias, "url": mundo.url(alias), "encabezado": HEADER, "consumo": consumo}


def _second(cuenta: Cuenta, given: str | None) -> tuple[str, bool]:
    """The token that is to stay, and whether it is a new one. A rotation that was begun goes on with its own."""
    begun = cuenta.webhook_tokens[1] if len(cuenta.webhook_tokens) == TOKENS else None
    if given is None:
        return (begun, False) if begun else (new_token(), True)
    token = check_token(given)
    if begun not in {None, token}:
        raise NoSePuede("RotacionAMedias", "Hay otra rotación a medias: termínela, o vuelva atrás con --deshacer.")
    if begun is None and token in cuenta.webhook_tokens:
        raise NoSePuede("MismoToken", "Ese token ya es el que vale.")
    return token, begun is None
