"""Credentials, from wherever an operator has them but the command line, which histories and lists of processes keep.

The environment (FACTURACION_APIKEY, FACTURACION_APITOKEN, FACTURACION_USERTOKEN), else a JSON object on the standard
input, else a prompt that does not show what is typed.
"""

from __future__ import annotations

import getpass
import json
import os
import sys

from operate.onboarding.datos import CREDENTIALS, TOKEN, NoSePuede, Secretos, check_token, read_secretos

ASKED = {
    "apikey": "apikey",
    "apitoken": "apitoken",
    "usertoken": "usertoken",
    TOKEN: "token de webhook que muestra el panel de TusFacturas (vacío si no muestra ninguno)",
}


def ask_secretos() -> Secretos:
    given = {name: os.environ[_variable(name)] for name in ASKED if os.environ.get(_variable(name))}
    if any(name in given for name in CREDENTIALS):
        return read_secretos(given)
    return read_secretos({name: _prompt(name) for name in ASKED} if sys.stdin.isatty() else _from_input())


def ask_token() -> str:
    """The one that the provider's panel shows."""
    given = os.environ.get(_variable(TOKEN))
    if given:
        return check_token(given)
    return check_token((_prompt(TOKEN) if sys.stdin.isatty() else sys.stdin.readline()).strip())


def _from_input() -> dict[str, object]:
    try:
        given = json.load(sys.stdin)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise NoSePuede(
            "FaltanCredenciales", f"Por la entrada se espera un objeto JSON con {', '.join(CREDENTIALS)}."
        ) from None
    return given


def _prompt(name: str) -> str:
    try:
        return getpass.getpass(f"{ASKED[name]}: ").strip()
    except EOFError:
        return ""


def _variable(name: str) -> str:
    return f"FACTURACION_{name.upper()}"
