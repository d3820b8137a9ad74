"""What belongs to a cuenta and not to one comprobante: its door, its pulse, its run's lease, what is open of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from facturacion.asiento import SK_ESTADO, Lugar, asiento_from_item, pk_of
from facturacion.esperas import WORTH_A_QUERY, Ritmo
from facturacion.figuras import (
    Figuras,
    cupo_from_item,
    cupo_to_item,
    figuras_from_item,
    figuras_to_item,
    hoy_from_item,
    hoy_to_item,
)
from facturacion.ledger.pausas import PAUSA, TODAS, Pausas, longest
from facturacion.ledger.reconstruccion import Restauracion
from facturacion.ledger.table import key_of, to_plain, to_values
from facturacion.paginas import Pagina
from facturacion.tiempo import from_iso, to_iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from facturacion.asiento import Asiento
    from facturacion.figuras import Cupo, Hoy, Parte
    from facturacion.ledger.pausas import Pausa

INDICE_ABIERTOS = "abiertos"
CUENTAS = "CUENTAS"
FORGOTTEN_AFTER = timedelta(hours=1)
"""No process remembers a secret for longer: a hook that is authentic after that has one."""


@dataclass(frozen=True, slots=True)
class Puerta:
    """The door of a cuenta.

    `limite`: how many comprobantes the next lote may hold. `incierta`: the reference of an uncertain outcome that
    closed it; until a query is answered no new lote leaves. `cerrada_hasta`: the provider itself takes nothing of this
    cuenta (maintenance, 429, no quota, bad credentials); `golpes` counts how often in a row, for a growing wait.
    `dudas_hasta`: until then some of its comprobantes may be in doubt (`Asiento.dudas`), and it is worth reading which.
    `sin_reconstruir`: the table was restored, and this cuenta not rebuilt in it. `pausa`: a person holds it.
    `retirada`: since when it is gone.
    """

    cuenta: str
    limite: int | None = None
    incierta: str | None = None
    cerrada_hasta: datetime | None = None
    golpes: int = 0
    motivo: str | None = None
    dudas_hasta: datetime | None = None
    sin_reconstruir: bool = False
    pausa: Pausa | None = None
    retirada: datetime | None = None


@dataclass(frozen=True, slots=True)
class Arriendo:
    """The lease of a cuenta's run. `corrida`: the name of the execution that holds it, until `hasta`.

    `numero` counts the runs. `tarea` counts the tasks that ever renewed it: of two of one run, of which Step Functions
    hears one only, the later has it. `pedidos` counts the wake-ups, ever. `debida`: when the next run has something to
    do.
    """

    cuenta: str
    numero: int = 0
    tarea: int = 0
    corrida: str | None = None
    hasta: datetime | None = None
    pedidos: int = 0
    debida: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        return self.corrida is None or self.hasta is None or self.hasta <= now

    def is_still(self, renewed: Arriendo, now: datetime) -> bool:
        """Whether the task that `renewed` it has it: nobody took it since, nor gave it back."""
        return (self.corrida, self.tarea) == (renewed.corrida, renewed.tarea) and not self.is_free(now)

    def is_due(self, now: datetime) -> bool:
        """Somebody asked for a run, and none is there."""
        return self.debida is not None and self.debida <= now and self.is_free(now)


@dataclass(frozen=True, slots=True)
class Pulso:
    """When a cuenta was last contrasted with the provider and what waits for that (`ritmo`), and its run.

    `cierre`: the last day that is closed, and `difiere`: in how many comprobantes it and those before it do not agree.
    `diferencia_vista`: at a first look at the days after it. `figuras`, `hoy`
    and `callado`: of its last contrast (`figuras.Parte`). `oido`: its last hook. `cupo_mirado`: when the provider was
    last asked for its quota. `pausa`: a person holds it. `retirada`: it went, and nothing is asked or told of it.
    """

    cuenta: str
    ritmo: Ritmo
    arriendo: Arriendo
    sin_reconstruir: bool = False
    cierre: date | None = None
    diferencia_vista: bool = False
    pausa: Pausa | None = None
    figuras: Figuras = field(default_factory=Figuras)
    hoy: Hoy | None = None
    callado: datetime | None = None
    oido: datetime | None = None
    cupo: Cupo | None = None
    cupo_mirado: datetime | None = None
    retirada: bool = False
    difiere: int = 0


@dataclass(frozen=True, slots=True)
class Turno:
    """A pulse that was taken. `mirado`: when the last contrast began that looked at everything that was open.

    `pagina`: where the last one found those that were issued. `oido`, `callado`, `hoy`: as of a Pulso.
    """

    cuenta: str
    mirado: datetime | None
    pagina: Pagina | None = None
    oido: datetime | None = None
    callado: datetime | None = None
    hoy: Hoy | None = None


class Doors(Restauracion, Pausas):
    """Whether a new lote of a cuenta may leave. Its item is also what makes the cuenta known to the reconciliation."""

    def puerta(self, cuenta: str) -> Puerta:
        """The first look at a cuenta's door makes the cuenta known."""
        found = self._get_items([key_of(CUENTAS, cuenta), key_of(PAUSA, cuenta), key_of(PAUSA, TODAS)])
        item = next((i for i in found if i["pk"] == CUENTAS), None)
        if item is None:
            self._change(cuenta, {"vista": to_iso(self._clock())}, None)
            item = {}
        return Puerta(
            cuenta=cuenta,
            limite=int(item["limite"]) if "limite" in item else None,
            incierta=item.get("incierta"),
            cerrada_hasta=_instant(item, "cerrada_hasta"),
            golpes=int(item.get("golpes", 0)),
            motivo=item.get("motivo"),
            dudas_hasta=_instant(item, "dudas_hasta"),
            sin_reconstruir=self._is_paused(item),
            pausa=self._pausa_among(cuenta, found),
            retirada=_instant(item, "retirada"),
        )

    def mark_rebuilt(self, cuenta: str, identidad: str) -> None:
        """What the provider has of the cuenta is in this table: its lotes may leave."""
        self._change(cuenta, {"reconstruida": identidad, "reconstruyendo": None}, None)

    def mark_rebuilding(self, cuenta: str, progress: str) -> None:
        """How far it is, so that the next invocation goes on from there."""
        self._change(cuenta, {"reconstruyendo": progress}, None)

    def mark_retired(self, cuenta: str, *, retired: bool) -> None:
        """The cuenta went, or is back: its row stays, because what it sent does.

        A secret that was restored by hand takes nothing back here; a hook that comes then does, being authentic, and
        so does a message that is sent.
        """
        self._change(cuenta, {"retirada": to_iso(self._clock()) if retired else None}, None)

    def rebuilding(self, cuenta: str) -> str | None:
        answer = self._client.get_item(TableName=self._table, Key=key_of(CUENTAS, cuenta), ConsistentRead=True)
        return to_plain(answer.get("Item", {})).get("reconstruyendo")

    def change_puerta(self, before: Puerta, after: Puerta, *, if_incierta: str | None = None) -> bool:
        """Writes what differs. `if_incierta`: only while it is still this reference that closed it.

        Of two invocations that write at once the last one wins, field by field: a lote a little larger or smaller than
        it should be is no harm, and only an answered query takes away what closed the door.
        """
        old, new = asdict(before), asdict(after)
        changed = {name: value for name, value in new.items() if value != old[name]}
        changed |= {name: to_iso(value) for name, value in changed.items() if isinstance(value, datetime)}
        return not changed or self._change(before.cuenta, changed, if_incierta)

    def _change(self, cuenta: str, changed: dict[str, Any], if_incierta: str | None) -> bool:
        sets = {name: value for name, value in changed.items() if value is not None}
        gone = [name for name, value in changed.items() if value is None]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in sets) if sets else ""
        expression += " REMOVE " + ", ".join(f"#{name}" for name in gone) if gone else ""
        values = {f":{name}": value for name, value in sets.items()}
        condition: dict[str, Any] = {}
        if if_incierta:
            condition = {"ConditionExpression": "incierta = :if_incierta"}
            values[":if_incierta"] = if_incierta
        if values:
            condition["ExpressionAttributeValues"] = to_values(values)
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(CUENTAS, cuenta),
                UpdateExpression=expression,
                ExpressionAttributeNames={f"#{name}": name for name in changed},
                **condition,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


class Open(Restauracion, Pausas):
    """What is open, and when it was last contrasted with the provider."""

    def open_references(self, cuenta: str) -> Iterator[str]:
        """Of what is not finished, oldest first. The index lags a little behind the asientos."""
        return (lugar.external_reference for lugar in self.open_places(cuenta))

    def open_places(self, cuenta: str, after: Lugar | None = None) -> Iterator[Lugar]:
        """The same with their places, from the one behind `after` on, whether that one is still there or not."""
        start: dict[str, Any] = {}
        if after:
            place = {"abierto": cuenta, "orden": after.orden}
            start = {"ExclusiveStartKey": key_of(pk_of(cuenta, after.external_reference), SK_ESTADO) | to_values(place)}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=INDICE_ABIERTOS,
            KeyConditionExpression="abierto = :cuenta",
            ExpressionAttributeValues=to_values({":cuenta": cuenta}),
            **start,
        )
        for page in pages:
            for item in map(to_plain, page["Items"]):
                yield Lugar(cuenta, item["orden"], item["pk"].removeprefix(f"{cuenta}#"))

    def get_many(self, cuenta: str, references: Sequence[str]) -> list[Asiento]:
        """Those that exist, in no particular order."""
        keys = [key_of(pk_of(cuenta, reference), SK_ESTADO) for reference in dict.fromkeys(references)]
        return [asiento_from_item(item) for item in self._get_items(keys)]

    def pulses(self) -> list[Pulso]:
        """Every cuenta that ever sent or was told something."""
        # Also before there is any: a ledger notes its table while it has nothing to forget.
        self.restaurada()
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_values({":pk": CUENTAS}),
        )
        items = [to_plain(item) for page in pages for item in page["Items"]]
        pausas = self.pausas()
        return [
            Pulso(
                cuenta=i["sk"],
                ritmo=_ritmo(i),
                arriendo=arriendo_from_item(i["sk"], i),
                sin_reconstruir=self._is_paused(i),
                cierre=date.fromisoformat(i["cierre_dia"]) if "cierre_dia" in i else None,
                diferencia_vista="cierre_diferencia" in i,
                pausa=longest(i["sk"], pausas),
                figuras=figuras_from_item(i.get("figuras", {})),
                hoy=hoy_from_item(i["hoy"]) if "hoy" in i else None,
                callado=_instant(i, "callado"),
                oido=_instant(i, "oido"),
                cupo=cupo_from_item(i["cupo"]) if "cupo" in i else None,
                cupo_mirado=_instant(i, "cupo_mirado"),
                retirada=_is_retired(i),
                difiere=int(i.get("cierre_difiere", 0)),
            )
            for i in items
        ]

    def take_pulse(self, cuenta: str, *, not_since: datetime, until: datetime) -> Turno | None:
        """The caller may contrast this cuenta now: nobody did since `not_since`, and nobody does. None: it may not.

        It is the caller's until `give_pulse_back`, or after a crash until `until`.
        """
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=key_of(CUENTAS, cuenta),
                UpdateExpression="SET contrastado = :now, contrastando = :until REMOVE esperan",
                ConditionExpression="(attribute_not_exists(contrastado) OR contrastado <= :since)"
                " AND (attribute_not_exists(contrastando) OR contrastando <= :now)",
                ExpressionAttributeValues=to_values(
                    {":now": to_iso(self._clock()), ":since": to_iso(not_since), ":until": to_iso(until)}
                ),
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        item = to_plain(answer["Attributes"])
        return Turno(
            cuenta=cuenta,
            mirado=_instant(item, "mirado"),
            pagina=Pagina.read(item["pagina"]) if "pagina" in item else None,
            oido=_instant(item, "oido"),
            callado=_instant(item, "callado"),
            hoy=hoy_from_item(item["hoy"]) if "hoy" in item else None,
        )

    def give_pulse_back(
        self,
        cuenta: str,
        *,
        until: datetime,
        mirado: datetime | None,
        en_linea: int,
        pagina: Pagina | None = None,
        parte: Parte | None = None,
    ) -> None:
        """The contrast that has the cuenta `until` then has ended: the interval to the next one begins now.

        Whoever overran that instant may find a successor at work, and leaves it its turn: no two have the same one,
        for the later began when the earlier was over. `mirado`, `pagina`: of a `Turno`. `en_linea`: of the
        `Ritmo`. `parte`: what it found.
        """
        sets: dict[str, Any] = {"contrastado": to_iso(self._clock()), "en_linea": en_linea}
        gone = ["contrastando"]
        if mirado:
            sets["mirado"] = to_iso(mirado)
        if pagina:
            sets["pagina"] = str(pagina)
        else:
            gone.append("pagina")
        if parte:
            sets["hoy"] = hoy_to_item(parte.hoy)
            sets |= {"figuras": figuras_to_item(parte.figuras)} if parte.figuras else {}
            sets |= {"callado": to_iso(parte.callado)} if parte.callado else {}
            gone += [] if parte.callado else ["callado"]
        expression = "SET " + ", ".join(f"{name} = :{name}" for name in sets) + " REMOVE " + ", ".join(gone)
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key=key_of(CUENTAS, cuenta),
                UpdateExpression=expression,
                ConditionExpression="contrastando = :until",
                ExpressionAttributeValues=to_values(
                    {":until": to_iso(until), **{f":{name}": value for name, value in sets.items()}}
                ),
            )

    def hook_heard(self, cuenta: str) -> None:
        """A hook of the cuenta came."""
        self._set(cuenta, {"oido": to_iso(self._clock())})

    def last_hook(self, cuenta: str) -> datetime | None:
        """The last that was noted."""
        answer = self._client.get_item(TableName=self._table, Key=key_of(CUENTAS, cuenta), ConsistentRead=True)
        return _instant(to_plain(answer.get("Item", {})), "oido")

    def quota_asked(self, cuenta: str, cupo: Cupo | None) -> None:
        """The provider was asked for the quota of the plan. `cupo`: None where it did not say."""
        self._set(cuenta, {"cupo_mirado": to_iso(self._clock())} | ({"cupo": cupo_to_item(cupo)} if cupo else {}))

    def owe_contrast(self, cuenta: str, waiting: int = WORTH_A_QUERY, *, heard: bool = False) -> Ritmo:
        """So many of this cuenta wait to be contrasted; by default the next reconciliation takes it.

        `heard`: a hook said so, which is noted with the same write.
        """
        oido = {":oido": to_iso(self._clock())} if heard else {}
        answer = self._client.update_item(
            TableName=self._table,
            Key=key_of(CUENTAS, cuenta),
            UpdateExpression="ADD esperan :n" + (" SET oido = :oido" if heard else ""),
            ExpressionAttributeValues=to_values({":n": waiting, **oido}),
            ReturnValues="ALL_NEW",
        )
        return _ritmo(to_plain(answer["Attributes"]))

    def _set(self, cuenta: str, sets: dict[str, Any]) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=key_of(CUENTAS, cuenta),
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in sets),
            ExpressionAttributeValues=to_values({f":{name}": value for name, value in sets.items()}),
        )


def arriendo_from_item(cuenta: str, item: Mapping[str, Any]) -> Arriendo:
    """`item` with plain Python values: the cuenta's own."""
    return Arriendo(
        cuenta=cuenta,
        numero=int(item.get("corrida_numero", 0)),
        tarea=int(item.get("corrida_tarea", 0)),
        corrida=item.get("corrida"),
        hasta=from_iso(item["corrida_hasta"]) if "corrida_hasta" in item else None,
        pedidos=int(item.get("pedidos", 0)),
        debida=from_iso(item["corrida_debida"]) if "corrida_debida" in item else None,
    )


def _is_retired(item: Mapping[str, Any]) -> bool:
    went, heard = _instant(item, "retirada"), _instant(item, "oido")
    return went is not None and (heard is None or heard <= went + FORGOTTEN_AFTER)


def _ritmo(item: Mapping[str, Any]) -> Ritmo:
    return Ritmo(_instant(item, "contrastado"), int(item.get("esperan", 0)), int(item.get("en_linea", 0)))


def _instant(item: Mapping[str, Any], name: str) -> datetime | None:
    return from_iso(item[name]) if name in item else None
