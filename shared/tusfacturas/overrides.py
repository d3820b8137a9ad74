"""A company's own entries of the catalogue: a JSON list that changes known errors and adds others, without code.

```json
[{"codigo": "AFIP-10041", "clase": "datos"},
 {"codigo": "AFIP-99731", "clase": "transitorio", "mensaje": "El padrón federal no responde."},
 {"texto": "punto de venta bloqueado por falta de pago", "clase": "cuenta", "mensaje": "Pague el abono."}]
```

`codigo` or `texto` says which error (`*` in `texto` stands for anything; case and accents do not matter). An entry with
the codigo or the texto of a known one changes what it gives of it (and adds its texto to those of that one); any other
is added, and then needs `mensaje`. `acompana: true` marks a line that says nothing beside a specific one. A list with
any fault is refused whole: half a catalogue would delete, or park, what its author did not mean.

What a list cannot do is to make the system delete what it does not understand: no entry may be so general that it is
found in what accompanies every error, and what accompanies, or may be authorised already, never becomes `datos`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tusfacturas.catalogue import CODIGO, SIN_CODIGO, Catalogo, Clase, Entrada, built_in
from tusfacturas.respuesta import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

FUENTE: Final = "Catálogo de la empresa"
TEXTO_MIN: Final = 12
PALABRAS_MIN: Final = 3
"""A single long word («certificado») is in texts that mean very different things."""
MENSAJE_MAX: Final = 300
_CLAVES: Final = ("codigo", "texto", "clase", "mensaje", "campo", "acompana")
_TEXTOS: Final = ("codigo", "texto", "mensaje", "campo")
_CLASES: Final = tuple(clase.value for clase in Clase if clase is not Clase.DESCONOCIDO)
_GENERALES: Final = tuple(
    fold(texto)
    for texto in (
        "AFIP Factura electronica, informa el siguiente error: Cod. Error: #6661145.0 - AFIP rechazo la generacion",
        "AFIP rechazo la generacion del comprobante Si necesitas ayuda, contactanos en hola@tusfacturas.app",
        "AFIP Factura electronica, rechazo el comprobante - ERROR: AFIP rechazo la generacion del comprobante Cod: 0",
        "AFIP No devolvio el CAE asociado. (Cod. Error #6661141.S1254)",
        "AFIP No devolvio el CAE asociado. (Cod. Error #6661141.S1278)",
        "Este request no se procesara. El lote no se procesara.",
        "El comprobante no se pudo generar. No se podra generar el comprobante. Revise los datos enviados.",
    )
)
"""Words that come with every error, by the provider's examples."""


class CatalogoInvalido(ValueError):
    """Its text names every entry that is at fault, in Spanish."""


@dataclass(frozen=True, slots=True)
class _Propia:
    """What an entry of the list gives; None where it leaves a known one as it is."""

    codigo: str | None
    texto: str | None
    clase: Clase
    mensaje: str | None
    campo: str | None
    acompana: bool | None


def load_catalogue(texto: str) -> Catalogo:
    """The built-in catalogue, with `texto` (may be empty) over it; CatalogoInvalido where it cannot be used whole."""
    if not texto.strip():
        return built_in()
    try:
        lista = json.loads(texto, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise CatalogoInvalido(f"Catálogo de errores: no es JSON: {error}.") from error
    if not isinstance(lista, list):
        raise CatalogoInvalido("Catálogo de errores: debe ser una lista JSON de entradas.")
    entradas = {entrada.codigo: entrada for entrada in built_in().entradas}
    sin_codigo: list[Entrada] = []
    faults: list[str] = []
    seen: set[str] = set()
    for orden, cruda in enumerate(lista, start=1):
        propia = _read(cruda)
        entrada = _over(propia) if isinstance(propia, _Propia) else propia
        if isinstance(entrada, Entrada):
            repeated = _names(entrada, propia) & seen
            seen |= _names(entrada, propia)
            if repeated:
                entrada = [f"repite {', '.join(sorted(repeated))}"]
        if not isinstance(entrada, Entrada):
            faults += [f"entrada {orden}{_called(cruda)}: {fault}" for fault in entrada]
        elif entrada.codigo == SIN_CODIGO:
            sin_codigo.append(entrada)
        else:
            entradas[entrada.codigo] = entrada
    if faults:
        raise CatalogoInvalido(f"Catálogo de errores: {'; '.join(faults)}.")
    return Catalogo((*entradas.values(), *sin_codigo))


def _read(cruda: object) -> _Propia | list[str]:
    if not isinstance(cruda, dict):
        return ["debe ser un objeto JSON"]
    faults = [f"no se conoce «{clave}»; se admite: {', '.join(_CLAVES)}" for clave in cruda if clave not in _CLAVES]
    faults += [f"{clave} debe ser un texto no vacío" for clave in _TEXTOS if clave in cruda and not _text(cruda[clave])]
    if "acompana" in cruda and not isinstance(cruda["acompana"], bool):
        faults.append("acompana debe ser true o false")
    if "codigo" not in cruda and "texto" not in cruda:
        faults.append("falta codigo o texto")
    if cruda.get("clase") not in _CLASES:
        faults.append(f"clase debe ser una de: {', '.join(_CLASES)}")
    if faults:
        return faults
    return _Propia(
        codigo=_text(cruda.get("codigo")),
        texto=fold(cruda["texto"]) if "texto" in cruda else None,
        clase=Clase(cruda["clase"]),
        mensaje=_text(cruda.get("mensaje")),
        campo=_text(cruda.get("campo")),
        acompana=cruda.get("acompana"),
    )


def _text(valor: object) -> str | None:
    return (valor.strip() or None) if isinstance(valor, str) else None


def _over(propia: _Propia) -> Entrada | list[str]:
    """The entry that results, or its faults."""
    known = _known(propia)
    if len(known) > 1:
        return [f"su codigo y su texto son de entradas distintas: {', '.join(e.codigo for e in known)}"]
    faults = [*_general(propia), *_named(propia, known), *_deletes(propia, known)]
    if len(propia.mensaje or "") > MENSAJE_MAX:
        faults.append(f"mensaje admite hasta {MENSAJE_MAX} caracteres")
    if not known:
        if propia.mensaje is None:
            faults.append("falta mensaje: qué significa y qué se debe corregir")
        return faults or Entrada(
            codigo=propia.codigo or SIN_CODIGO,
            clase=propia.clase,
            mensaje=propia.mensaje or "",
            fuente=FUENTE,
            textos=(propia.texto,) if propia.texto else (),
            campo=propia.campo or "",
            acompana=bool(propia.acompana),
        )
    (base,) = known
    if propia.acompana not in (None, base.acompana):
        faults.append("acompana no se puede cambiar en un error conocido")
    textos = dict.fromkeys((*base.textos, *([propia.texto] if propia.texto else [])))
    return faults or replace(
        base,
        clase=propia.clase,
        mensaje=propia.mensaje or base.mensaje,
        campo=base.campo if propia.campo is None else propia.campo,
        textos=tuple(textos),
        fuente=FUENTE,
    )


def _known(propia: _Propia) -> list[Entrada]:
    return [
        entrada
        for entrada in built_in().entradas
        if entrada.codigo == propia.codigo or (propia.texto is not None and propia.texto in entrada.textos)
    ]


def _general(propia: _Propia) -> list[str]:
    """A texto that would be found in errors of other kinds."""
    if propia.texto is None or any(propia.texto in entrada.textos for entrada in built_in().entradas):
        return []
    trozos = [trozo.strip() for trozo in propia.texto.split("*")]
    palabras = [palabra for trozo in trozos for palabra in trozo.split() if any(c.isalpha() for c in palabra)]
    if sum(map(len, trozos)) < TEXTO_MIN or len(palabras) < PALABRAS_MIN:
        return [f"texto es demasiado general: al menos {PALABRAS_MIN} palabras y {TEXTO_MIN} letras"]
    probe = Entrada("", propia.clase, "", "", (propia.texto,))
    if any(probe.says(general) for general in _GENERALES):
        return ["texto es demasiado general: está en lo que acompaña a todos los errores"]
    return []


def _named(propia: _Propia, known: Iterable[Entrada]) -> list[str]:
    """A codigo that no line carries is only a name, and then its words must find it."""
    if propia.codigo is None or known or CODIGO.fullmatch(propia.codigo):
        return []
    if propia.codigo == SIN_CODIGO:
        return [f"{SIN_CODIGO} no es un codigo: use texto"]
    if propia.texto is None:
        return ["ningún error lleva ese codigo (AFIP-…, TF-S…, TFC-…) ni está en el catálogo: falta texto"]
    return []


def _deletes(propia: _Propia, known: Iterable[Entrada]) -> list[str]:
    """What may come with an authorised comprobante is no reason to delete one."""
    without_cae = (propia.codigo or "").startswith("TF-S")
    authorised = any(entrada.acompana or entrada.clase is Clase.AMBIGUO for entrada in known)
    if propia.clase is Clase.DATOS and (without_cae or authorised or propia.acompana):
        return ["no puede ser datos: puede venir con un comprobante autorizado, que nunca se elimina"]
    return []


def _names(entrada: Entrada, propia: object) -> set[str]:
    texto = propia.texto if isinstance(propia, _Propia) else None
    return {nombre for nombre in (entrada.codigo, texto) if nombre and nombre != SIN_CODIGO}


def _called(cruda: object) -> str:
    if not isinstance(cruda, dict):
        return ""
    nombre = cruda.get("codigo") or cruda.get("texto")
    return f" ({nombre[:60]})" if isinstance(nombre, str) else ""


def _object(pares: list[tuple[str, Any]]) -> dict[str, Any]:
    claves = [clave for clave, _ in pares]
    if repetidas := {clave for clave in claves if claves.count(clave) > 1}:
        raise ValueError(f"una entrada repite {', '.join(sorted(repetidas))}")
    return dict(pares)
