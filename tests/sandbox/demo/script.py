"""What is sent, in acts, and how each comprobante must end. Values only: the same seed writes the same script."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tests.sandbox.demo import bodies
from tests.sandbox.demo.balance import Fin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.sandbox.cuentas import SandboxCuenta
    from tests.sandbox.demo.balance import Key

COUNT, COUNT_MIN = 300, 90
WHOLE_REFUSAL = "whole refusal"
FUTURE = timedelta(days=5)
# How the messages that are nothing special are spread over the acts.
SHARES = (0.42, 0.15, 0.12, 0.12, 0.10, 0.09)

DICE = {"lost": 0.04, "doubled": 0.08, "doubled_new_id": 0.05, "late": 0.04}
PLAN: dict[str, Any] = {
    "demora_en_cola": [0.3, 2.0],
    "segundos_por_comprobante": 0.02,
    "demora_fondo": [0.5, 1.5],
    "demora_visible": [0.0, 0.5],
    "hueco_emision": [0.0, 0.4],
    "demora_hook": [0.02, 0.3],
    "barajar_hooks": 2.0,
    "segundos_tarde": [2.0, 5.0],
    "entregas_simultaneas": 2,
    "escala": 0.01,
    "piso_timeout": 10.0,
}
"""The provider's paces, in seconds, shortened from hours; what it does in the background is over well within the quiet
period, as the protocol supposes. Two deliveries at once for each cuenta: every one more is a process of the emulator.
"""


class Role(StrEnum):
    """What a message is to the accounts: only the first kind is a comprobante of its own."""

    COMPROBANTE = "comprobantes"
    REPEAT = "repeats"
    CORRECTION = "corrections"
    CONFLICT = "conflicts"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Envio:
    """A message to be sent. `cuenta` is "" where none can be read. `codigo`: why it ends in the rejected queue."""

    role: Role
    cuenta: str
    reference: str
    body: str = field(repr=False)
    codigo: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """How a comprobante must end. `estado`: the ledger's. `corrected`: an earlier content of it was refused."""

    fin: Fin
    estado: str
    total: Decimal | None = None
    codigo: str = ""
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """`plan`: what the provider is told to do wrong. `outcome`: how a lote must end before the next act begins.
    `needs`: comprobantes that must have come to their end before this act makes sense. `maintenance`: seconds.
    """

    title: str
    tells: str
    envios: Sequence[Envio]
    plan: dict[str, Any] = field(default_factory=dict)
    outcome: str = "ok"
    needs: tuple[Key, ...] = ()
    maintenance: float = 0.0


@dataclass(frozen=True, slots=True)
class Script:
    """The whole piece. `approve`, `delete` (with its hook or without): what a person does on the provider's web.

    `decide`: what is parked until a person says, with the project's own command line, that it is to be resent.
    """

    seed: int
    acts: Sequence[Act]
    expected: dict[Key, Expected]
    approve: Key
    delete: dict[Key, bool]
    forged: Key
    decide: Key

    @property
    def envios(self) -> list[Envio]:
        return [envio for act in self.acts for envio in act.envios]

    def roles(self, cuenta: str) -> Counter[Role]:
        return Counter(envio.role for envio in self.envios if envio.cuenta == cuenta)


def write_script(cuentas: Sequence[SandboxCuenta], *, seed: int, count: int, today: date) -> Script:
    """`count` messages for two cuentas. Raises ValueError where there is no room for every trouble."""
    if count < COUNT_MIN:
        raise ValueError(f"at least {COUNT_MIN} messages are needed for every kind of trouble")
    author = _Author(cuentas, random.Random(seed), today)
    acts = author.acts(count)
    return Script(seed, acts, author.expected, author.approve, author.delete, author.forged, author.decide)


class _Author:
    def __init__(self, cuentas: Sequence[SandboxCuenta], rng: random.Random, today: date) -> None:
        self.uno, self.dos = cuentas
        self.rng = rng
        self.today = today
        self.expected: dict[Key, Expected] = {}
        self.delete: dict[Key, bool] = {}
        self._sent: dict[Key, dict[str, Any]] = {}
        self._serial = Counter[str]()

    def acts(self, count: int) -> list[Act]:
        """The troubles are written first; what is left of `count` is spread over the acts as ordinary comprobantes."""
        first = [*self._seed(), *self._unreadable(), *self._refused_by_us(), *self._on_the_web()]
        first += [self._refused_there(cuenta) for cuenta in (self.uno, self.uno, self.dos)]
        first += [self._in_error(*error) for error in ERRORS]
        first += [self._repeat(envio) for envio in first[:2]]
        old_form = [self._refused_there(self.uno)]
        left = count - len(first) - len(old_form) - _LATE - _WHILE_UNCERTAIN
        shares = [int(left * share) for share in SHARES]
        shares[0] += left - sum(shares)
        first += [self._ordinary(self.rng.choice((self.uno, self.uno, self.dos))) for _ in range(shares[0])]
        taken, dropped, reset, early = (
            [self._ordinary(cuenta) for _ in range(share)]
            for cuenta, share in zip((self.uno, self.dos, self.uno, self.dos), shares[1:5], strict=True)
        )
        old_form += [self._ordinary(self.uno) for _ in range(shares[5])]
        while_uncertain = [self._repeat(envio) for envio in taken[:_WHILE_UNCERTAIN]]
        late, needs = self._late(first, taken)
        self.rng.shuffle(first)
        self.rng.shuffle(old_form)
        return [
            Act(
                "An ordinary morning",
                "two cuentas, all kinds of comprobantes; some messages are unreadable or break the rules, some lotes "
                "are taken only in part; hooks come late, twice, under a new id, out of order, or never",
                first,
                {"hooks": ["doubled", "doubled_new_id", "lost", "late"], "hooks_prob": DICE},
            ),
            Act(
                "524, and it was taken",
                "the gateway gives up, the provider goes on and queues the lote: nothing may be sent twice",
                taken,
                {"lotes": ["524_accepted"], "hooks": ["doubled", "doubled_new_id", "doubled"]},
                "524_accepted",
            ),
            Act(
                "524, and it was dropped",
                "the same answer, but nothing was queued: it must be sent again, once that is certain",
                [*dropped, *while_uncertain],
                {"lotes": ["524_dropped"]},
                "524_dropped",
            ),
            Act(
                "The connection is reset",
                "no answer at all, although the lote was taken",
                reset,
                {"lotes": ["reset_accepted"]},
                "reset_accepted",
            ),
            Act(
                "Hooks before the answer",
                "the hooks of a lote arrive before the answer to its POST",
                early,
                {"lotes": ["hook_first"], "segundos_lenta": 1.5},
                "hook_first",
            ),
            Act(
                "Maintenance, and the older form of refusal",
                "for three seconds the provider takes nothing; then one bad comprobante makes it refuse a whole lote, "
                "which goes again without it",
                old_form,
                {"forma_rechazo": "seed"},
                WHOLE_REFUSAL,
                maintenance=3.0,
            ),
            Act(
                "Repeats, a conflict, corrections",
                "messages come a second time, one with other content; what was refused comes corrected, what was "
                "deleted is replaced",
                late,
                {"forma_rechazo": "parcial"},
                needs=needs,
            ),
        ]

    # -- comprobantes ---------------------------------------------------------------------------------------------

    def _ordinary(self, cuenta: SandboxCuenta, reference: str = "", **expected: Any) -> Envio:
        kind = self.rng.choice(bodies.INSCRIPTO if cuenta is self.uno else bodies.MONOTRIBUTO)
        reference = reference or self._name(kind.partition(".")[0].replace("_", "-").upper())
        return self._send(cuenta, self._body(cuenta, kind, reference), **expected)

    def _body(self, cuenta: SandboxCuenta, kind: str, reference: str) -> dict[str, Any]:
        return bodies.comprobante(kind, reference, punto_venta=cuenta.punto_venta, today=self.today, rng=self.rng)

    def _send(
        self,
        cuenta: SandboxCuenta,
        body: dict[str, Any],
        *,
        fin: Fin = Fin.EMITIDO,
        estado: str = "",
        role: Role = Role.COMPROBANTE,
        **expected: Any,
    ) -> Envio:
        """A message, and what is expected of its comprobante: by default that it is issued, with its total."""
        asked = body["comprobante"]
        key = (cuenta.alias, str(asked["external_reference"]))
        total = None if fin is Fin.RECHAZADO_AQUI else Decimal(str(bodies.total_of(asked)))
        self.expected[key] = Expected(fin, estado or _ESTADO[fin], total, **expected)
        self._sent[key] = body
        return Envio(role, *key, _dumps({"cuenta": cuenta.alias, **body}))

    def _name(self, prefix: str) -> str:
        self._serial[prefix] += 1
        return f"{prefix}-{self._serial[prefix]:04d}"

    def _seed(self) -> Iterator[Envio]:
        """As the provider's page prints it, and as its clients send it: credentials in the entry."""
        for entry in bodies.seed_examples(self.today):
            yield self._send(self.uno, entry | _credentials(self.uno))
        # A reference that looks like a number comes back as one.
        yield self._ordinary(self.uno, "17032")

    def _refused_by_us(self) -> Iterator[Envio]:
        yesterday = bodies.text_of(self.today - timedelta(days=1))
        for who, kind, codigo, wrong in (
            (self.uno, "factura_a", "total_no_coincide", {"total": 1.23}),
            (self.uno, "factura_b", "numero_no_cero", {"numero": 7}),
            (self.uno, "factura_a", "tipo_no_encolable", {"tipo": "FACTURA E"}),
            (self.uno, "nc_a.asociados", "faltan_asociados", {"comprobantes_asociados": None}),
            (self.dos, "factura_c", "punto_venta_ajeno", {"punto_venta": 99}),
            (self.dos, "factura_c", "vencimiento_anterior", {"vencimiento": yesterday}),
        ):
            body = self._body(who, kind, self._name("MAL"))
            body["comprobante"] |= wrong
            yield self._send(who, body, fin=Fin.RECHAZADO_AQUI, codigo=codigo)

    def _refused_there(self, cuenta: SandboxCuenta) -> Envio:
        return self._marked(cuenta, "RECHAZADA", "SIM:RECHAZAR", fin=Fin.RECHAZADO_ALLA)

    def _in_error(self, who: str, kind: str, fin: Fin) -> Envio:
        cuenta = self.uno if who == "U" else self.dos
        envio = self._marked(cuenta, "CON-ERROR", f"SIM:ERROR={kind}", fin=fin)
        if kind == CONFIG:
            self.decide = (envio.cuenta, envio.reference)
        return envio

    def _on_the_web(self) -> Iterator[Envio]:
        """They wait for an approval: one gets it, one never; two are deleted. And one is of a day to come."""
        waits = "SIM:APROBACION"
        approved = self._marked(self.uno, "APROBADA", waits)
        self.approve = (approved.cuenta, approved.reference)
        waiting = self._marked(self.dos, "ESPERA", waits, fin=Fin.EN_VUELO, estado="ENCOLADO")
        self.forged = (waiting.cuenta, waiting.reference)
        yield from (approved, waiting)
        for cuenta, told in ((self.uno, True), (self.dos, False)):
            gone = self._marked(cuenta, "BORRADA", waits, fin=Fin.ELIMINADO)
            self.delete[gone.cuenta, gone.reference] = told
            yield gone
        body = self._body(self.uno, "factura_b", self._name("FUTURA"))
        day = self.today + FUTURE
        body["comprobante"] |= {"fecha": bodies.text_of(day), "vencimiento": bodies.text_of(day)}
        yield self._send(self.uno, body, fin=Fin.EN_VUELO, estado="ENCOLADO")

    def _marked(self, cuenta: SandboxCuenta, prefix: str, marker: str, **expected: Any) -> Envio:
        kind = "factura_b" if cuenta is self.uno else "factura_c"
        body = self._body(cuenta, kind, self._name(prefix))
        body["comprobante"]["comentario"] = marker
        return self._send(cuenta, body, **expected)

    # -- messages that are no comprobante of their own --------------------------------------------------------------

    def _unreadable(self) -> Iterator[Envio]:
        """Nobody can be answered: they end in the rejected queue, without the credentials some of them bring."""
        good = self._body(self.uno, "factura_b", "NUNCA-1")
        whole = _dumps({"cuenta": self.uno.alias, **good, **_credentials(self.uno)})
        headless = good | {"comprobante": good["comprobante"] | {"external_reference": None}}
        odd = good | {"comprobante": good["comprobante"] | {"external_reference": "F 0001/2"}}
        for codigo, body in (
            ("json_invalido", whole[: len(whole) - 9]),
            ("json_invalido", "buen día, adjunto la factura de marzo"),
            ("no_es_objeto", f"[{whole}]"),
            ("falta_cuenta", _dumps({**good, **_credentials(self.dos)})),
            ("cuenta_invalida", _dumps({"cuenta": "Demo Uno", **good})),
            ("cuenta_desconocida", _dumps({"cuenta": "demo-tres", **good})),
            ("falta_comprobante", _dumps({"cuenta": self.uno.alias, "cliente": good["cliente"]})),
            ("falta_referencia", _dumps({"cuenta": self.uno.alias, **headless})),
            ("referencia_invalida", _dumps({"cuenta": self.dos.alias, **odd})),
            ("clave_repetida", whole.replace('"moneda": "PES"', '"moneda": "PES", "moneda": "DOL"')),
        ):
            yield Envio(Role.UNREADABLE, "", "", body, codigo)

    def _repeat(self, envio: Envio) -> Envio:
        return Envio(Role.REPEAT, envio.cuenta, envio.reference, envio.body)

    def _conflict(self, envio: Envio) -> Envio:
        """The same reference, with one line of another quantity."""
        body = json.loads(envio.body)
        body["comprobante"]["detalle"][0]["cantidad"] += 1
        body["comprobante"].pop("total", None)
        return Envio(Role.CONFLICT, envio.cuenta, envio.reference, _dumps(body), "conflicto_de_contenido")

    def _correct(self, envio: Envio) -> Envio:
        """What was refused comes again under its reference, mended."""
        cuenta = self.uno if envio.cuenta == self.uno.alias else self.dos
        body = self._body(cuenta, "factura_b" if cuenta is self.uno else "factura_c", envio.reference)
        codigo = self.expected[envio.cuenta, envio.reference].codigo
        return self._send(cuenta, body, role=Role.CORRECTION, codigo=codigo, corrected=True)

    def _late(self, first: Sequence[Envio], taken: Sequence[Envio]) -> tuple[list[Envio], tuple[Key, ...]]:
        """The last act: `_LATE` messages about comprobantes of the first two."""

        def named(prefix: str) -> list[Envio]:
            return [e for e in first if e.reference.startswith(prefix) and e.role is Role.COMPROBANTE]

        plain = [e for e in first if e.reference in {"AAAA", "ABC124", "17032"} and e.role is Role.COMPROBANTE]
        bad, refused, deleted, erring = named("MAL"), named("RECHAZADA"), named("BORRADA"), named("CON-ERROR")
        repeated = [*plain, *taken[2:4], bad[1], refused[1], deleted[0], erring[0], named("ESPERA")[0]]
        # Before they are corrected the expectations of what they were are read.
        mended = [bad[0], refused[0]]
        late = [self._repeat(e) for e in repeated]
        late += [self._conflict(plain[1]), self._conflict(erring[1])]
        late += [self._correct(e) for e in mended]
        replacing = self._body(self.uno, "factura_b", f"{deleted[0].reference}-BIS")
        late += [self._send(self.uno, {**replacing, "reemplaza": deleted[0].reference})]
        late += [self._repeat(mended[0])]
        needs = tuple(dict.fromkeys((e.cuenta, e.reference) for e in [*repeated, plain[1], erring[1], *mended]))
        if len(late) != _LATE:
            raise AssertionError(f"the last act has {len(late)} messages")
        return late, needs


CONFIG = "CONFIG"
ERRORS = (
    ("U", "DATOS", Fin.ELIMINADO),
    ("U", CONFIG, Fin.EMITIDO),
    ("D", "DESCONOCIDO", Fin.EN_REVISION),
    ("U", "AFIP", Fin.EMITIDO),
    ("D", "AFIP_CAIDA", Fin.EMITIDO),
    ("U", "10016*2", Fin.EMITIDO),
    ("D", "10036", Fin.EMITIDO),
    ("U", "AMBIGUO", Fin.EMITIDO),
    ("D", "SIN_CAE", Fin.EMITIDO),
)
"""Of each class of error: whose, which, and how it ends. CONFIG is parked until a person decides."""
_WHILE_UNCERTAIN, _LATE = 2, 16
_ESTADO = {
    Fin.EMITIDO: "EMITIDO",
    Fin.ELIMINADO: "ELIMINADO",
    Fin.EN_REVISION: "EN_REVISION",
    Fin.RECHAZADO_AQUI: "RECHAZADO",
    Fin.RECHAZADO_ALLA: "RECHAZADO",
}


def _credentials(cuenta: SandboxCuenta) -> dict[str, str]:
    return {"apikey": cuenta.apikey, "apitoken": cuenta.apitoken, "usertoken": cuenta.usertoken}


def _dumps(body: object) -> str:
    return json.dumps(body, ensure_ascii=False)
