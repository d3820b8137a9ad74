"""Hooks: stored once, and folded into the state."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from facturacion.asiento import Refused, causas_to_item, pk_of
from facturacion.estado import Estado, Hook
from facturacion.events import tipo_for
from facturacion.ledger.table import Table, to_plain, to_values
from facturacion.tiempo import to_iso
from tusfacturas.hooks import read_hook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from facturacion.asiento import Asiento, Causa
    from tusfacturas.hooks import HookRecibido

HOOK_BODY_MAX = 64 * 1024
"""What is kept of a hook's body, in bytes."""
MENSAJE_MAX = 1_000
"""What is kept of each of its texts where the body is cut: with fifty of them the item is far below its 400 KB."""
_IN_FLIGHT = (Estado.ENVIANDO, Estado.INCIERTO, Estado.PENDIENTE)
_FIRST_ATTEMPT_IN_FLIGHT = "(previos = :cero AND estado IN (:ENVIANDO, :INCIERTO, :PENDIENTE))"
"""While earlier attempts may still send hooks, a hook cannot be told from one of theirs and moves nothing in flight."""


class Guardado(Enum):
    """What became of a hook that was put."""

    NUEVO = "nuevo"
    REPETIDO = "repetido"
    ID_REUSADO = "id_reusado"


class Pagina(NamedTuple):
    """(cuenta, external_reference) of each; `after`: the item behind which the next page begins, None at the end."""

    references: tuple[tuple[str, str], ...]
    after: dict[str, str] | None


class Hooks(Table):
    """The condition of each fold is the row of the rule in `estado.fold` that it writes."""

    def store_hook(
        self, cuenta: str, hook: HookRecibido, body: bytes, *, expires: datetime, huella: str | None = None
    ) -> Guardado:
        """One conditional put. A crash before it: the provider sends the hook again. After it: the stream has it.

        The documents never say that ids are unique: the same id with another evento or `creado` is kept beside.
        `huella`: of the token that it came with.
        """
        reference = hook.external_reference or ""
        more: dict[str, Any] = {"vence": int(expires.timestamp())} | ({"huella": huella} if huella else {})
        try:
            self._put_hook(cuenta, reference, hook, hook.hook_id, body, more)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            stored = to_plain(error.response.get("Item", {}))
            if (stored.get("evento"), stored.get("creado")) == (hook.evento, hook.creado):
                return Guardado.REPETIDO
        else:
            return Guardado.NUEVO
        try:
            self._put_hook(cuenta, reference, hook, f"{hook.hook_id}#{hook.evento}#{hook.creado}", body, more)
        except self._client.exceptions.ConditionalCheckFailedException:
            return Guardado.REPETIDO
        return Guardado.ID_REUSADO

    def _put_hook(  # noqa: PLR0917 - one caller, above
        self, cuenta: str, reference: str, hook: HookRecibido, hook_id: str, body: bytes, more: dict[str, Any]
    ) -> None:
        item = {
            "pk": pk_of(cuenta, reference),
            "sk": f"HOOK#{hook_id}",
            "hook_id": hook_id,
            "evento": hook.evento,
            "creado": hook.creado,
            "recibido": to_iso(self._clock()),
            "cuerpo": body[:HOOK_BODY_MAX],
            **more,
        }
        if hook.intento is not None:
            item["intento"] = hook.intento
        if len(body) > HOOK_BODY_MAX:
            # Cut it is no JSON any more, and nobody could read from it why a comprobante is in error.
            item["cortado"] = True
            item["mensajes"] = [texto[:MENSAJE_MAX] for texto in hook.mensajes]
        self._client.put_item(
            TableName=self._table,
            Item=to_values(item),
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def hooks(self, cuenta: str, external_reference: str) -> tuple[Hook, ...]:
        """Every stored hook of the reference, in no meaningful order."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :hook)",
            ProjectionExpression="hook_id, evento",
            ExpressionAttributeValues=to_values({":pk": pk_of(cuenta, external_reference), ":hook": "HOOK#"}),
        )
        items = (to_plain(item) for page in pages for item in page["Items"])
        return tuple(Hook(item["hook_id"], item["evento"]) for item in items)

    def hooks_of_nobody(self, cuenta: str, since: datetime) -> list[dict[str, Any]]:
        """Items of hooks with no reference that could be ours (tests are), received after that, oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :hook)",
            FilterExpression="recibido > :since",
            ProjectionExpression="evento, recibido, huella",
            ExpressionAttributeValues=to_values({":pk": pk_of(cuenta, ""), ":hook": "HOOK#", ":since": to_iso(since)}),
        )
        return sorted((to_plain(i) for page in pages for i in page["Items"]), key=lambda item: str(item["recibido"]))

    def hooks_with_words(self, cuenta: str, external_reference: str) -> tuple[tuple[Hook, tuple[str, ...]], ...]:
        """Every stored hook with the words of an `error` (none for the others): they are what classifies it."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :hook)",
            ProjectionExpression="hook_id, evento, cuerpo, mensajes",
            ExpressionAttributeValues=to_values({":pk": pk_of(cuenta, external_reference), ":hook": "HOOK#"}),
        )
        items = (to_plain(item) for page in pages for item in page["Items"])
        return tuple((Hook(i["hook_id"], i["evento"]), words_of(i) if i["evento"] == "error" else ()) for i in items)

    def told_page(
        self, since: datetime, until: datetime, cuenta: str | None, after: Mapping[str, str] | None
    ) -> Pagina:
        """Of whom a hook was received in that time, as far as one page of the whole table tells.

        No index has hooks by time: this reads everything, a megabyte at a time. For operators, seldom.
        """
        condition = "begins_with(sk, :hook) AND recibido BETWEEN :since AND :until"
        values = {":hook": "HOOK#", ":since": to_iso(since), ":until": to_iso(until)}
        if cuenta is not None:
            condition += " AND begins_with(pk, :cuenta)"
            values[":cuenta"] = f"{cuenta}#"
        start: dict[str, Any] = {"ExclusiveStartKey": to_values(after)} if after else {}
        answer = self._client.scan(
            TableName=self._table,
            FilterExpression=condition,
            ProjectionExpression="pk",
            ExpressionAttributeValues=to_values(values),
            **start,
        )
        found = dict.fromkeys(to_plain(item)["pk"].partition("#")[::2] for item in answer["Items"])
        last = answer.get("LastEvaluatedKey")
        return Pagina(tuple((c, r) for c, r in found if r), to_plain(last) if last else None)

    def size(self) -> tuple[int, int]:
        """(bytes, items) of the whole table, as DynamoDB counted them some hours ago."""
        table = self._client.describe_table(TableName=self._table)["Table"]
        return table["TableSizeBytes"], table["ItemCount"]

    def fold_emitido(self, cuenta: str, external_reference: str) -> Asiento | Refused:
        """Issued: it absorbs every other state, also one that had left the index of what is open."""
        return self._write(
            self._update(
                pk_of(cuenta, external_reference),
                "attribute_exists(pk) AND estado <> :EMITIDO",
                {":EMITIDO": Estado.EMITIDO},
                sets={"estado": Estado.EMITIDO, "abierto": cuenta, "evento_pendiente": tipo_for(Estado.EMITIDO)},
                removes=("ausente_desde", "causas"),
            ),
        )

    def fold_error(
        self, cuenta: str, external_reference: str, hook_id: str, causas: Sequence[Causa]
    ) -> Asiento | Refused:
        return self._fold(
            cuenta,
            external_reference,
            hook_id,
            f"(estado IN (:ENVIADO, :ENCOLADO, :ERROR) OR {_FIRST_ATTEMPT_IN_FLIGHT})",
            (Estado.ENVIADO, Estado.ENCOLADO, Estado.ERROR, *_IN_FLIGHT),
            sets={
                "estado": Estado.ERROR,
                "causas": causas_to_item(causas) or None,
                "evento_pendiente": tipo_for(Estado.ERROR),
            },
            defaults={"error_desde": to_iso(self._clock())},
        )

    def fold_encolado(self, cuenta: str, external_reference: str, hook_id: str) -> Asiento | Refused:
        """For `encolado` and `cambio_fecha`: in the queue, and evidence of it."""
        return self._fold(
            cuenta,
            external_reference,
            hook_id,
            f"(estado = :ENVIADO OR {_FIRST_ATTEMPT_IN_FLIGHT})",
            (Estado.ENVIADO, *_IN_FLIGHT),
            sets={"estado": Estado.ENCOLADO, "en_cola": True},
        )

    def fold_eliminado(self, cuenta: str, external_reference: str, hook_id: str) -> Asiento | Refused:
        return self._fold(
            cuenta,
            external_reference,
            hook_id,
            "previos = :cero AND NOT estado IN (:EMITIDO, :ELIMINADO, :RECHAZADO)",
            (Estado.EMITIDO, Estado.ELIMINADO, Estado.RECHAZADO),
            sets={"estado": Estado.ELIMINADO, "evento_pendiente": tipo_for(Estado.ELIMINADO)},
        )

    def fold_deletion_in_doubt(self, cuenta: str, external_reference: str, hook_id: str) -> Asiento | Refused:
        """An `eliminado` that may be of an earlier attempt: in error, until the provider was asked."""
        return self._fold(
            cuenta,
            external_reference,
            hook_id,
            "previos > :cero AND estado IN (:ENVIADO, :ENCOLADO, :ERROR)",
            (Estado.ENVIADO, Estado.ENCOLADO, Estado.ERROR),
            sets={"estado": Estado.ERROR, "evento_pendiente": tipo_for(Estado.ERROR)},
            defaults={"error_desde": to_iso(self._clock())},
        )

    def fold_nothing(self, asiento: Asiento, hook_id: str, *, evidence: bool, reopen: bool) -> Asiento | Refused:
        """An unseen hook that moves no state: it raises `version`, so that nothing decided without it is written.

        `evidence`: it can only be of this attempt, and shows the provider's queue. `reopen`: it contradicts a state
        that had left the index, so the reconciliation has to ask.
        """
        sets: dict[str, Any] = {}
        if evidence:
            sets["en_cola"] = True
        if reopen:
            sets["abierto"] = asiento.cuenta
        return self._write(
            self._update(
                asiento.pk,
                "attribute_exists(pk) AND NOT contains(vistos, :id)",
                {":id": hook_id},
                sets=sets,
                removes=("ausente_desde",),
            ),
        )

    def _fold(
        self,
        cuenta: str,
        external_reference: str,
        hook_id: str,
        condition: str,
        estados: Sequence[Estado],
        *,
        sets: Mapping[str, Any],
        defaults: Mapping[str, Any] | None = None,
    ) -> Asiento | Refused:
        values: dict[str, Any] = {f":{e}": e for e in estados} | {":id": hook_id}
        if ":cero" in condition:
            values[":cero"] = 0
        whole = f"attribute_exists(pk) AND NOT contains(vistos, :id) AND {condition}"
        pk = pk_of(cuenta, external_reference)
        return self._write(self._update(pk, whole, values, sets=sets, defaults=defaults, removes=("ausente_desde",)))

    def unknown_reference(self, cuenta: str, external_reference: str, causa: Causa) -> Asiento | Refused:
        """An authentic hook of a reference nobody claimed: a later claim must not be the second invoice."""
        now = to_iso(self._clock())
        return self._write(
            self._update(
                pk_of(cuenta, external_reference),
                "attribute_not_exists(pk)",
                {},
                sets={
                    "cuenta": cuenta,
                    "external_reference": external_reference,
                    "estado": Estado.EN_REVISION,
                    "en_cola": True,
                    "orden": now,
                    "abierto": cuenta,
                    "creado": now,
                    "previos": 0,
                    "causas": causas_to_item((causa,)),
                    "evento_pendiente": tipo_for(Estado.EN_REVISION),
                },
            ),
        )


def words_of(item: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of a stored hook. Of a body that had to be cut they were kept beside it."""
    return tuple(item["mensajes"]) if "mensajes" in item else read_hook(bytes(item["cuerpo"])).mensajes
