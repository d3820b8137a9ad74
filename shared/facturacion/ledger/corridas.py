"""The errors that wait to be resolved, and the lease of the one run per cuenta that resolves them.

    pk = "RUN#{cuenta}"   sk = "PEND#{orden}#{external_reference}"   an error, in the order in which it was posted
    pk = "RUN#{cuenta}"   sk = "INCIDENTE#{codigo}"                  something of the cuenta that a person must mend
    pk = "CUENTAS"        sk = "{cuenta}"                            the lease, beside the cuenta's door and pulse

No wake-up is lost: whoever meets an error writes it down (`note_error`), then raises `pedidos` (`ask_for_run`), then
starts a run. A run reads `pedidos` before it reads the errors, and is released only while `pedidos` is unchanged. A
crash between the steps leaves the error in the ledger: the stream repeats the hook, and the reconciliation notes every
error that it meets again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from facturacion.asiento import Causa, causas_to_item
from facturacion.ledger.cuentas import CUENTAS, arriendo_from_item
from facturacion.ledger.table import Table, key_of, to_plain, to_values
from facturacion.tiempo import from_iso, to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from facturacion.asiento import Asiento
    from facturacion.ledger.cuentas import Arriendo

TOLD_AGAIN_AFTER = timedelta(days=1)
ESPERA_MAX = 200
"""Characters kept of why an error waits."""


@dataclass(frozen=True, slots=True)
class Pendiente:
    """An error that waits. `creado`: when this error was first noted. `marca`: changes each time that it is noted.

    `desde`: nothing is to be done before. `en_fila`: what is to be done keeps the order, so that later ones wait too.
    `plan`: what is to be done now (`reenviar`, `cambiar_fecha:2026-11-22:2026-12-02`). `espera`: why it waits.
    """

    cuenta: str
    external_reference: str
    sk: str
    marca: str
    creado: datetime
    desde: datetime | None = None
    en_fila: bool = False
    plan: str | None = None
    espera: str = ""


@dataclass(frozen=True, slots=True)
class Incidente:
    """Something of a cuenta that a person must mend. `external_reference`: the comprobante that told of it."""

    cuenta: str
    causa: Causa
    desde: datetime
    external_reference: str


class Corridas(Table):
    """Notes, lease and incidents."""

    def note_error(self, asiento: Asiento, marca: str) -> None:
        """The comprobante is in error (or a person decided about it): a run is to look at it now.

        `marca`: a fresh value. Noted again, it keeps its first instant: a repeated hook prolongs no wait.
        """
        self._client.update_item(
            TableName=self._table,
            Key=key_of(f"RUN#{asiento.cuenta}", f"PEND#{asiento.orden or ''}#{asiento.external_reference}"),
            UpdateExpression="SET external_reference = :ref, marca = :marca, creado = if_not_exists(creado, :now)"
            " REMOVE desde, en_fila, #plan, espera",
            ExpressionAttributeNames={"#plan": "plan"},
            ExpressionAttributeValues=to_values(
                {":ref": asiento.external_reference, ":marca": marca, ":now": to_iso(self._clock())}
            ),
        )

    def pendientes(self, cuenta: str) -> list[Pendiente]:
        """In the order in which they were posted."""
        return [
            Pendiente(
                cuenta=cuenta,
                external_reference=item["external_reference"],
                sk=item["sk"],
                marca=item["marca"],
                creado=from_iso(item["creado"]),
                desde=from_iso(item["desde"]) if "desde" in item else None,
                en_fila="en_fila" in item,
                plan=item.get("plan"),
                espera=item.get("espera", ""),
            )
            for item in self._run_items(cuenta, "PEND#")
        ]

    def postpone(self, pendiente: Pendiente, until: datetime, *, en_fila: bool, espera: str) -> bool:
        """Nothing is to be done before; False when it was noted anew meanwhile."""
        values: dict[str, Any] = {":until": to_iso(until), ":espera": espera[:ESPERA_MAX]}
        expression = "SET desde = :until, espera = :espera"
        if en_fila:
            values[":yes"] = True
            expression += ", en_fila = :yes REMOVE #plan"
        else:
            expression += " REMOVE en_fila, #plan"
        return self._on_pending(pendiente, expression, values)

    def set_plan(self, pendiente: Pendiente, plan: str | None) -> bool:
        """To be done now, or (None) to be planned anew; False when it was noted anew meanwhile."""
        if plan is None:
            return self._on_pending(pendiente, "REMOVE #plan", {})
        return self._on_pending(pendiente, "SET #plan = :plan REMOVE desde, en_fila, espera", {":plan": plan})

    def drop(self, pendiente: Pendiente) -> bool:
        """It is no error any more; False when it was noted anew since it was read."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=key_of(f"RUN#{pendiente.cuenta}", pendiente.sk),
                ConditionExpression="marca = :marca",
                ExpressionAttributeValues=to_values({":marca": pendiente.marca}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _on_pending(self, pendiente: Pendiente, expression: str, values: dict[str, Any]) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(f"RUN#{pendiente.cuenta}", pendiente.sk),
                UpdateExpression=expression,
                ConditionExpression="marca = :marca",
                ExpressionAttributeNames={"#plan": "plan"},
                ExpressionAttributeValues=to_values({**values, ":marca": pendiente.marca}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _run_items(self, cuenta: str, prefix: str) -> Iterable[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=to_values({":pk": f"RUN#{cuenta}", ":prefix": prefix}),
        )
        for page in pages:
            yield from (to_plain(item) for item in page["Items"])

    # -- the lease -----------------------------------------------------------------------------------------------

    def arriendo(self, cuenta: str) -> Arriendo:
        answer = self._client.get_item(TableName=self._table, Key=key_of(CUENTAS, cuenta), ConsistentRead=True)
        return arriendo_from_item(cuenta, to_plain(answer.get("Item", {})))

    def ask_for_run(self, cuenta: str) -> Arriendo:
        """One more wake-up; the lease as it is now."""
        answer = self._client.update_item(
            TableName=self._table,
            Key=key_of(CUENTAS, cuenta),
            UpdateExpression="SET corrida_debida = :now ADD pedidos :uno",
            ExpressionAttributeValues=to_values({":now": to_iso(self._clock()), ":uno": 1}),
            ReturnValues="ALL_NEW",
        )
        return arriendo_from_item(cuenta, to_plain(answer["Attributes"]))

    def take_lease(self, cuenta: str, corrida: str, until: datetime) -> Arriendo | None:
        """For the execution `corrida`, if it is free (or its own already); None when another one holds it."""
        held = self._on_lease(
            cuenta,
            "SET corrida = :me, corrida_hasta = :until ADD corrida_numero :uno",
            "attribute_not_exists(corrida) OR corrida_hasta <= :now",
            {":me": corrida, ":until": to_iso(until), ":now": to_iso(self._clock()), ":uno": 1},
        )
        mine = {":me": corrida, ":until": to_iso(until)}
        return held or self._on_lease(cuenta, "SET corrida_hasta = :until", "corrida = :me", mine)

    def renew_lease(self, cuenta: str, corrida: str, until: datetime) -> Arriendo | None:
        """From now on it is this task's (`Arriendo.tarea`); None when another run has it, or nobody."""
        values = {":me": corrida, ":until": to_iso(until), ":uno": 1}
        return self._on_lease(cuenta, "SET corrida_hasta = :until ADD corrida_tarea :uno", "corrida = :me", values)

    def release(self, renewed: Arriendo, *, debida: datetime | None) -> bool:
        """Given back, unless somebody asked for a run since it was renewed. `debida`: when the next one is due."""
        values: dict[str, Any] = {":me": renewed.corrida, ":tarea": renewed.tarea, ":seen": renewed.pedidos}
        expression = "REMOVE corrida, corrida_hasta"
        if debida:
            values[":debida"] = to_iso(debida)
            expression += " SET corrida_debida = :debida"
        else:
            expression += ", corrida_debida"
        condition = "corrida = :me AND corrida_tarea = :tarea AND pedidos = :seen"
        return self._on_lease(renewed.cuenta, expression, condition, values) is not None

    def abandon(self, cuenta: str, corrida: str, *, debida: datetime, tarea: int | None = None) -> bool:
        """Given back by a run that cannot go on; another one is due. `tarea`: only if no later task renewed it."""
        values: dict[str, Any] = {":me": corrida, ":debida": to_iso(debida)}
        expression = "REMOVE corrida, corrida_hasta SET corrida_debida = :debida"
        condition = "corrida = :me"
        if tarea is not None:
            values[":tarea"] = tarea
            condition += " AND corrida_tarea = :tarea"
        return self._on_lease(cuenta, expression, condition, values) is not None

    def skip_number(self, cuenta: str, numero: int) -> None:
        """The name of run `numero` is used up by an execution that ended without ever taking the lease."""
        first = "attribute_not_exists(corrida_numero)"
        values = {":numero": numero} if numero == 1 else {":numero": numero, ":antes": numero - 1}
        condition = first if numero == 1 else "corrida_numero = :antes"
        self._on_lease(cuenta, "SET corrida_numero = :numero", condition, values)

    def _on_lease(self, cuenta: str, expression: str, condition: str, values: dict[str, Any]) -> Arriendo | None:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=key_of(CUENTAS, cuenta),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_values(values),
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return arriendo_from_item(cuenta, to_plain(answer["Attributes"]))

    # -- what is wrong with the cuenta itself --------------------------------------------------------------------

    def open_incident(self, cuenta: str, causa: Causa, asiento: Asiento) -> bool:
        """Whether it is to be told: once, however many comprobantes it holds up, and anew after a day."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_values(
                    {
                        "pk": f"RUN#{cuenta}",
                        "sk": f"INCIDENTE#{causa.codigo}",
                        "desde": to_iso(self._clock()),
                        "causas": causas_to_item((causa,)),
                        "external_reference": asiento.external_reference,
                    }
                ),
                ConditionExpression="attribute_not_exists(pk) OR external_reference = :ref OR desde <= :yesterday",
                ExpressionAttributeValues=to_values(
                    {":ref": asiento.external_reference, ":yesterday": to_iso(self._clock() - TOLD_AGAIN_AFTER)}
                ),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def incidentes(self, cuenta: str) -> list[Incidente]:
        return [
            Incidente(cuenta, Causa(*item["causas"][0]), from_iso(item["desde"]), item["external_reference"])
            for item in self._run_items(cuenta, "INCIDENTE#")
        ]

    def close_incident(self, cuenta: str, codigo: str) -> None:
        """A person says that it is mended."""
        self._client.delete_item(TableName=self._table, Key=key_of(f"RUN#{cuenta}", f"INCIDENTE#{codigo}"))
